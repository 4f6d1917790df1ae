"""Folders of songs and of runs, here and behind URLs."""
