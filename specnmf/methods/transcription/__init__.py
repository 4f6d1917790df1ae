"""Transcription: the notes of a recording, heard without a score."""
