"""Many songs: find them, plan the work, run it on many workers, and do none twice."""
