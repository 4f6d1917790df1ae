"""Scores of other programs, each read into the measures that MusicXML is read into."""
