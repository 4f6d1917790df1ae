"""Blind decomposition: a recording as the sum of components."""
