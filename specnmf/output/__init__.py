"""The output of a run: folder, sources, figures, piano roll, report."""
