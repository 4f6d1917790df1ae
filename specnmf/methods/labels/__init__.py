"""Sounds that a person marked here and there, found in the whole recording."""
