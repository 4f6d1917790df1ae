"""The parametric model as arrays, and restored from them, equal bit by bit.

Only learned values are stored. Lobes and bands follow from the pitches, the tuning and
the grid; of the strengths, most of which are zero, the others are stored with their
positions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from specnmf.audio.recording import Audio
from specnmf.audio.stft import Float32, Grid
from specnmf.factor.parametric.lobes import Support
from specnmf.factor.parametric.noise import Noise
from specnmf.factor.parametric.partials import Partials
from specnmf.factor.parametric.strikes import Strikes
from specnmf.methods.partials.fitting import PartialStems, stems_of
from specnmf.methods.partials.model import PartialsModel
from specnmf.methods.partials.notes import N_PARTIALS, detunings, even_layer
from specnmf.methods.partials.schedule import Hits, Schedule, Template
from specnmf.methods.partials.unpitched import N_BANDS, noise_bands
from specnmf.methods.storing import Shape, StoredArrays, compact, text_array
from specnmf.score.loading import MAX_DURATION
from specnmf.subnormals import flush_to_zero

#: The prefixes of the arrays of the two analyses.
ANALYSES = "long", "short"

#: The longest window, in samples, and the most frames of a strike.
MOST_FFT, MOST_LAGS = 1 << 20, 1 << 16

#: The largest tuning, in cents.
MOST_CENTS = 1200.0

#: The largest product of templates and samples of the window, which determines the size
#: of the lobes: more than any orchestra needs.
MOST_LOBES = 1 << 27

Arrays = dict[str, NDArray[Any]]


def store(stems: PartialStems) -> Arrays:
    """The arrays for model.npz from which `restore` makes the stems again."""
    models = [model for model in (stems.model, stems.onset_model) if model is not None]
    schedule = stems.model.schedule
    hit = (*schedule.drums.templates, *schedule.hammers.templates)
    parts = sorted({template.part for template in (*schedule.templates, *hit)})
    arrays = {
        "stems": text_array(schedule.stems),
        "rest": text_array(() if stems.model.rest is None else [stems.model.rest]),
        "resting": np.array(stems.model.resting),
        "tuning": np.array(stems.model.tuning, np.float64),
        "onsets": stems.onsets,
        "parts": text_array(parts),
        "struck_parts": text_array(stems.struck),
        "struck_shares": np.array([*stems.struck.values()], np.float64),
    }
    for name, model in zip(ANALYSES, models, strict=False):
        own = _model_arrays(model, parts)
        arrays |= {f"{name}_{key}": array for key, array in own.items()}
    return arrays


@flush_to_zero()
def restore(stored: StoredArrays, audio: Audio) -> PartialStems:
    """The stems of a recording, restored from stored arrays.

    Raises
    ------
    OutputError
        If an array is missing, does not fit the others or the recording, or has invalid
        values.
    """
    n_models = 1 + (f"{ANALYSES[1]}_n_fft" in stored)
    models = [_Restored(stored, name, audio).model() for name in ANALYSES[:n_models]]
    onsets = stored.floats("onsets", (None,), least=0, most=MAX_DURATION)
    if not len(onsets) or (np.diff(onsets) <= 0).any():
        stored.refuse("onsets that rise", "others")
    struck = stored.texts("struck_parts")
    shares = stored.floats("struck_shares", (len(struck),), least=0, most=1)
    return stems_of(
        audio,
        models,
        onsets=onsets,
        struck=dict(zip(struck, shares.tolist(), strict=True)),
    )


def _model_arrays(model: PartialsModel, parts: Sequence[str]) -> Arrays:
    """The learned values of one analysis."""
    schedule, partials = model.schedule, model.partials
    support, strengths = schedule.support, partials.strengths
    return {
        "n_fft": np.array(model.grid.n_fft),
        "hop_length": np.array(model.grid.hop_length),
        "losses": model.losses,
        **_template_arrays("template", schedule.templates, parts),
        "template_struck": schedule.struck,
        "entry_counts": _compact(np.diff(support.edges)),
        "entry_template": compact(support.template, len(schedule.templates)),
        "entry_owner": compact(schedule.owner, len(schedule.stems)),
        "sounding": np.packbits(strengths > 0),
        "strengths": strengths[strengths > 0],
        "amplitudes": partials.amplitudes,
        "pans": partials.pans,
        **_strike_arrays("drum", schedule.drums, model.drums, parts),
        **_strike_arrays("hammer", schedule.hammers, model.hammers, parts),
        "noise": model.noise.strengths,
    }


def _strike_arrays(
    name: str, hits: Hits, strikes: Strikes, parts: Sequence[str]
) -> Arrays:
    return {
        **_template_arrays(name, hits.templates, parts),
        f"{name}_hit_frame": _compact(hits.frame),
        f"{name}_hit_template": _compact(hits.template),
        f"{name}_hit_owner": _compact(hits.owner),
        f"{name}_spectra": strikes.spectra,
        f"{name}_strengths": strikes.strengths,
    }


def _template_arrays(
    name: str, templates: Sequence[Template], parts: Sequence[str]
) -> Arrays:
    place: Mapping[str, int] = {part: number for number, part in enumerate(parts)}
    owners = np.array([place[template.part] for template in templates], np.int64)
    pitches = np.array([template.pitch for template in templates], np.uint8)
    return {f"{name}_part": compact(owners, len(parts)), f"{name}_pitch": pitches}


def _compact(values: NDArray[np.integer]) -> NDArray[np.unsignedinteger]:
    return compact(values, int(values.max(initial=0)))


class _Restored:
    """One analysis, from its arrays; indices that kernels use are checked."""

    def __init__(self, stored: StoredArrays, name: str, audio: Audio) -> None:
        self.common, self.own = stored, stored.within(f"{name}_")
        self.stems, self.parts = stored.files("stems"), stored.texts("parts")
        if not self.stems:
            stored.refuse("stems", "none")
        self.grid = self._grid(audio)
        shape = None, self.grid.n_frames, N_BANDS
        self.noise = self._learned("noise", shape)
        self.n_channels = len(self.noise)
        if self.n_channels not in (1, audio.n_channels):
            stored.refuse(f"{audio.n_channels} channels", self.n_channels)

    def model(self) -> PartialsModel:
        """The model."""
        common, schedule = self.common, self._schedule()
        rest = common.files("rest")
        if len(rest) > 1:
            common.refuse("one rest", len(rest))
        noise = Noise(
            noise_bands(self.grid),
            strength=0.0,
            n_channels=self.n_channels,
            n_frames=self.grid.n_frames,
        )
        noise.strengths = self.noise
        return PartialsModel(
            self.grid,
            schedule,
            self._partials(schedule),
            self._strikes("drum", schedule.drums),
            self._strikes("hammer", schedule.hammers),
            noise,
            self.own.floats("losses", (None,)),
            rest=rest[0] if rest else None,
            resting=bool(common.switches("resting", ())),
            tuning=self._tuning(),
        )

    def _grid(self, audio: Audio) -> Grid:
        n_fft = self.own.integer("n_fft", least=16, most=MOST_FFT)
        hop_length = self.own.integer("hop_length", least=1, most=n_fft)
        return Grid(audio.sr, audio.n_samples, n_fft - n_fft % 2, hop_length)

    def _tuning(self) -> float:
        most = MOST_CENTS
        return float(self.common.floats("tuning", (), least=-most, most=most))

    def _schedule(self) -> Schedule:
        own, templates = self.own, self._templates("template")
        most = MOST_LOBES // self.grid.n_fft
        if len(templates) > most:
            own.refuse(f"at most {most} templates", len(templates))
        counts = own.integers("entry_counts", (self.grid.n_frames,), most=1 << 32)
        shape = (int(counts.sum()),)
        edges = np.concatenate([[0], np.cumsum(counts)])
        template = own.indices("entry_template", shape, below=len(templates))
        return Schedule(
            templates,
            Support(edges, template),
            own.indices("entry_owner", shape, below=len(self.stems)),
            self._hits("drum"),
            self._hits("hammer"),
            self.stems,
            own.switches("template_struck", (len(templates),)),
        )

    def _partials(self, schedule: Schedule) -> Partials:
        n_templates, own = len(schedule.templates), self.own
        partials = even_layer(
            self.grid,
            schedule.templates,
            schedule.support,
            struck=schedule.struck,
            tuning=self._tuning(),
            strength=0.0,
            n_channels=self.n_channels,
        )
        shape = len(schedule.owner), len(detunings())
        sounding = own.packed("sounding", shape)
        n_sounding = (int(np.count_nonzero(sounding)),)
        partials.strengths[sounding] = self._learned("strengths", n_sounding)
        partials.amplitudes = self._learned("amplitudes", (n_templates, N_PARTIALS))
        partials.pans = self._learned("pans", (n_templates, self.n_channels))
        return partials

    def _hits(self, name: str) -> Hits:
        own, templates = self.own, self._templates(name)
        frames = own.indices(f"{name}_hit_frame", (None,), below=self.grid.n_frames)
        shape = frames.shape
        return Hits(
            templates,
            frames,
            own.indices(f"{name}_hit_template", shape, below=len(templates)),
            own.indices(f"{name}_hit_owner", shape, below=len(self.stems)),
        )

    def _strikes(self, name: str, hits: Hits) -> Strikes:
        n_bins = self.grid.n_bins
        shape = len(hits.templates), None, self.n_channels, n_bins
        spectra = self._learned(f"{name}_spectra", shape)
        if not 1 <= spectra.shape[1] <= MOST_LAGS:
            self.own.refuse("some frames of a strike", spectra.shape[1])
        strengths = self._learned(f"{name}_strengths", hits.frame.shape)
        place = hits.frame, hits.template
        return Strikes(*place, spectra, strengths, n_frames=self.grid.n_frames)

    def _templates(self, name: str) -> tuple[Template, ...]:
        own = self.own
        owners = own.indices(f"{name}_part", (None,), below=len(self.parts))
        pitches = own.integers(f"{name}_pitch", owners.shape, most=127)
        return tuple(
            Template(self.parts[owner], pitch)
            for owner, pitch in zip(owners.tolist(), pitches.tolist(), strict=True)
        )

    def _learned(self, name: str, shape: Shape) -> Float32:
        array = self.own.floats(name, shape, np.float32, least=0)
        return np.ascontiguousarray(array)
