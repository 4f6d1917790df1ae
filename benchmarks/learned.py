"""How well do learned templates separate? Fixed, and adapted to the recording.

    python benchmarks/learned.py [--data DIR] [--part tune|test|all] [--quick]

Each mixture is the sum of its stems. The templates of its sounds are learned from
other recordings: from other chorales of the same players (Bach10), from the first half
of a clip for its second half, from scales of a sibling of each instrument, from another
drum kit. Prints the mean SDR over the stems (BSS Eval v3) of fixed templates, of
templates that adapt by degrees, of a blind factorisation with as many components whose
grouping knows the stems, and of ideal masks. The number of templates and the degree are
chosen on the mixtures of ``tune``.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import mido
import numpy as np
from decompose import machine
from numpy.typing import NDArray
from tables import decibels, table

import specnmf
from specnmf import Audio, Templates
from specnmf.evaluation.oracle import ideal_ratio_masks
from specnmf.notation import counted

EXAMPLES = Path(__file__).resolve().parents[1] / "audio_examples"
SHARED = EXAMPLES.parents[1] / "shared" / "data"
SOUNDFONT = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")
SAMPLES = Path("/usr/share/sonic-pi/samples")

DEGREES = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9)
COUNTS = (4, 8, 16, 32)

#: Siblings of the instruments of greensleeves: programs of General MIDI from 0, and the
#: lowest and highest note of the scale.
SIBLINGS = {"recorder": (73, 60, 84), "guitar": (25, 40, 69)}

#: A kit of other samples than those of the drum loop.
KIT = {
    "kick": ("bd_haus", "bd_tek", "bd_klub"),
    "snare": ("sn_dolf", "sn_zome", "elec_snare"),
    "hihat": ("drum_cymbal_pedal", "elec_tick", "elec_ping"),
}

Sounds = dict[str, list[Audio]]


@dataclass(frozen=True, eq=False)
class Mixture:
    """Stems whose sum is separated, and what to learn their templates from."""

    name: str
    stems: dict[str, Audio]
    sounds: Callable[[], Sounds]

    @property
    def audio(self) -> Audio:
        """The sum."""
        total = sum(stem.samples for stem in self.stems.values())
        return Audio(np.asarray(total, np.float32), next(iter(self.stems.values())).sr)


def main() -> None:
    asked = _arguments()
    for part in ("tune", "test") if asked.part == "all" else (asked.part,):
        mixtures = list(_mixtures(part, asked.data))
        mixtures = mixtures[:2] if asked.quick else mixtures
        print(f"\n## {part}\n")
        _print_counts(mixtures)
        _print_degrees(mixtures, asked.k, 1)
        drums = [m for m in mixtures if "kick" in m.stems]
        if drums:
            _print_degrees(drums, 1, 8)
    print(machine(1))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--part", choices=("tune", "test", "all"), default="all")
    parser.add_argument("-k", type=int, default=8, help="templates per sound")
    parser.add_argument("--quick", action="store_true", help="two mixtures of each")
    return parser.parse_args()


def _print_counts(mixtures: list[Mixture]) -> None:
    """Fixed templates, by how many there are for each sound."""
    rows = []
    for mixture in mixtures:
        values = [_known(mixture, _learned(mixture, k, 1), 0.0) for k in COUNTS]
        rows.append([mixture.name, *map(decibels, values)])
        _tell(rows[-1])
    _print([f"k {k}" for k in COUNTS], rows, "Fixed spectra, by templates per sound")


def _print_degrees(mixtures: list[Mixture], k: int, n_frames: int) -> None:
    """Templates by how far they adapt, beside what is blind and what is ideal."""
    rows = []
    for mixture in mixtures:
        templates = _learned(mixture, k, n_frames)
        values = [_known(mixture, templates, adapt) for adapt in DEGREES]
        values += [_blind(mixture, k * len(mixture.stems)), _ideal(mixture)]
        rows.append([mixture.name, *map(decibels, values)])
        _tell(rows[-1])
    head = [*(f"adapt {degree:g}" for degree in DEGREES), "blind, grouped", "ideal"]
    size = f"{counted(k, 'template')} of {counted(n_frames, 'frame')}"
    _print(head, rows, f"{size} per sound, by --adapt")


def _print(head: list[str], rows: list[list[str]], title: str) -> None:
    columns = list(zip(*rows, strict=True))[1:]
    means = [decibels(fmean(map(float, column))) for column in columns]
    print(f"{title}. SDR in dB, mean over stems.\n")
    print(table(["mixture", *head], [*rows, ["mean", *means]]), end="\n\n", flush=True)


def _tell(row: list[str]) -> None:
    print(*row, file=sys.stderr, flush=True)


# --- methods -----------------------------------------------------------------------


def _learned(mixture: Mixture, k: int, n_frames: int) -> Templates:
    """Templates of each sound; those of several recordings are learned from all."""
    sounds = {name: _joined(own) for name, own in mixture.sounds().items()}
    return specnmf.learn(sounds, n_components=k, n_template_frames=n_frames, threads=1)


def _known(mixture: Mixture, templates: Templates, adapt: float) -> float:
    stems = specnmf.decompose(
        mixture.audio, templates=templates, adapt=adapt, threads=1
    )
    return _sdr(mixture, {name: audio.samples for name, audio in stems.items()})


def _blind(mixture: Mixture, n_components: int) -> float:
    """A factorisation; each component goes to the stem that it is most like."""
    V = specnmf.stft(mixture.audio).magnitude()
    found = specnmf.nmf(V, n_components, rng=0, threads=1)
    fits = []
    for stem in mixture.stems.values():
        R = specnmf.stft(stem).magnitude()
        fits.append((found.W * (R @ found.H.T)).sum(axis=0) / np.linalg.norm(R))
    names = [*mixture.stems]
    owners = [names[k] for k in np.argmax(fits, axis=0)]
    grouped = specnmf.Factorization(found.W, found.H, owners)
    stems = specnmf.separate(specnmf.stft(mixture.audio), grouped, threads=1)
    silent = np.zeros_like(mixture.audio.samples)
    return _sdr(
        mixture,
        {n: stems[n].samples if n in stems else silent for n in names},
    )


def _ideal(mixture: Mixture) -> float:
    references = [stem.samples for stem in mixture.stems.values()]
    stems = ideal_ratio_masks(mixture.audio, references)
    return _sdr(mixture, dict(zip(mixture.stems, stems, strict=True)))


def _sdr(mixture: Mixture, stems: dict[str, NDArray[np.floating]]) -> float:
    """The mean SDR of the stems, their channels one after another."""
    references = [own.samples.ravel() for own in mixture.stems.values()]
    estimates = [stems[name].ravel() for name in mixture.stems]
    sdr = specnmf.bss_eval(np.array(references), np.array(estimates))[0]
    return float(np.maximum(sdr, -30).mean())


# --- material ----------------------------------------------------------------------


def _mixtures(part: str, data: Path) -> Iterator[Mixture]:
    """Half of the mixtures, those to tune on or those to report."""
    chorales = (1, 3) if part == "tune" else (2, 4)
    for kind in ("P2", "P3", "P4"):
        for number in chorales if data.is_dir() else ():
            yield _chorale(data / "bach10", kind, number)
    if part == "tune":
        yield _halves("greensleeves")
        if data.is_dir():
            loop = _stems(data / "drums" / "808" / "ref")
            yield Mixture("808 by the loop's kit", loop, lambda: _of("drums"))
        return
    yield _halves("chorale")
    yield Mixture("greensleeves by siblings", _clip("greensleeves"), _siblings)
    yield Mixture("loop by other samples", _clip("drums"), _kit)
    if data.is_dir():
        folder = data / "drums" / "808" / "ref"
        kit = {name: [own] for name, own in _stems(folder).items()}
        yield Mixture("loop by the 808's kit", _clip("drums"), lambda: kit)


def _chorale(folder: Path, kind: str, number: int) -> Mixture:
    """Some parts of a chorale, by the same players in the other three."""
    stems = _stems(folder / f"{kind}_Mix0{number}" / "ref")
    others = [n for n in (1, 2, 3, 4) if n != number]

    def sounds() -> Sounds:
        played = [_stems(folder / f"P4_Mix0{n}" / "ref") for n in others]
        return {name: [each[name] for each in played] for name in stems}

    return Mixture(f"{kind}_Mix0{number}", stems, sounds)


def _halves(name: str) -> Mixture:
    """The second half of a clip, by its first."""
    stems = _clip(name)
    middle = min(stem.n_samples for stem in stems.values()) // 2
    first = {n: [Audio(s.samples[:, :middle], s.sr)] for n, s in stems.items()}
    second = {n: Audio(s.samples[:, middle:], s.sr) for n, s in stems.items()}
    return Mixture(f"{name}, 2nd half by 1st", second, lambda: first)


def _clip(name: str) -> dict[str, Audio]:
    return _stems(EXAMPLES / name / "stems")


def _of(name: str) -> Sounds:
    return {stem: [audio] for stem, audio in _clip(name).items()}


def _stems(folder: Path) -> dict[str, Audio]:
    """The recordings in a folder, as long as the shortest."""
    found = {path.stem: specnmf.read(path) for path in sorted(folder.glob("*.flac"))}
    n = min(audio.n_samples for audio in found.values())
    return {name: Audio(own.samples[:, :n], own.sr) for name, own in found.items()}


def _siblings() -> Sounds:
    """Scales of instruments like those of greensleeves, played by fluidsynth."""
    return {name: [_scale(*sibling)] for name, sibling in SIBLINGS.items()}


def _scale(program: int, low: int, high: int) -> Audio:
    """A chromatic scale, half a second a note."""
    file = mido.MidiFile(ticks_per_beat=480)
    track = mido.MidiTrack()
    file.tracks.append(track)
    track.append(mido.Message("program_change", program=program))
    for pitch in range(low, high + 1):
        track.append(mido.Message("note_on", note=pitch, velocity=90))
        track.append(mido.Message("note_off", note=pitch, time=480))
    with tempfile.TemporaryDirectory() as folder:
        midi, wave = Path(folder, "scale.mid"), Path(folder, "scale.wav")
        file.save(midi)
        quiet = ("-q", "-ni", "-r", "44100", "-F", str(wave))
        subprocess.run(
            ["fluidsynth", *quiet, str(SOUNDFONT), str(midi)],
            check=True,
            capture_output=True,
        )
        return specnmf.read(wave)


def _kit() -> Sounds:
    """Single hits of Sonic Pi's samples that the drum loop does not use."""
    return {
        drum: [specnmf.read(SAMPLES / f"{name}.flac") for name in names]
        for drum, names in KIT.items()
    }


def _joined(sounds: list[Audio]) -> Audio:
    """Recordings one after another, in mono."""
    mono = [own.samples.mean(axis=0) for own in sounds]
    return Audio(np.concatenate(mono)[np.newaxis], sounds[0].sr)


if __name__ == "__main__":
    main()
