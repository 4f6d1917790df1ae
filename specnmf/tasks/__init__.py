"""Tasks: what can be done with a song, one file each."""
