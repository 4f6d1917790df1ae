"""Drums: kits, their strokes found in a recording, and their stems."""
