"""Templates learned once, kept in a file, and used on other recordings."""
