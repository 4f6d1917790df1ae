"""One song, from path to run folder."""
