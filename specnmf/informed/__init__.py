"""Score, sound and factorisation together."""
