"""Folders of songs and of runs, local or at URLs."""
