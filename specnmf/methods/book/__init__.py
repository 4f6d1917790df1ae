"""The book's model: a factorisation that starts from the score (FMP, section 8.3)."""
