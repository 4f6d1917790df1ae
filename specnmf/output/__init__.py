"""What a run leaves behind: figures, piano roll, report and folder."""
