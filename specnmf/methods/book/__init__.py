"""The FMP book's model: a factorisation that starts from the score (section 8.3)."""
