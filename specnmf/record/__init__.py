"""run.json read, checked, made again and compared."""
