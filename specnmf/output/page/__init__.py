"""The page: a run to hear and see, in one file."""
