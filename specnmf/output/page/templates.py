"""The templates of a run, W, on the rows of its picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from specnmf.output.page.columns import Bytes, as_bytes
from specnmf.output.page.picture import SPAN, Picture, Rows

#: So many templates are shown, the most energetic ones.
MOST_TEMPLATES = 256


@dataclass(frozen=True, eq=False)
class Template:
    """What a component sounds like.

    Attributes
    ----------
    label : str
        Of its stem.
    pitch : float or None
        Its MIDI number, if it has a pitch.
    rows : array of bytes, shape (n_rows,)
        As a column of the picture: from the top down, 255 is the loudest.
    """

    label: str
    pitch: float | None
    rows: Bytes


def templates_of(
    W: NDArray[np.floating],
    frequencies: NDArray[np.floating],
    labels: Sequence[str],
    *,
    picture: Picture,
    sr: int,
    pitches: Sequence[float | None] = (),
    shares: Sequence[float | None] = (),
) -> list[Template]:
    """The most energetic templates, in their order.

    Parameters
    ----------
    W : array, shape (n_bins, n_components)
        Magnitudes.
    frequencies : array, shape (n_bins,)
        In Hz, rising.
    labels : sequence of str
        One a component.
    picture : Picture
        Whose rows they get.
    sr : int
        The sample rate of the recording in Hz.
    pitches, shares : sequence of float or None
        Of the components; missing ones are not known.
    """
    n = W.shape[1]
    energy = np.array(
        [share or 0.0 for share in shares[:n]] + [0.0] * (n - len(shares))
    )
    chosen = np.sort(np.argsort(-energy, kind="stable")[:MOST_TEMPLATES])
    rows = Rows(sr).weights(frequencies)[: len(picture.data)]
    power = rows @ np.square(W[:, chosen].astype(np.float32))
    return [
        Template(
            labels[number],
            pitches[number] if number < len(pitches) else None,
            as_bytes(own, float(own.max(initial=0)), SPAN)[::-1],
        )
        for number, own in zip(chosen.tolist(), power.T, strict=True)
    ]
