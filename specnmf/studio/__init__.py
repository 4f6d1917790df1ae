"""The studio: hear, edit and save a run in a browser."""
