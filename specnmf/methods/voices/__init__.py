"""Voices: which notes one player, singer or hand plays."""
