"""Convolutive NMF: templates of several frames."""
