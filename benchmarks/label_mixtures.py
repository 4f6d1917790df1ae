"""Mixtures of recordings that rest by turns, and what a person might mark in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_closing, uniform_filter1d
from scipy.signal import resample_poly

import specnmf

SR = 22050

#: Seconds: of a mixture, of a fade, of a stretch that is annotated, and of a rest so
#: short that nobody would mark it.
SECONDS, FADE, STRETCH, BREATH = 36.0, 0.03, 1.0, 0.3

#: The share of frames that is annotated.
ANNOTATED = 0.4

#: Below a source's loud frames by so many dB it is not heard.
HEARD_DB = -35.0

Signal = NDArray[np.float32]
Spans = list[tuple[float, float]]


@dataclass(frozen=True, eq=False)
class Mixture:
    """Sources that add up; some are labelled, the others together are the rest.

    Attributes
    ----------
    name : str
        What is heard.
    references : dict of str to array, shape (n_samples,)
        The labelled sources in order, then the rest if there is any.
    labels : tuple of str
        Which are labelled.
    seed : int
        Of the stretches that are annotated.
    in_turn : bool
        Whether that is the beginning instead, where each is heard alone in turn.
    """

    name: str
    references: dict[str, Signal]
    labels: tuple[str, ...]
    seed: int = 0
    in_turn: bool = False
    sr: int = SR

    @property
    def samples(self) -> Signal:
        """The mixture."""
        return np.sum([*self.references.values()], axis=0, dtype=np.float32)

    def heard(self, hop: int) -> NDArray[np.bool_]:
        """Where each label is heard, shape (n_labels, n_frames)."""
        return np.stack([sounding(self.references[name], hop) for name in self.labels])

    def annotated(self, hop: int) -> NDArray[np.bool_]:
        """Which frames are annotated: of each label the best stretch, then any."""
        heard = self.heard(hop)
        n_frames, length = heard.shape[1], round(STRETCH * SR / hop)
        if self.in_turn:
            return np.arange(n_frames) < int(ANNOTATED * n_frames)
        stretches = np.arange(0, n_frames, length)
        np.random.default_rng(self.seed).shuffle(stretches)
        alone = heard & (heard.sum(axis=0) == 1)
        sums = np.stack(
            [alone[:, first : first + length].sum(axis=1) for first in stretches]
        )
        first = dict.fromkeys([*sums.argmax(axis=0), *range(len(stretches))])
        marked = np.zeros(n_frames, bool)
        for stretch in first:
            room = int(ANNOTATED * n_frames) - np.count_nonzero(marked)
            start = stretches[stretch]
            marked[start : start + min(length, room)] = True
        return marked


def mixtures(data: Path, *, quick: bool, shift: int = 0) -> Iterator[Mixture]:
    """Yield the mixtures; three of them if it is to be quick.

    Those whose rests ``shift`` moves are new to whoever looked at the others.
    """
    if not (data / "bach10").is_dir():
        raise SystemExit(f"no bach10 in {data}: name its folder with --data")
    resting = partial(gated, shift=shift)
    winds = {
        name: looped(chorales(data, f"S{i + 1}"), 4.1 * i)
        for i, name in enumerate(("violin", "clarinet", "saxophone", "bassoon"))
    }
    yield resting("violin, bassoon", pick(winds, "violin", "bassoon"), seed=2)
    lied = looped(read(next(data.glob("schubert*/*.wav"))), 3.0)
    loop = {y.stem: read(y) for y in sorted((data / "drums/808/ref").glob("*.flac"))}
    drums = looped(np.sum([*loop.values()], axis=0), 0.0)
    yield resting("Lied, drums", {"Lied": lied, "drums": drums}, seed=5)
    yield resting("quartet", winds, seed=1, alone=2.5)
    if quick:
        return
    yield resting("quartet, other rests", winds, seed=21, alone=2.5)
    yield resting("clarinet, saxophone", pick(winds, "clarinet", "saxophone"), seed=3)
    yield resting("violin, clarinet", pick(winds, "violin", "clarinet"), seed=22)
    chopin = data / "chopin_op10_3"
    piano = looped(read(next(chopin.glob("*Varsi.wav"))), 0.0)
    other = looped(read(next(chopin.glob("*Igoshina.wav"))), 9.0)
    yield resting("piano, violin", {"piano": piano, **pick(winds, "violin")}, seed=4)
    yield resting("piano, Lied", {"piano": piano, "Lied": lied}, seed=6)
    yield resting("two pianists", {"one": piano, "other": other}, seed=8)
    hits = {name: looped(y, 0.0) for name, y in loop.items()}
    yield resting("drums", hits, seed=9, alone=2.0, balanced=False)
    two = ("violin", "bassoon")
    yield resting("quartet, two unlabelled", winds, two, seed=11, alone=2.5)
    band = {**pick(winds, "violin"), "piano": piano, "drums": drums}
    yield resting("violin, unlabelled piano and drums", band, ("violin",), seed=12)
    yield never_alone(pick(winds, "violin", "saxophone", "bassoon"))
    yield in_turn("violin, bassoon", pick(winds, "violin", "bassoon"), shift)
    yield in_turn("clarinet, saxophone", pick(winds, "clarinet", "saxophone"), shift)
    yield in_turn("violin, clarinet", pick(winds, "violin", "clarinet"), shift)
    yield in_turn("piano, violin", {"piano": piano, **pick(winds, "violin")}, shift)
    yield in_turn("piano, Lied", {"piano": piano, "Lied": lied}, shift)
    yield in_turn("Lied, drums", {"Lied": lied, "drums": drums}, shift)
    yield in_turn("quartet", winds, shift)


def gated(
    name: str,
    sources: dict[str, Signal],
    labels: Sequence[str] = (),
    *,
    seed: int,
    shift: int = 0,
    alone: float = 3.0,
    balanced: bool = True,
) -> Mixture:
    """Sources that come and go at random, and are alone once."""
    rng = np.random.default_rng(seed + shift)
    centres = (0.5 + np.arange(len(sources))) * SECONDS / len(sources)
    rng.shuffle(centres)
    spans = [(centre - alone / 2, centre + alone / 2) for centre in centres]
    gates = []
    for i in range(len(sources)):
        gate = gate_of(on_and_off(rng))
        for j, span in enumerate(spans):
            own = gate_of([span])
            gate = np.maximum(gate, own) if i == j else np.minimum(gate, 1 - own)
        gates.append(gate)
    levels = [level(y) if balanced else 1.0 for y in sources.values()]
    return mixed(name, sources, np.array(gates), np.array(levels), labels)


def in_turn(name: str, sources: dict[str, Signal], seed: int) -> Mixture:
    """Each source alone, in some order, then all together."""
    order = np.random.default_rng(seed).permutation(len(sources))
    begin = ANNOTATED * SECONDS
    share = begin / len(sources)
    gates = [
        gate_of([(turn * share, (turn + 1) * share), (begin, SECONDS)])
        for turn in np.argsort(order)
    ]
    levels = [level(y) for y in sources.values()]
    found = mixed(f"{name}, in turn", sources, np.array(gates), np.array(levels), ())
    return replace(found, in_turn=True)


def never_alone(sources: dict[str, Signal]) -> Mixture:
    """Three sources, of which two or three are heard at any time."""
    starts = np.arange(0, SECONDS, 1.7)
    together = [(0, 1), (1, 2), (0, 2), (0, 1, 2)]
    gates = [
        gate_of(
            [
                (start, start + 1.7)
                for turn, start in enumerate(starts)
                if i in together[turn % len(together)]
            ]
        )
        for i in range(len(sources))
    ]
    levels = [level(y) for y in sources.values()]
    return mixed("trio, never alone", sources, np.array(gates), np.array(levels))


def mixed(
    name: str,
    sources: dict[str, Signal],
    gates: NDArray[np.float64],
    levels: NDArray[np.float64],
    labels: Sequence[str] = (),
) -> Mixture:
    """The sources as they come and go; those without label are one rest."""
    labels = tuple(labels) or tuple(sources)
    parts = {
        source: (y * gate * loud).astype(np.float32)
        for (source, y), gate, loud in zip(sources.items(), gates, levels, strict=True)
    }
    references = {label: parts.pop(label) for label in labels}
    if parts:
        references["rest"] = np.sum([*parts.values()], axis=0, dtype=np.float32)
    return Mixture(name, references, labels)


def sounding(y: Signal, hop: int) -> NDArray[np.bool_]:
    """The frames in which a source is heard, short rests filled."""
    power = uniform_filter1d(y.astype(np.float64) ** 2, 1024, mode="constant")
    frames = np.minimum(np.arange(1 + len(y) // hop) * hop, len(y) - 1)
    rms = np.sqrt(np.maximum(power[frames], 0))
    loud = np.percentile(rms[rms > 1e-6], 90)
    gap = round(BREATH * SR / hop)
    heard = np.pad(rms > loud * 10 ** (HEARD_DB / 20), gap, mode="edge")
    return binary_closing(heard, np.ones(gap))[gap:-gap]


def on_and_off(rng: np.random.Generator) -> Spans:
    """Stretches of 1.2 to 3.5 seconds; after most, on becomes off."""
    now, on, spans = 0.0, bool(rng.random() < 0.55), []
    while now < SECONDS:
        length = rng.uniform(1.2, 3.5)
        if on:
            spans.append((now, now + length))
        now += length
        on = on != (rng.random() < 0.9)
    return spans


def gate_of(spans: Spans) -> NDArray[np.float64]:
    """One within the spans and zero outside, faded."""
    gate = np.zeros(round(SECONDS * SR))
    for start, end in spans:
        gate[max(0, int(start * SR)) : int(end * SR)] = 1
    fade = np.hanning(int(FADE * SR))
    return np.convolve(gate, fade / fade.sum(), "same")


def chorales(data: Path, stem: str) -> Signal:
    """One instrument's part of three chorales in a row."""
    return np.concatenate(
        [read(data / f"bach10/P4_Mix0{k}/ref/{stem}.flac") for k in (1, 2, 3)]
    )


def read(path: Path) -> Signal:
    """A recording in mono at SR."""
    audio = specnmf.read(path)
    y = audio.samples.mean(axis=0)
    return resample_poly(y, 1, audio.sr // SR).astype(np.float32)


def looped(y: Signal, offset: float) -> Signal:
    """A recording from some second on, again and again."""
    return np.resize(np.roll(y, -int(offset * SR)), round(SECONDS * SR))


def level(y: Signal) -> float:
    """What brings a source to the level of the others."""
    return float(0.1 / np.sqrt(np.mean(np.square(y, dtype=np.float64))))


def pick(sources: dict[str, Signal], *names: str) -> dict[str, Signal]:
    """Some of the sources."""
    return {name: sources[name] for name in names}
