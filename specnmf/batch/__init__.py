"""Many songs: found, planned, done by many workers, and never done twice."""
