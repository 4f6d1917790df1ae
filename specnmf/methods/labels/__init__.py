"""Separation by labels: marked sounds, found in the whole recording."""
