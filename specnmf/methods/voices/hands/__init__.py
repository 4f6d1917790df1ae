"""Hands: which hand of a keyboard's player strikes each note."""

from specnmf.methods.voices.hands.searching import LEFT, RIGHT, hands

__all__ = ["LEFT", "RIGHT", "hands"]
