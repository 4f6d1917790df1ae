"""Players: the register, timbre and side of each voice."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from specnmf.methods.transcription.heard import Float64, Heard

#: The costs of a note a semitone from the middle of the voice; of a timbre that has
#: nothing in common with that of the voice; and of a pan that differs by one on
#: average.
PITCH, TIMBRE, PAN = 0.12, 24.0, 16.0


@dataclass(frozen=True, eq=False)
class Players:
    """The learned properties of the players.

    Attributes
    ----------
    centre : array, shape (n_voices,)
        The mean of their pitches.
    timbre : array, shape (n_voices, N_TIMBRE)
        The mean of their notes' timbres, of unit norm.
    pan : array, shape (n_voices, n_channels)
        The mean of their notes' pans.
    """

    centre: Float64
    timbre: Float64
    pan: Float64

    def costs(
        self, heard: Heard, *, register: float = 1.0, sound: float = 1.0
    ) -> Float64:
        """The distance of each note from each player, shape (n, n_voices).

        ``register`` and ``sound`` are the weights of pitch, and of timbre and side.
        """
        unlike = 1 - heard.timbre @ self.timbre.T
        unlike[~heard.timbre.any(axis=1)] = 0
        away = np.abs(heard.pitch[:, np.newaxis] - self.centre)
        side = np.abs(heard.pan[:, np.newaxis] - self.pan).mean(axis=2)
        costs: Float64 = register * PITCH * away
        costs += sound * (TIMBRE * unlike + PAN * side)
        return costs


def learn(heard: Heard, weight: Float64, before: Players | None = None) -> Players:
    """The players of notes with weights (n, n_voices).

    A player without notes stays unchanged, or gets the mean of all.
    """
    total = weight.sum(axis=0)
    share = np.full_like(weight, 1 / max(len(heard), 1))
    np.divide(weight, total, out=share, where=total > 0)
    players = Players(
        share.T @ heard.pitch, unit(share.T @ heard.timbre), share.T @ heard.pan
    )
    if before is not None:
        for silent in np.flatnonzero(total == 0):
            players.centre[silent] = before.centre[silent]
            players.timbre[silent] = before.timbre[silent]
            players.pan[silent] = before.pan[silent]
    return players


def unit(x: Float64) -> Float64:
    """Rows scaled to unit norm; rows of zeros stay."""
    norm: Float64 = np.linalg.norm(x, axis=1, keepdims=True)
    return x / np.maximum(norm, 1e-12)
