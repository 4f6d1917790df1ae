"""The studio: a run in a browser, to hear, to change and to save."""
