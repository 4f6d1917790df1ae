"""A model of drums as arrays, and restored from them, equal bit by bit."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from specnmf.audio.recording import Audio
from specnmf.audio.stft import Grid
from specnmf.factor.parametric.components import Components
from specnmf.factor.parametric.strikes import Strikes
from specnmf.methods.drums.fitting import REST, DrumModel, DrumStems, stems_of
from specnmf.methods.drums.hits import Hit
from specnmf.methods.drums.laying import Layout
from specnmf.methods.storing import StoredArrays, compact, text_array
from specnmf.score.loading import MAX_DURATION
from specnmf.subnormals import flush_to_zero

#: The longest window, in samples, the most templates, and the most frames of one.
MOST_FFT, MOST_TEMPLATES, MOST_LAGS = 1 << 20, 1 << 10, 1 << 16


def store(stems: DrumStems) -> dict[str, NDArray[Any]]:
    """The arrays for model.npz from which `restore` makes the stems again."""
    model, layout, hits = stems.model, stems.model.layout, stems.hits
    place = {drum: number for number, drum in enumerate(layout.drums)}
    return {
        "n_fft": np.array(model.grid.n_fft),
        "hop_length": np.array(model.grid.hop_length),
        "losses": model.losses,
        "drums": text_array(layout.drums),
        "template_drum": compact(layout.drum, len(layout.drums)),
        "entry_frame": compact(layout.frame, model.grid.n_frames),
        "entry_template": compact(layout.template, len(layout.drum)),
        "entry_hit": compact(layout.hit, len(hits)),
        "spectra": model.strikes.spectra,
        "strengths": model.strikes.strengths,
        "rest_W": model.rest.W,
        "rest_H": model.rest.H,
        "hit_time": np.array([hit.time for hit in hits], np.float64),
        "hit_drum": np.array([place[hit.drum] for hit in hits], np.uint16),
        "hit_note": np.array([hit.note for hit in hits], np.uint8),
        "hit_confidence": np.array([hit.confidence for hit in hits], np.float64),
    }


@flush_to_zero()
def restore(stored: StoredArrays, audio: Audio) -> DrumStems:
    """The stems of a recording, restored from stored arrays.

    Raises
    ------
    OutputError
        If an array is missing, does not fit the others or the recording, or has invalid
        values.
    """
    n_fft = stored.integer("n_fft", least=16, most=MOST_FFT)
    hop = stored.integer("hop_length", least=1, most=n_fft)
    grid = Grid(audio.sr, audio.n_samples, n_fft - n_fft % 2, hop)
    rest = _rest(stored, grid, audio)
    hits = _hits(stored, MAX_DURATION)
    layout = _layout(stored, grid, len(hits))
    n_channels = len(rest.H)
    shape = len(layout.drum), None, n_channels, grid.n_bins
    spectra = stored.floats("spectra", shape, np.float32, least=0)
    if not 1 <= spectra.shape[1] <= MOST_LAGS:
        stored.refuse("some frames of a stroke", spectra.shape[1])
    size = layout.frame.shape
    strengths = stored.floats("strengths", size, np.float32, least=0)
    strikes = Strikes(
        layout.frame,
        layout.template,
        np.ascontiguousarray(spectra),
        np.ascontiguousarray(strengths),
        n_frames=grid.n_frames,
    )
    losses = stored.floats("losses", (None,))
    return stems_of(audio, DrumModel(grid, layout, strikes, rest, losses), hits)


def _rest(stored: StoredArrays, grid: Grid, audio: Audio) -> Components:
    W = stored.floats("rest_W", (None, grid.n_bins), np.float32, least=0)
    shape = None, None, len(W)
    H = stored.floats("rest_H", shape, np.float32, least=0)
    if H.shape[1] != grid.n_frames:
        stored.refuse(
            f"{grid.n_frames} frames; is it another recording", f"{H.shape[1]}"
        )
    if len(H) not in (1, audio.n_channels):
        stored.refuse(f"{audio.n_channels} channels", len(H))
    return Components(np.ascontiguousarray(W), np.ascontiguousarray(H))


def _hits(stored: StoredArrays, latest: float) -> list[Hit]:
    drums = _drums(stored)
    times = stored.floats("hit_time", (None,), least=0, most=latest)
    drum = stored.indices("hit_drum", times.shape, below=max(1, len(drums)))
    note = stored.integers("hit_note", times.shape, most=127)
    sure = stored.floats("hit_confidence", times.shape, least=0, most=1)
    if len(times) and not drums:
        stored.refuse("drums", "none")
    columns = times.tolist(), drum.tolist(), note.tolist(), sure.tolist()
    return [Hit(t, drums[d], n, c) for t, d, n, c in zip(*columns, strict=True)]


def _layout(stored: StoredArrays, grid: Grid, n_hits: int) -> Layout:
    drums = _drums(stored)
    owners = stored.indices("template_drum", (None,), below=max(1, len(drums)))
    if len(owners) > MOST_TEMPLATES:
        stored.refuse(f"at most {MOST_TEMPLATES} templates", len(owners))
    frame = stored.indices("entry_frame", (None,), below=grid.n_frames)
    template = stored.indices("entry_template", frame.shape, below=len(owners))
    hit = stored.indices("entry_hit", frame.shape, below=n_hits)
    return Layout(drums, owners, frame, template, hit)


def _drums(stored: StoredArrays) -> tuple[str, ...]:
    drums = stored.files("drums")
    if REST in drums:
        stored.refuse("drums", f"the name {REST}")
    return drums
