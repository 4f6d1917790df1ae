"""Voices: the notes of each player, singer or hand."""
