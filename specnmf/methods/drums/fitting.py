"""Drums: from a recording and its strokes to stems.

The model is a sum of strokes and of pitched components. Each drum has a template of
some frames for each of its sounds, which begins only where the drum is struck
(convolutive NMF with known onsets); the rest is a free NMF beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from specnmf.audio import neighbours
from specnmf.audio.hpss import medians
from specnmf.audio.options import HARMONIC, PERCUSSIVE
from specnmf.audio.recording import Audio, one_of_alike
from specnmf.audio.resynthesis import Stream
from specnmf.audio.stft import Float32, Grid, channel_magnitudes
from specnmf.factor.factorization import Factorization
from specnmf.factor.iterate import Callback
from specnmf.factor.nmf import nmf
from specnmf.factor.parametric.components import Components
from specnmf.factor.parametric.fitting import fit
from specnmf.factor.parametric.strikes import Strikes
from specnmf.methods.drums import laying
from specnmf.methods.drums.hits import Hit
from specnmf.methods.drums.judging import judged
from specnmf.methods.drums.kits import Kit, window_length
from specnmf.methods.drums.laying import Held, Layout, lay_out, strikes_of
from specnmf.methods.drums.options import DrumOptions
from specnmf.methods.drums.repeating import learn_repeats
from specnmf.methods.drums.repeats import Repeats, unknown_models
from specnmf.methods.stems import Sharing, Stems
from specnmf.subnormals import flush_to_zero

#: The stem of everything that is no drum.
REST = "rest"

#: The length of a template in seconds.
SECONDS = 0.8

#: The price of the rest while it is not known whether anything pitched plays, and the
#: share of the sound that it then has if something does: at most 1.3% in loops of drums
#: alone, at least 2.8% beside music of the same energy. If nothing does, the price
#: rises, for the rest would take the tones of kicks and toms.
PRICE, PITCHED, ALONE = 0.5, 0.02, 3.0

#: Iterations of that trial.
TRIAL = 16

#: Iterations of the start of the rest; frames and bins of its median filters.
STARTING, ALONG, ACROSS = 30, 17, 31

#: A stroke weaker than this share of its drum's loudest is none, nor is a drum that is
#: weaker than this share of the loudest.
FAINT_HIT, FAINT_DRUM = 0.02, 0.003


@dataclass(frozen=True, eq=False)
class DrumModel:
    """A fitted model: the contribution of each stem to V, for any frames.

    Attributes
    ----------
    layout : Layout
        The strokes.
    strikes : Strikes
        Their templates and strengths.
    rest : Components
        The pitched components.
    """

    grid: Grid
    layout: Layout
    strikes: Strikes
    rest: Components
    losses: NDArray[np.float64]

    @property
    def names(self) -> tuple[str, ...]:
        """The drums, and the rest."""
        return (*self.layout.drums, REST)

    def magnitudes(self, frames: slice) -> list[Float32 | None]:
        """Each stem's share of V, (n_channels, n_frames, n_bins)."""
        shape = self.rest.H.shape[0], frames.stop - frames.start, self.grid.n_bins
        models = np.zeros((len(self.names), *shape), np.float32)
        self.strikes.add_by_owner(frames, self.layout.owner, models)
        self.rest.add(frames, models[-1])
        return list(models)

    def total(self, frames: slice, models: list[Float32]) -> Float32:
        """The sum of the stems' magnitudes."""
        return np.asarray(np.sum(models, axis=0), np.float32)

    def densities(self, frames: slice, n_bins: int) -> Float32:
        """As in `specnmf.audio.neighbours.FineModels`."""
        models = np.stack([m for m in self.magnitudes(frames) if m is not None])
        flat = models[..., np.newaxis, :n_bins] ** 2 / neighbours.taps()[0].sum()
        return np.repeat(flat, neighbours.FINE, axis=3)

    @cached_property
    def loudness(self) -> NDArray[np.float64]:
        """How loud each stroke is, shape (n_hits,): of all its entries together."""
        loud = self.strikes.spectra.sum(axis=(1, 2, 3))[self.layout.template]
        n_hits = int(self.layout.hit.max(initial=-1)) + 1
        weights = (self.strikes.strengths * loud).astype(np.float64)
        return np.bincount(self.layout.hit, weights, n_hits).astype(np.float64)

    @property
    def drums(self) -> tuple[str, ...]:
        """The drums."""
        return self.layout.drums

    @property
    def templates(self) -> Float32:
        """The sound of each drum's strokes, (n_drums, n_bins, n_lags), on average."""
        spectra = self.strikes.spectra.mean(axis=2)
        used = np.bincount(
            self.layout.template, self.strikes.strengths, len(self.layout.drum)
        )
        out = np.zeros((len(self.drums), *spectra.shape[1:]), np.float32)
        weights = used[:, np.newaxis, np.newaxis].astype(np.float32)
        np.add.at(out, self.layout.drum, weights * spectra)
        return out.transpose(0, 2, 1)

    @property
    def envelopes(self) -> Float32:
        """How loud each drum is in each frame, (n_drums, n_frames)."""
        factors, drums = self.factors(), self.drums
        loud = factors.W.sum(axis=0)[:, np.newaxis] * factors.H
        labels = np.array(factors.labels)
        rows = [loud[labels == drum].sum(axis=0) for drum in drums]
        return np.array(rows, np.float32).reshape(len(drums), -1)

    @property
    def rest_share(self) -> float:
        """The share of the model that is the rest."""
        rest = float(self.rest.H.sum(axis=(0, 1)) @ self.rest.W.sum(axis=1))
        return rest / max(rest + float(self.loudness.sum()), 1e-20)

    def factors(self) -> Factorization:
        """Mean spectrum and loudness of each template, and the rest, as V ≈ W H."""
        spectra = self.strikes.spectra.mean(axis=2)
        fading = spectra.sum(axis=2)
        W = spectra.sum(axis=1) / np.maximum(fading.sum(axis=1, keepdims=True), 1e-20)
        H = np.zeros((len(W), self.grid.n_frames), np.float32)
        entries = self.layout.frame, self.layout.template, self.strikes.strengths
        for frame, template, strength in zip(*entries, strict=True):
            own = H[template, frame : frame + fading.shape[1]]
            own += strength * fading[template, : len(own)]
        labels = [self.layout.drums[drum] for drum in self.layout.drum]
        return Factorization(
            np.concatenate([W, self.rest.W]).T.astype(np.float32),
            np.concatenate([H, self.rest.H.mean(axis=0).T]).astype(np.float32),
            (*labels, *[REST] * len(self.rest.W)),
            self.losses,
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class DrumStems(Stems):
    """A recording separated into drums and the rest.

    Attributes
    ----------
    hits : tuple of Hit
        The strokes.
    pitched : bool
        Whether pitched instruments play beside the drums.
    """

    model: DrumModel
    hits: tuple[Hit, ...]
    pitched: bool = False
    _learned: dict[tuple[object, ...], Repeats] = field(default_factory=dict)

    def stream(self, options: Sharing) -> Stream:
        """Yield the stems as sound, block by block; they add up to the recording.

        Where strokes repeat, their waveforms are subtracted, and masks divide what is
        left.
        """
        if self.hits and isinstance(options, DrumOptions) and options.repeats:
            repeats = self.repeats(options)
            if repeats.sounds:
                return self._repeated(repeats, options)
        return super().stream(options)

    def repeats(self, options: Sharing) -> Repeats:
        """The sounds that repeat."""
        key = options.mask, options.power, options.wiener, options.parts
        if key not in self._learned:
            self._learned.clear()
            masked = self._masked(options)
            self._learned[key] = learn_repeats(self.audio, masked, self.grid, self.hits)
        return self._learned[key]

    def _masked(self, options: Sharing) -> Iterator[Audio]:
        """Yield the stems of the masks, each of which is let go then."""
        shape = self.audio.samples.shape
        sounds = [np.empty(shape, np.float32) for _ in self.names]
        with closing(super().stream(options)) as stream:
            for first, block in stream:
                for sound, own in zip(sounds, block, strict=True):
                    sound[:, first : first + own.shape[1]] = own
        while sounds:
            yield Audio(sounds.pop(0), self.audio.sr)

    def _repeated(self, repeats: Repeats, options: Sharing) -> Stream:
        left = repeats.left(self.audio)
        models = unknown_models(self.model, repeats)
        with closing(self._stream(self.grid, models, options, audio=left)) as stream:
            for first, block in stream:
                repeats.add(first, block)
                yield first, block

    def part_of(self, name: str) -> str | None:
        """The part of a split that a stem is of."""
        return HARMONIC if name == REST else PERCUSSIVE


@flush_to_zero()
def fit_drums(
    audio: Audio,
    hits: Sequence[Hit],
    kit: Kit,
    options: DrumOptions,
    *,
    surely: bool = False,
    callback: Callback | None = None,
) -> DrumStems:
    """Fit the strokes of drums, and the rest, to a recording.

    Parameters
    ----------
    hits : sequence of Hit
        The strokes, on the recording's clock.
    kit : Kit
        Where the templates start.
    surely : bool
        Whether all are strokes, as in a score; else they are judged.
    callback : callable, optional
        Called as ``callback(iteration, loss)``.

    References
    ----------
    Dittmar and Müller, "Reverse engineering the Amen break: score-informed separation
    and restoration applied to drum recordings", IEEE/ACM TASLP 24(9), 2016; Wu and
    Lerch, "Drum transcription using partially fixed non-negative matrix factorization
    with template adaptation", ISMIR 2015.
    """
    heard = one_of_alike(audio)
    n_fft = options.n_fft or window_length(audio.sr)
    grid = Grid.of(audio, n_fft, options.hop_length)
    V = channel_magnitudes(heard, grid, threads=options.threads)
    hits = [hit for hit in hits if hit.time < audio.duration]
    rest = rest_of(V, options)
    trial = _Fit(V, grid, kit, options)
    model = trial(hits, rest, PRICE, max_iter=min(TRIAL, options.max_iter))
    if not surely:
        hits = _strokes(hits, model, options)
    pitched = model.rest_share > PITCHED
    model = trial(
        hits,
        rest,
        0.0 if pitched else ALONE,
        max_iter=options.max_iter,
        callback=callback,
    )
    return stems_of(audio, model, hits, pitched=pitched)


def stems_of(
    audio: Audio, model: DrumModel, hits: Sequence[Hit], *, pitched: bool = False
) -> DrumStems:
    """The stems of a recording by a model."""
    factors = model.factors()
    return DrumStems(
        audio,
        model.grid,
        model=model,
        losses=model.losses,
        factors=factors,
        pitches=np.full(factors.n_components, np.nan),
        hits=tuple(hits),
        pitched=pitched,
    )


def rest_of(V: Float32, options: DrumOptions) -> Factorization:
    """Where the rest starts: templates of what is longer than it is broad.

    V is (n_channels, n_frames, n_bins). The two median filters are those of Fitzgerald,
    "Harmonic/percussive separation using median filtering", DAFx 2010.
    """
    return nmf(
        _harmonic(V.mean(axis=0), options.threads),
        options.n_rest,
        beta="kl",
        max_iter=STARTING,
        rng=options.seed,
        threads=options.threads,
    )


def _harmonic(mean: Float32, threads: int | None) -> Float32:
    """What of (n_frames, n_bins) is longer than it is broad, (n_bins, n_frames)."""
    tones, clicks = medians(mean.T, (ALONG, ACROSS), threads=threads)
    np.square(tones, out=tones)
    np.square(clicks, out=clicks)
    clicks += tones
    tones /= np.maximum(clicks, 1e-20, out=clicks)
    tones *= mean
    tones += 1e-7 * float(max(tones.max(), 1e-7))
    return np.ascontiguousarray(tones.T)


@dataclass(frozen=True, eq=False)
class _Fit:
    """Fits of the same recording by other strokes."""

    V: Float32
    grid: Grid
    kit: Kit
    options: DrumOptions

    def __call__(
        self,
        hits: Sequence[Hit],
        start: Factorization,
        price: float,
        *,
        max_iter: int,
        callback: Callback | None = None,
    ) -> DrumModel:
        V, options = self.V, self.options
        layout = lay_out(hits, self.grid)
        strikes = strikes_of(layout, self._spectra(hits), V)
        if options.adapt < 1:
            strikes = Held(strikes, options.adapt)
        H = np.repeat(start.H.T[np.newaxis], len(V), axis=0)
        rest = Components(
            start.W.T.astype(np.float32), H.astype(np.float32), price=price
        )
        layers = [strikes, rest]
        losses = fit(
            V, layers, max_iter=max_iter, threads=options.threads, callback=callback
        )
        return DrumModel(self.grid, layout, strikes, rest, losses)

    def _spectra(self, hits: Sequence[Hit]) -> Float32:
        """The initial templates, (n_templates, n_lags, n_bins)."""
        if not hits:
            return self.kit.spectra([0], self.grid, SECONDS)[:0]
        chosen = laying.choose(
            hits, self.kit, self.V, self.grid, threads=self.options.threads
        )
        numbers = [
            each[min(variant, len(each) - 1)]
            for each in chosen
            for variant in range(laying.VARIANTS)
        ]
        different = sorted(set(numbers))
        spectra = self.kit.spectra(different, self.grid, SECONDS)
        return spectra[[different.index(number) for number in numbers]]


def _strokes(hits: Sequence[Hit], model: DrumModel, options: DrumOptions) -> list[Hit]:
    """The hits that are strokes; a drum that would be silent has none."""
    loudness = model.loudness
    loudness = np.pad(loudness, (0, len(hits) - len(loudness)))
    kept = judged(hits, loudness, sensitivity=options.sensitivity)
    loudest: dict[str, float] = {}
    for i, _ in kept:
        loudest[hits[i].drum] = max(loudest.get(hits[i].drum, 0), loudness[i])
    audible = FAINT_DRUM * max(loudest.values(), default=0)
    found = [
        hits[i]._replace(confidence=sure)
        for i, sure in kept
        if loudest[hits[i].drum] > audible
        and loudness[i] > FAINT_HIT * loudest[hits[i].drum]
    ]
    return sorted(found)
