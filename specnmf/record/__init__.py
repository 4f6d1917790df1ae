"""Read and check run.json; repeat, compare and edit runs."""
