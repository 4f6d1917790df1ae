"""Matrices only: non-negative factorisations that know nothing of sound."""
