"""Factorisation in layers: components that sound together."""
