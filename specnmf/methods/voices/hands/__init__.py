"""Hands: the hand of a keyboard player that strikes each note."""

from specnmf.methods.voices.hands.searching import LEFT, RIGHT, hands

__all__ = ["LEFT", "RIGHT", "hands"]
