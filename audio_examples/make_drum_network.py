"""Train the network by which `specnmf drums` hears strokes.

    python make_drum_network.py [FILE]

By default it writes specnmf/methods/drums/network.npz. The loops are random: strokes
of the samples that make_kits.py takes, all free, changed in pitch, decay, colour and
level, played in random patterns, two thirds of them beside music that fluidsynth plays.
It takes about ten minutes.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import make_kits
import numpy as np
import scipy.signal
import soundfile as sf
from mido import Message, MidiFile, MidiTrack
from sklearn.neural_network import MLPClassifier

from specnmf.audio.recording import Audio
from specnmf.methods.drums.network import DRUMS
from specnmf.methods.drums.patches import (
    band_levels,
    compressed,
    hearing_grid,
    patches,
)

SR = 44100
SECONDS = 5.0
N_LOOPS = 1600
HIDDEN = (64, 32)
SPREAD = 0.007  # seconds around a stroke in which frames are labelled with it

#: Level in dB, and its spread; the chance that a loop has the drum.
LEVELS = {
    "kick": (0, 3, 0.92), "snare": (-2, 3, 0.85), "hihat": (-12, 5, 0.85),
    "toms": (-3, 3, 0.35), "ride": (-13, 4, 0.25), "crash": (-7, 4, 0.25),
    "clap": (-5, 4, 0.25),
}  # fmt: skip

#: Chances of a stroke on beats, eighths and sixteenths.
CHANCES = {
    "kick": (0.6, 0.25, 0.1), "snare": (0.4, 0.12, 0.12), "hihat": (0.8, 0.75, 0.3),
    "toms": (0.12, 0.12, 0.12), "ride": (0.9, 0.6, 0.2), "crash": (0.08, 0.01, 0.0),
    "clap": (0.35, 0.08, 0.05),
}  # fmt: skip


def strokes() -> dict[str, list[np.ndarray]]:
    """All samples by drum, mono at 44.1 kHz, of equal loudness."""
    found: dict[str, list[np.ndarray]] = {}
    for drum, _, y, sr in (
        *make_kits.samples(),
        *make_kits.audiophob(),
        *make_kits.soundfont(),
    ):
        y = y if y.ndim == 1 else y.mean(axis=1)
        if np.abs(y).max() < 1e-4:
            continue
        if sr != SR:
            y = scipy.signal.resample_poly(y, SR, sr)
        y = y[max(0, int(np.argmax(np.abs(y) > 0.03 * np.abs(y).max())) - 16) :]
        power = np.convolve(y**2, np.ones(2205) / 2205)
        found.setdefault(drum, []).append(0.1 * y[: 2 * SR] / np.sqrt(power.max()))
    return found


def coloured(y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A sample at another pitch, of another decay and colour."""
    up = int(rng.integers(82, 124))
    y = scipy.signal.resample_poly(y, 100, up)
    if rng.random() < 0.5:
        y = y * np.exp(-np.arange(len(y)) / SR / rng.uniform(0.08, 1.0))
    b, a = scipy.signal.butter(1, rng.uniform(200, 6000) / (SR / 2))
    low = scipy.signal.lfilter(b, a, y)
    y = y + rng.uniform(-0.5, 1.0) * low
    if rng.random() < 0.3:
        y = np.tanh(rng.uniform(2, 8) * y / np.abs(y).max())
    if rng.random() < 0.3:  # a room
        room = rng.normal(size=SR // 3) * np.exp(
            -np.arange(SR // 3) / SR / rng.uniform(0.03, 0.1)
        )
        wet = scipy.signal.fftconvolve(y, room)[: len(y) + SR // 4]
        dry = np.pad(y, (0, len(wet) - len(y)))
        y = dry + rng.uniform(0.05, 0.4) * wet * np.abs(y).max() / np.abs(wet).max()
    power = np.convolve(y**2, np.ones(2205) / 2205)
    return 0.1 * y / np.sqrt(power.max())


def loop(sounds: dict, rng: np.random.Generator) -> tuple[np.ndarray, dict[str, list]]:
    """A random loop and the times of its strokes."""
    bpm, swing = rng.uniform(65, 180), rng.choice([0, 0, 0.1]) * rng.random()
    step = 60 / bpm / rng.choice([4, 4, 4, 3])
    y = np.zeros(round(SR * SECONDS) + 3 * SR)
    times: dict[str, list] = {drum: [] for drum in DRUMS}
    n_steps = int(SECONDS / step)
    bar = int(rng.choice([8, 16, 16, 32]))
    for drum, (level, spread, chance) in LEVELS.items():
        if rng.random() > chance:
            continue
        level = level + spread * rng.normal()
        own = [
            coloured(sounds[drum][rng.integers(len(sounds[drum]))], rng)
            for _ in range(4 if drum == "toms" else 2)
        ]
        if drum != "toms" and rng.random() < 0.7:
            own = own[:1]
        if drum == "hihat" and rng.random() < 0.4:
            own.append(
                coloured(sounds["openhat"][rng.integers(len(sounds["openhat"]))], rng)
            )
        dense = rng.uniform(0.5, 1.3)
        chances = [
            CHANCES[drum][0 if i % 4 == 0 else 1 if i % 2 == 0 else 2]
            for i in range(bar)
        ]
        if drum in ("hihat", "ride") and rng.random() < 0.5:
            chances = [c * (i % 2 == 0) for i, c in enumerate(chances)]
        pattern = rng.random(bar) < dense * np.array(chances)
        for i in range(n_steps):
            if not (pattern[i % bar] ^ (rng.random() < 0.04)):
                continue
            at = 0.05 + step * (i + (swing if i % 2 else 0)) + 0.004 * rng.normal()
            if at < 0 or at > SECONDS - 0.1:
                continue
            soft = -abs(rng.normal() * rng.choice([2, 8]))
            hit = own[rng.integers(len(own))]
            if soft < -6:  # soft strokes are duller
                b, a = scipy.signal.butter(1, 0.35)
                hit = scipy.signal.lfilter(b, a, hit)
            hit = hit * 10 ** ((level + soft) / 20)
            first = round(SR * at)
            part = y[first : first + len(hit)]
            part += hit[: len(part)]
            times[drum].append(at)
    return y[: round(SR * SECONDS)], times


def music(seed: int) -> np.ndarray:
    """Sixty seconds of chords, a bass and a tune in random instruments."""
    rng = np.random.default_rng(seed)
    families = (
        list(range(0, 8)),
        list(range(32, 40)),
        list(range(24, 32)),
        list(range(48, 104)),
    )
    tracks = []
    beat, root = rng.uniform(0.35, 0.8), int(rng.integers(-5, 6))
    scale = np.array([0, 2, 3, 5, 7, 8, 10, 12])
    for channel, family in enumerate(families):
        track = MidiTrack(
            [
                Message(
                    "program_change", channel=channel, program=int(rng.choice(family))
                )
            ]
        )
        events, now = [], 0.0
        base = 36 if channel == 1 else 48 + 12 * (channel == 3)
        while now < 60:
            length = beat * float(rng.choice([0.25, 0.5, 0.5, 1, 1, 2, 4]))
            if rng.random() < 0.8:
                size = 1 if channel in (1, 3) else int(rng.integers(2, 5))
                for pitch in rng.choice(scale, size, replace=False):
                    note = int(base + root + pitch)
                    events += [
                        (now, "note_on", note, int(rng.integers(50, 110))),
                        (now + length * rng.uniform(0.4, 1), "note_off", note, 0),
                    ]
            now += length
        tick = 0
        for at, kind, note, velocity in sorted(events):
            track.append(
                Message(
                    kind,
                    channel=channel,
                    note=note,
                    velocity=velocity,
                    time=round(960 * at) - tick,
                )
            )
            tick = round(960 * at)
        if rng.random() < 0.75 or not tracks:
            tracks.append(track)
    with tempfile.TemporaryDirectory() as folder:
        score, sound = Path(folder, "m.mid"), Path(folder, "m.wav")
        MidiFile(ticks_per_beat=480, tracks=tracks).save(score)
        dry = ["-n", "-i", "-q", "-R", "0", "-C", "0", "-r", str(SR), "-O", "float"]
        subprocess.run(
            ["fluidsynth", *dry, "-F", sound, make_kits.SOUNDFONT, score],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        return sf.read(sound)[0].mean(axis=1)


def examples(y: np.ndarray, times: dict[str, list], rng: np.random.Generator):
    """Inputs and labels: all frames near strokes, and a fifth of the others."""
    audio = Audio(y[np.newaxis].astype(np.float32), SR)
    grid = hearing_grid(audio)
    levels = compressed(band_levels(audio, grid, threads=1))
    at = np.arange(len(levels)) * grid.hop_length / SR
    labels = np.zeros((len(levels), len(DRUMS)), bool)
    near = np.zeros(len(levels), bool)
    for i, drum in enumerate(DRUMS):
        for time in times[drum]:
            labels[:, i] |= np.abs(at - time) <= SPREAD
            near |= np.abs(at - time) < 0.05
    frames = np.flatnonzero(
        near & (rng.random(len(near)) < 0.6)
        | labels.any(1)
        | (rng.random(len(near)) < 0.15)
    )
    return patches(levels, frames).astype(np.float16), labels[frames]


def main() -> None:
    """Train the network."""
    here = Path(make_kits.__file__).parents[1] / "specnmf" / "methods" / "drums"
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else here / "network.npz"
    rng, sounds = np.random.default_rng(0), strokes()
    songs = [music(seed) for seed in range(30)]
    found = []
    for number in range(N_LOOPS):
        y, times = loop(sounds, rng)
        if number % 3:
            song = songs[rng.integers(len(songs))]
            first = rng.integers(len(song) - len(y))
            own = song[first : first + len(y)]
            ratio = np.sqrt(np.mean(y**2) / max(np.mean(own**2), 1e-12))
            y = y + own * ratio * 10 ** (rng.uniform(-12, 4) / 20)
        y = y + 1e-5 * rng.normal(size=len(y))
        found.append(examples(y, times, rng))
    X = np.concatenate([x for x, _ in found])
    Y = np.concatenate([y for _, y in found])
    print(X.shape, Y.mean(axis=0), flush=True)
    mean, scale = (
        X.mean(axis=0, dtype=np.float64),
        X.std(axis=0, dtype=np.float64) + 1e-3,
    )
    X = ((X - mean) / scale).astype(np.float32)
    fit = MLPClassifier(
        HIDDEN,
        batch_size=512,
        learning_rate_init=1e-3,
        alpha=1e-4,
        max_iter=int(sys.argv[2]) if len(sys.argv) > 2 else 14,
        random_state=0,
        verbose=True,
        tol=0,
    )
    fit.fit(X, Y)
    layers = {}
    for i, (W, b) in enumerate(zip(fit.coefs_, fit.intercepts_, strict=True)):
        if i == 0:
            W = W / scale[:, np.newaxis]
            b = b - mean @ W
        layers |= {f"W{i}": W.astype(np.float16), f"b{i}": b.astype(np.float32)}
    np.savez_compressed(target, **layers)
    print(target.stat().st_size // 1000, "kB")


if __name__ == "__main__":
    main()
