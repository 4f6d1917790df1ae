"""Factorisations of factorisations, and labels that take part in them."""
