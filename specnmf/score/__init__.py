"""Notes: scores and the files that hold them."""
