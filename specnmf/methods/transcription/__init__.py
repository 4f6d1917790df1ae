"""Transcription: the notes of a recording, estimated without a score."""
