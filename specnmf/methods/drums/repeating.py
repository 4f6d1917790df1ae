"""Learn the waveforms of sounds that repeat.

The strokes of a sound are one waveform H with strengths g_i, and deviations:
Z_i = g_i (H + E_i) + others, in the frames of each stroke. H and E_i are Gaussian
with the variances c P and (1 - c) P, where P is the power that the masks found and c
the likeness of the strokes, measured in bands by their cross spectra. The others are
Gaussian too, with the power of what is not yet known of them. Then H is an average that
each stroke enters by how little else sounds with it. All sounds take turns.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise, product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from specnmf.audio.recording import Audio
from specnmf.audio.stft import Complex64, Float32, Grid, magnitude
from specnmf.methods.drums.hits import Hit, order_of
from specnmf.methods.drums.repeats import (
    FADING,
    Integers,
    Repeats,
    Sound,
    WaveFrames,
    cut,
    last_strokes,
    share_of,
)

#: The length of a waveform, that of its part by which strokes are compared, and how far
#: a stroke may lie from its time, in seconds.
SECONDS, COMPARED, REACH = 1.0, 0.12, 0.008

#: The part of a stroke by which its strength is first told, and how far strokes of a
#: drum are apart at least, in seconds.
LOUD, APART = 0.08, 0.005

#: Strokes are of one sound if their waveforms correlate so much.
ALIKE = 0.6

#: The share of a sound's power that counts as unknown in each round at least: errors of
#: the strengths do not show in the likeness.
UNKNOWN = (0.1, 0.05, 0.02, 0.01, 0.005)

#: So many strokes, spread over the recording, teach a sound, in each of few channels.
MOST = 48

#: The likeness is measured in so many bands, and in blocks of frames that begin here.
N_BANDS, BLOCKS = 13, (0, 7, 24)

#: Frames in which strengths are measured, the relative deviation of the first ones, and
#: the share of bins that counts as independent.
ATTACK, DEVIATION, INDEPENDENT = 24, 0.2, 0.03

#: Where other strokes of the same drum begin, so much of their power is unknown, and
#: of all power everywhere.
OWN, ANY = 0.2, 1e-3

#: A bin deviates from the waveform by this share of its power, where strengths are
#: measured.
DEVIATING = 0.05

#: A stroke differs from the others by this share of their power at most.
MOST_DEVIATION = 2.0

#: Drums of which a stroke ends the last.
CHOKED = ("hihat",)


@dataclass(eq=False)
class _Group:
    """Strokes of a sound while it is learned."""

    stem: int
    starts: Integers
    lengths: Integers
    gains: NDArray[np.float64]
    power: Float32
    alike: Float32
    waveform: Float32
    unknown: Float32
    first_gains: NDArray[np.float64] = field(init=False)
    deviations: Float32 = field(init=False)

    def __post_init__(self) -> None:
        self.first_gains = self.gains.copy()
        self.deviations = np.zeros((len(self.gains), self.power.shape[1]), np.float32)

    def sound(self) -> Sound:
        """The sound as it is now."""
        return Sound(
            self.stem,
            self.starts,
            self.lengths,
            self.gains,
            self.waveform,
            self.unknown,
            self.deviations,
        )


def learn_repeats(
    audio: Audio, stems: Iterable[Audio], grid: Grid, hits: Sequence[Hit]
) -> Repeats:
    """The sounds of a recording that repeat, and their waveforms.

    Parameters
    ----------
    audio : Audio
        The recording.
    stems : iterable of Audio
        The stems as masks make them, which add up to it, one at a time: first the drums
        as `order_of` has them.
    grid : Grid
        The frames of the model.
    hits : sequence of Hit
        The strokes.
    """
    frames = WaveFrames(grid, round(SECONDS * grid.sr))
    drums = order_of(hits)
    groups: list[_Group] = []
    powers = _Powers()
    if grid.hop_length * 2 > grid.n_fft:  # then spectra are no waveform
        drums = ()
    for stem, sound in enumerate(stems):
        if stem < len(drums):
            own = [hit for hit in hits if hit.drum == drums[stem]]
            groups += _groups(stem, sound, own, frames)
        powers.add(magnitude(sound, grid).T)
    learner = _Learner(audio.samples.copy(), powers, frames, groups)
    for least in UNKNOWN:
        for group in groups:
            learner.learn(group, least)
    return Repeats(grid, tuple(group.sound() for group in groups))


def _groups(
    stem: int, audio: Audio, hits: Sequence[Hit], frames: WaveFrames
) -> list[_Group]:
    """Strokes of a drum that sound alike, where there are at least two."""
    sr, lead = audio.sr, frames.grid.n_fft // 2
    mono = audio.samples.mean(axis=0)
    found: list[Integers] = []
    for note in sorted({hit.note for hit in hits}):
        starts = [round(hit.time * sr) - lead for hit in hits if hit.note == note]
        found += _alike(mono, sorted(starts), sr, lead)
    every = np.sort(np.concatenate(found))
    return [
        _group(stem, audio, starts, every, frames, choked=hits[0].drum in CHOKED)
        for starts in found
        if len(starts) > 1
    ]


def _alike(mono: Float32, starts: Sequence[int], sr: int, lead: int) -> list[Integers]:
    """Starts of strokes that correlate, moved to where they do so best.

    The loudest stroke that is left founds a group; those like it join.
    """
    n, reach = lead + round(COMPARED * sr), round(REACH * sr)
    waves = np.array([cut(mono[np.newaxis], start, n)[0] for start in starts])
    energies = (waves**2).sum(axis=1)
    size = 1 << (2 * n - 1).bit_length()
    spectra = np.fft.rfft(waves, size)
    left = np.argsort(-energies, kind="stable").tolist()
    groups = []
    while left:
        founder = left[0]
        products = np.fft.irfft(spectra[left] * spectra[founder].conj(), size)
        near = np.concatenate([products[:, -reach:], products[:, : reach + 1]], axis=1)
        best = near.argmax(axis=1)
        norms = np.sqrt(energies[left] * energies[founder]) + 1e-20
        joins = near.max(axis=1) / norms > ALIKE
        joins[0] = True
        members = [
            starts[each] + int(lag) - reach
            for each, lag, joined in zip(left, best, joins, strict=True)
            if joined
        ]
        groups.append(np.unique(np.array(members, np.int64)))
        left = [each for each, joined in zip(left, joins, strict=True) if not joined]
    return groups


def _group(
    stem: int,
    audio: Audio,
    starts: Integers,
    every: Integers,
    frames: WaveFrames,
    *,
    choked: bool,
) -> _Group:
    """A group of strokes as the stem of masks has them."""
    grid, n = frames.grid, frames.n
    gains = _first_gains(audio, starts, grid.n_fft // 2 + round(LOUD * grid.sr))
    until = _until_next(starts, every, round(FADING * grid.sr)) + grid.n_fft // 2
    taught = _spread(len(starts), MOST)
    apart = _until_next(starts[taught], every, round(APART * grid.sr))
    power = _power(audio, starts[taught], gains[taught], apart, frames)
    return _Group(
        stem,
        starts,
        np.minimum(until, n) if choked else np.full(len(starts), n),
        gains,
        power,
        np.full_like(power, 0.5),
        np.zeros((audio.n_channels, n), np.float32),
        np.ones_like(power),
    )


def _first_gains(audio: Audio, starts: Integers, n: int) -> NDArray[np.float64]:
    """The strengths of strokes, relative to the loudest, by their first samples."""
    waves = np.array([cut(audio.samples, int(start), n) for start in starts])
    loudest = waves[(waves**2).sum(axis=(1, 2)).argmax()]
    gains = np.einsum("ict,ct->i", waves, loudest) / max((loudest**2).sum(), 1e-20)
    return np.asarray(np.maximum(gains, 0.05), np.float64)


def _power(
    audio: Audio,
    starts: Integers,
    gains: NDArray[np.float64],
    apart: Integers,
    frames: WaveFrames,
) -> Float32:
    """The mean power of strokes until the next begins; then the least of them."""
    n_fft, begins = frames.grid.n_fft, frames.starts
    shape = len(begins), frames.grid.n_bins
    total, least = np.zeros(shape, np.float32), np.full(shape, np.inf, np.float32)
    count = np.zeros((len(begins), 1), np.float32)
    for start, gain, until in zip(starts, gains, apart, strict=True):
        spectra = frames.spectra(cut(audio.samples, int(start), frames.n))
        power = (np.abs(spectra) ** 2).mean(axis=0) / np.float32(gain**2)
        alone = ((begins + n_fft <= until) | (begins < 0))[:, np.newaxis]
        total += alone * power
        count += alone
        np.minimum(least, power, out=least)
    power = np.where(count, total / np.maximum(count, 1), least)
    return np.asarray(power + 1e-9 * power.max() + 1e-20, np.float32)


def _until_next(starts: Integers, every: Integers, least: int) -> Integers:
    """Samples from each start to the next that is later than the least."""
    following = np.searchsorted(every, starts + least, side="right")
    late = np.append(every, np.iinfo(np.int64).max // 2)
    return np.asarray(late[following] - starts, np.int64)


class _Powers:
    """The powers of stems: the upper halves of float32, precise to 0.8%."""

    def __init__(self) -> None:
        self.arrays: list[NDArray[np.uint16]] = []

    def add(self, V: Float32) -> None:
        """Add those of a stem, of its magnitudes (n_frames, n_bins)."""
        halves = np.empty(V.shape, np.uint16)
        for own, row in zip(halves, V, strict=True):
            own[:] = (row**2).view(np.uint32) >> 16
        self.arrays.append(halves)

    def of_stem(self, stem: int, rows: Integers) -> Float32:
        """Those of a stem in some frames."""
        halves = self.arrays[stem][rows].astype(np.uint32)
        halves <<= 16
        return halves.view(np.float32)

    def mean(self) -> float:
        """Of the sum of all."""
        total = sum(
            float(self.of_stem(stem, np.array([row])).sum(dtype=np.float64))
            for stem, own in enumerate(self.arrays)
            for row in range(len(own))
        )
        return total / max(self.arrays[0].size, 1)


class _Seen(NamedTuple):
    """A stroke, and what is known of its waveform without it.

    Attributes
    ----------
    Z, H : array, shape (n_channels, n_frames, n_bins)
        The stroke in what is left of the recording; the waveform of strength 1.
    others, variance : array, shape (n_frames, n_bins)
        The power of what else sounds in Z, and of the error of H.
    """

    Z: Complex64
    others: Float32
    H: Complex64
    variance: Float32


@dataclass(eq=False)
class _Learner:
    """What is left of the recording, and what is unknown of each stem."""

    left: Float32
    powers: _Powers
    frames: WaveFrames
    groups: Sequence[_Group]

    def __post_init__(self) -> None:
        grid = self.frames.grid
        sounds = [(group.stem, group.starts) for group in self.groups]
        self.last = last_strokes(sounds, grid)
        self.floor = 1e-10 * self.powers.mean() + 1e-20
        self.bands = _bands(grid.n_bins)
        begins = [b for b in BLOCKS if b < len(self.frames.starts)]
        ends = [*begins[1:], len(self.frames.starts)]
        self.blocks = [slice(*span) for span in zip(begins, ends, strict=True)]

    def learn(self, group: _Group, least: float) -> None:
        """Learn a sound anew while all others are known as far as they are."""
        taught = _spread(len(group.starts), max(2, MOST // len(self.left)))
        Z = np.array([self._spectra(group, i) for i in taught])
        others = np.array([self._others(group, i) for i in taught])
        g = group.gains[taught].astype(np.float32)[:, np.newaxis, np.newaxis]
        group.alike = self._likeness(group, taught, Z, others, g, least)
        w = _weights(group, taught, others, g)
        summed = np.einsum("ifk,icfk->cfk", w / g, Z)
        precision = w.sum(axis=0) + 1 / (group.alike * group.power)
        gains = group.gains.copy()
        if least != UNKNOWN[0]:
            for number, stroke in enumerate(taught):
                rest = np.maximum(precision - w[number], 1e-6 * precision)
                H = (summed - w[number] / g[number] * Z[number]) / rest
                seen = _Seen(Z[number], others[number], H, 1 / rest)
                gains[stroke] = self._measure(group, stroke, seen)
            for stroke in np.setdiff1d(np.arange(len(gains)), taught):
                seen = _Seen(
                    self._spectra(group, stroke),
                    self._others(group, stroke),
                    summed / precision,
                    1 / precision,
                )
                gains[stroke] = self._measure(group, stroke, seen)
            gains *= (gains @ group.first_gains) / (gains @ gains)
        group.sound().add(self.left, 0, self.frames.grid.sr)
        group.waveform, group.gains = self.frames.waveform(summed / precision), gains
        unknown = 1 - group.alike + 1 / (precision * group.power)
        group.unknown = np.clip(unknown, 0, 1).astype(np.float32)
        group.sound().add(self.left, 0, self.frames.grid.sr, sign=-1)

    def _spectra(self, group: _Group, stroke: int) -> Complex64:
        """The spectra of a stroke in what is left of the recording."""
        y = cut(self.left, int(group.starts[stroke]), self.frames.n)
        y += group.sound().stroke(stroke, self.frames.grid.sr)
        return self.frames.spectra(y)

    def _others(self, group: _Group, stroke: int) -> Float32:
        """The power of what else sounds with a stroke and is not known."""
        grid, rows = self.frames.grid, self.frames.rows(int(group.starts[stroke]))
        rows = np.clip(np.arange(rows[0] - 1, rows[-1] + 2), 0, grid.n_frames - 1)
        sounds = [each.sound() for each in self.groups]
        number = next(i for i, each in enumerate(self.groups) if each is group)
        total = np.zeros((len(rows), grid.n_bins), np.float32)
        every = np.zeros_like(total)
        for stem in range(len(self.powers.arrays)):
            own = self.powers.of_stem(stem, rows)
            every += own
            if stem not in self.last:
                total += own
                continue
            last = self.last[stem].of(rows)
            share = share_of(sounds, last, grid)
            if stem == group.stem:
                mine = (last.stroke == stroke) & (last.sound == number)
                share = np.maximum(share, OWN)
                share[mine] = 0
            total += own * share
        total = np.maximum(total, ANY * every)
        out = np.maximum(np.maximum(total[:-2], total[2:]), total[1:-1])
        begins = self.frames.starts
        choked = (begins + grid.n_fft > group.lengths[stroke]) & (begins >= 0)
        if group.lengths[stroke] < self.frames.n:
            out[choked] = 1e20
        return np.asarray(out + np.float32(self.floor), np.float32)

    def _likeness(
        self,
        group: _Group,
        taught: Integers,
        Z: Complex64,
        others: Float32,
        g: Float32,
        least: float,
    ) -> Float32:
        """The share of the power that strokes have in common, by blocks."""
        sure = _weights(group, taught, others, g) * group.power
        scaled = Z / (g * np.sqrt(group.power))[:, np.newaxis]
        summed = np.abs(np.einsum("ifk,icfk->cfk", sure, scaled)) ** 2
        own = np.einsum("ifk,icfk->cfk", sure**2, np.abs(scaled) ** 2)
        total = sure.sum(axis=0)
        pairs = total**2 - (sure**2).sum(axis=0)
        alike = (summed - own).mean(axis=0) / np.maximum(pairs, 1e-6 * total**2 + 1e-20)
        alike = np.clip(alike, -2, 2)
        weight = (total / (1 + total)) ** 2 * (pairs > 1e-3 * total**2) * group.power
        out = np.empty_like(group.power)
        for block in product(self.blocks, self.bands):
            mean = (weight[block] * alike[block]).sum() / (weight[block].sum() + 1e-30)
            out[block] = min(max(float(mean), 1e-3), 1 - least)
        return out

    def _measure(self, group: _Group, stroke: int, seen: _Seen) -> float:
        """Measure how far a stroke differs from a waveform; return its strength."""
        gain = self._gain(group, stroke, seen)
        group.deviations[stroke] = self._deviation(group, gain, seen)
        return gain

    def _deviation(self, group: _Group, gain: float, seen: _Seen) -> Float32:
        """How far a stroke differs from the others, as a share of the power, by bin."""
        k, g = slice(ATTACK), np.float32(gain)
        Z, others, H, variance = seen
        power = g**2 * group.power[k]
        noise = others[k] + g**2 * variance[k]
        error = (np.abs(Z[:, k] - g * H[:, k]) ** 2).mean(axis=0) - noise
        weight = (power / (power + noise)) ** 2
        out = np.zeros(group.power.shape[1], np.float32)
        for bins in self.bands:
            total = float((weight * power)[:, bins].sum()) + 1e-30
            out[bins] = max(0.0, float((weight * error)[:, bins].sum()) / total)
        known = (group.alike[k] * power).sum(axis=0) / (power.sum(axis=0) + 1e-30)
        return np.asarray(np.clip(out - (1 - known), 0, MOST_DEVIATION), np.float32)

    def _gain(self, group: _Group, stroke: int, seen: _Seen) -> float:
        """The strength of a stroke, by the waveform that the others have."""
        g, first = group.gains[stroke], group.first_gains[stroke]
        k = slice(ATTACK)
        Z, others, H, variance = seen
        power = (np.abs(H[:, k]) ** 2).mean(axis=0)
        deviating = np.maximum(DEVIATING, 1 - group.alike[k])
        deviation = deviating * np.maximum(group.power[k], power) + variance[k]
        w = 1 / (others[k] + g**2 * deviation)
        cross = np.real(Z[:, k] * H[:, k].conj()).mean(axis=0)
        told = (w * power * group.alike[k]).sum() / ((w * power).sum() + 1e-20)
        if told < 0.5:
            return float(g)
        prior = 1 / (DEVIATION * first) ** 2
        a = INDEPENDENT * float((w * cross).sum()) + prior * first
        b = INDEPENDENT * float((w * power).sum()) + prior
        return float(np.clip(a / b, 0.02, 5.0))


def _spread(n: int, most: int) -> Integers:
    """At most so many of n numbers, spread evenly."""
    return np.unique(np.linspace(0, n - 1, min(most, n)).round().astype(np.int64))


def _weights(group: _Group, strokes: Integers, others: Float32, g: Float32) -> Float32:
    """How much each stroke's waveform of strength 1 tells: one over its variance."""
    own = group.deviations[strokes][:, np.newaxis]
    deviation = (1 - group.alike + own) * group.power
    return np.asarray(g**2 / (others + g**2 * deviation), np.float32)


def _bands(n_bins: int) -> list[slice]:
    """The bands in which strokes are compared, wider from one to the next."""
    edges = np.geomspace(4, n_bins, N_BANDS).round().astype(int)
    return [slice(*span) for span in pairwise(np.unique([0, *edges]).tolist())]
