"""Methods: from sound, notes and labels to a model of stems; one folder per method."""
