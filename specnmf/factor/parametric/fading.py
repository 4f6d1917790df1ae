"""Notes that fade: after their end all, after their attack those that decay."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from specnmf.factor.parametric import kernels

#: After its end a note fades by at least so many dB a second.
RATE = 20.0

#: An instrument whose held notes lose more dB a second than this decays: its strings,
#: bars or plates are struck or plucked.
DECAYING = 12.0

#: The iterations from which ended and decaying notes may only fade.
ENDED_FROM, DECAYING_FROM = 3, 12

#: A fading entry below this share of its note's loudest one is given up.
LEAST_SHARE = 0.03

#: The limit of entries that have none: what is above 1 limits nothing.
UNLIMITED = 2.0

#: The states of an entry.
FREE, HELD, RELEASED, ENDED = range(4)


@dataclass(frozen=True, eq=False)
class Fading:
    """The entries of a support that may be no louder than those before them.

    Attributes
    ----------
    previous : array of int, shape (n_entries,)
        The entry of the same template and stem in the frame before; -1: none.
    state : array of int, shape (n_entries,)
        FREE: onset and attack, HELD: from there to the end, RELEASED: about the end,
        ENDED: after it.
    instrument : array of int, shape (n_entries,)
        The number of each entry's instrument.
    hop : float
        Seconds from one frame to the next.
    """

    previous: NDArray[np.int64]
    state: NDArray[np.int64]
    instrument: NDArray[np.int64]
    hop: float
    _most: NDArray[np.float32] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        ended = 10 ** (-RATE / 20 * self.hop)
        most = np.where(self.state == ENDED, ended, UNLIMITED).astype(np.float32)
        object.__setattr__(self, "_most", most)

    def limit(self, strengths: NDArray[np.float32], iteration: int) -> None:
        """Weaken strengths, (n_entries, n_detunings), that rise where they must fade.

        In iteration DECAYING_FROM the strengths decide which instruments decay. If all
        do, their held notes stay free: none can be mistaken for a sustained one.
        """
        if iteration == DECAYING_FROM:
            decays = self.slopes(strengths.sum(axis=1)) < -DECAYING
            decays &= not decays.all()
            sounding = (self.state == HELD) | (self.state == RELEASED)
            self._most[decays[self.instrument] & sounding] = 1
        if iteration >= ENDED_FROM:
            kernels.fade(strengths, self.previous, self._most, np.float32(LEAST_SHARE))

    def slopes(self, totals: NDArray[np.floating]) -> NDArray[np.float64]:
        """How held notes of each instrument grow, in dB a second, (n_instruments,).

        ``totals``, (n_entries,), are the entries' strengths. 0 if no note is held.
        """
        held = np.flatnonzero((self.state == HELD) & (self.previous >= 0))
        number, size = self.instrument[held], int(self.instrument.max(initial=-1)) + 1
        now = np.bincount(number, totals[held], size)
        before = np.bincount(number, totals[self.previous[held]], size)
        ratio = (now + kernels.SILENCE) / (before + kernels.SILENCE)
        slopes: NDArray[np.float64] = 20 * np.log10(ratio) / self.hop
        return slopes
