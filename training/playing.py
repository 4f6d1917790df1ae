"""The sound of pieces: fluidsynth, our own synthesiser, rooms and recorders."""

from __future__ import annotations

import io
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import mido
import numpy as np
import scipy.signal
import soundfile as sf
from composing import SECONDS, Part, Piece, Played, Rng
from instruments import BY_PROGRAM, SUSTAINED
from numpy.typing import NDArray
from singing import sung, wandering

from specnmf.notation import hertz

Sound = NDArray[np.float32]

#: A message at a millisecond, and its rank among those of the same.
Event = tuple[int, int, mido.Message]

SR = 22_050
TAIL = 2.0  # seconds in which the last notes end and ring
LENGTH = SECONDS + TAIL

#: The soundfonts of Debian's packages fluid-soundfont-gm, musescore-general-soundfont-
#: small and csound-soundfont.
FONTS = tuple(
    Path("/usr/share/sounds") / name
    for name in (
        "sf2/FluidR3_GM.sf2",
        "sf3/MuseScore_General_Lite.sf3",
        "sf2/sf_GMbank.sf2",
    )
)

DRUMS = 9  # the channel
N_PARTIALS = 40


def rendered(
    pieces: list[Piece], font: Path, rng: Rng, *, live: bool = False
) -> list[Sound]:
    """What fluidsynth plays, each (n_samples, 2); live parts swell and slide."""
    room = rng.random() < 0.5
    settings = {
        "synth.chorus.active": int(rng.random() < 0.2),
        "synth.reverb.active": int(room),
        "synth.reverb.room-size": round(rng.uniform(0.2, 0.9), 2),
        "synth.reverb.level": round(rng.uniform(0.1, 0.8), 2),
        "synth.polyphony": 512,
    }
    options = [
        word for key, value in settings.items() for word in ("-o", f"{key}={value}")
    ]
    with tempfile.TemporaryDirectory() as folder:
        midi, wav = Path(folder) / "a.mid", Path(folder) / "a.wav"
        _file(pieces, rng if live else None).save(midi)
        subprocess.run(
            [
                *("fluidsynth", "-niq", "-r", str(SR), "-g", "0.3", *options),
                *("-O", "float", "-T", "wav", "-F", str(wav), str(font), str(midi)),
            ],
            check=True,
            capture_output=True,
        )
        heard, _ = sf.read(wav, dtype="float32", always_2d=True)
    n = round(LENGTH * SR)
    heard = np.pad(heard, ((0, max(0, n * len(pieces) - len(heard))), (0, 0)))
    return [heard[k * n : (k + 1) * n] for k in range(len(pieces))]


def _file(pieces: list[Piece], living: Rng | None) -> mido.MidiFile:
    """Pieces one after the other; a tick is a millisecond."""
    events: list[Event] = []
    for number, piece in enumerate(pieces):
        since = round(1000 * LENGTH * number)
        for k, part in enumerate(piece.parts):
            if part.sung:
                continue
            channel = k if k < DRUMS else k + 1
            events += [(since, 0, each) for each in _prepared(part, piece, channel)]
            events += _switches(part.notes, channel, since)
            if living and part.program in SUSTAINED:
                events += _expression(part, piece, channel, since, living)
        events += _switches(piece.drums, DRUMS, since)
    track, now = mido.MidiTrack(), 0
    for at, _, message in sorted(events, key=lambda event: event[:2]):
        track.append(message.copy(time=at - now))
        now = at
    end = round(1000 * LENGTH * len(pieces))
    track.append(mido.MetaMessage("end_of_track", time=max(0, end - now)))
    return mido.MidiFile(type=0, ticks_per_beat=500, tracks=[track])


def _prepared(part: Part, piece: Piece, channel: int) -> Iterator[mido.Message]:
    """Yield what sets a channel up: silence, volume, side, vibrato, sound, tuning."""
    controls = {120: 0, 121: 0, 7: part.volume, 10: part.pan, 1: part.vibrato}
    for control, value in controls.items():
        yield mido.Message(
            "control_change", channel=channel, control=control, value=value
        )
    yield mido.Message("program_change", channel=channel, program=part.program)
    bend = _wheel(piece.tuning + part.cents)
    yield mido.Message("pitchwheel", channel=channel, pitch=bend)


def _wheel(cents: float) -> int:
    return round(float(np.clip(cents / 200, -1, 1)) * 8191)


def _expression(
    part: Part, piece: Piece, channel: int, since: int, rng: Rng
) -> Iterator[Event]:
    """Yield levels that swell and fall, and notes that begin flat or sharp."""
    times = np.arange(0, LENGTH, 0.05)
    curve = wandering(3 * times, rng)
    levels = np.clip(95 * np.exp(rng.uniform(0, 0.5) * curve), 20, 127)
    for at, level in zip(times, levels, strict=True):
        value = {"control": 11, "value": round(float(level))}
        change = mido.Message("control_change", channel=channel, **value)
        yield since + round(1000 * at), 1, change
    off, sliding = rng.uniform(0, 80), rng.uniform(0.05, 0.2)
    for note in part.notes:
        cents = rng.normal(-0.5, 0.7) * off
        for share in np.linspace(1, 0, 9):
            bend = _wheel(piece.tuning + part.cents + cents * share)
            at = note.start + (1 - share) * sliding
            turned = mido.Message("pitchwheel", channel=channel, pitch=bend)
            yield since + round(1000 * at), 1, turned


def _switches(notes: list[Played], channel: int, since: int) -> Iterator[Event]:
    for note in notes:
        until = min(note.start + note.duration, LENGTH)
        on, off = (since + round(1000 * t) for t in (note.start, until))
        own = {"channel": channel, "note": note.pitch}
        yield off, 2, mido.Message("note_off", **own)
        yield on, 3, mido.Message("note_on", velocity=note.velocity, **own)


def synthesised(piece: Piece, rng: Rng, *, live: bool = False) -> Sound:
    """What a synthesiser with random timbres plays, (n_samples, 2).

    Notes that are live swell and drift as those of bows and breath do.
    """
    out = np.zeros((round(LENGTH * SR), 2), np.float32)
    for part in piece.parts:
        if part.sung:
            continue
        timbre = _timbre(part, rng)
        if live and not timbre.decay:
            timbre = timbre._replace(
                swell=rng.uniform(0, 0.5), drift=rng.uniform(0, 12)
            )
        y = _played(part, piece.tuning, timbre, rng)
        out += _panned(y, part)
    return out


def with_singers(y: Sound, piece: Piece, rng: Rng) -> Sound:
    """The sound of a piece, (n_samples, 2), and of those who sing in it."""
    power, out = float(np.mean(y**2)) or 1e-3, y.copy()
    for part in piece.parts:
        if part.sung:
            voice = _panned(sung(part, piece.tuning, LENGTH, SR, rng), part)
            louder = 10 ** (rng.uniform(-8, 8) / 10)
            out += voice * np.sqrt(louder * power / max(np.mean(voice**2), 1e-12))
    return out


def _panned(y: Sound, part: Part) -> Sound:
    """Both channels, (n_samples, 2), of a part that is mono."""
    angle = part.pan / 127 * np.pi / 2
    gain = (part.volume / 127) ** 2 * np.array([np.cos(angle), np.sin(angle)])
    return y[:, np.newaxis] * gain.astype(np.float32)


class Timbre(NamedTuple):
    """How notes of a part sound.

    Attributes
    ----------
    slope, odd : float
        How fast partials fall, and the strength of the even ones.
    partials : array, shape (N_PARTIALS,)
        Deviations from that.
    formants : array, shape (2,)
        Frequencies in Hz around which partials are stronger.
    stiff : float
        The inharmonicity.
    attack, release : float
        Seconds.
    decay : float
        Seconds in which the middle C fades by a factor e; 0: notes are held.
    breath : float
        The noise in it.
    rate : float
        Of the vibrato, in Hz.
    swell, drift : float
        The deviation of levels, as a logarithm, and of pitch, in cents.
    """

    slope: float
    odd: float
    partials: NDArray[np.float64]
    formants: NDArray[np.float64]
    stiff: float
    attack: float
    release: float
    decay: float
    breath: float
    rate: float
    swell: float = 0.0
    drift: float = 0.0


def _timbre(part: Part, rng: Rng) -> Timbre:
    fading = BY_PROGRAM[part.program].longest < 3 and rng.random() < 0.6
    longest = 0.015 if fading else 0.12
    return Timbre(
        slope=rng.uniform(0.3, 2.2),
        odd=rng.uniform(0.05, 1) if rng.random() < 0.3 else 1.0,
        partials=np.exp(rng.normal(size=N_PARTIALS) * rng.uniform(0.1, 0.9)),
        formants=np.exp(rng.uniform(np.log(300), np.log(4000), 2)),
        stiff=10 ** rng.uniform(-5, -3.3) if fading else 0.0,
        attack=np.exp(rng.uniform(np.log(0.002), np.log(longest))),
        decay=rng.uniform(0.15, 1.2) * fading,
        breath=rng.uniform(0, 0.05) * (rng.random() < 0.4),
        release=rng.uniform(0.02, 0.15),
        rate=rng.uniform(4, 7),
    )


def _played(part: Part, tuning: float, timbre: Timbre, rng: Rng) -> Sound:
    """One part, mono."""
    out = np.zeros(round(LENGTH * SR), np.float32)
    for note in part.notes:
        first = round(note.start * SR)
        n = round((note.duration + 4 * timbre.release) * SR)
        seconds = np.arange(min(n, len(out) - first)) / SR
        t = seconds.astype(np.float32)
        f0 = hertz(note.pitch, cents=tuning + part.cents)
        shaking = np.sin(2 * np.pi * timbre.rate * t) * np.minimum(1, 3 * t)
        bend = part.vibrato / 127 * 0.03 * shaking
        if timbre.drift:
            drift = wandering(rng.uniform(2, 9) * seconds, rng)
            bend = bend + timbre.drift / 1731 * drift
        phase = 2 * np.pi * np.cumsum(f0 * (1 + bend)) / SR
        y = _partials(timbre, note.pitch, f0, phase, rng)
        y += timbre.breath * rng.normal(size=len(t)).astype(np.float32)
        over = np.maximum(0, t - note.duration) / timbre.release
        shape = np.minimum(1, t / timbre.attack) * np.exp(-over)
        if timbre.swell:
            swell = wandering(rng.uniform(2, 9) * seconds, rng)
            shape = shape * np.exp(timbre.swell * swell)
        out[first : first + n] += (note.velocity / 127) ** 1.5 * shape * y
    return out


def _partials(
    timbre: Timbre, pitch: int, f0: float, phase: NDArray[np.float64], rng: Rng
) -> Sound:
    """The partials of a note, of a power of a half at its start."""
    k, t = np.arange(1, N_PARTIALS + 1), np.arange(len(phase)) / SR
    stretch = np.sqrt(1 + timbre.stiff * k**2)
    k = k[f0 * k * stretch < 0.45 * SR]
    amplitudes = timbre.partials[k - 1] * k**-timbre.slope
    amplitudes *= np.where(k % 2, 1, timbre.odd)
    for place in timbre.formants:
        octaves = np.log(f0 * k * stretch[k - 1] / place) / 0.3
        amplitudes *= 1 + 3 * np.exp(-0.5 * octaves**2)
    amplitudes /= np.linalg.norm(amplitudes)
    y = np.zeros(len(phase), np.float32)
    for number, amplitude in zip(k, amplitudes, strict=True):
        wave = amplitude * np.sin(
            number * stretch[number - 1] * phase + rng.uniform(0, 6.28)
        )
        if timbre.decay:
            lasting = timbre.decay * 60 / pitch / (1 + 0.1 * number)
            wave *= np.exp(-t / lasting)
        y += wave.astype(np.float32)
    return y


def recorded(y: Sound, rng: Rng) -> Sound:
    """The sound of a piece in some room, by some recorder, mono, (n_samples,)."""
    y = y.mean(axis=1) if rng.random() < 0.8 else y[:, rng.integers(2)]
    if rng.random() < 0.35:
        y = _in_room(y, rng)
    if rng.random() < 0.4:
        y = _equalised(y, rng)
    peak = max(float(np.abs(y).max()), 1e-9)
    if rng.random() < 0.1:
        y = np.tanh(rng.uniform(1, 4) * y / peak)
        peak = float(np.abs(y).max())
    y = 0.5 * y / peak
    if rng.random() < 0.4:
        y = y + 10 ** (-rng.uniform(30, 75) / 20) * _noise(len(y), rng)
    if rng.random() < 0.2:
        y = coded(y, rng.uniform(0.2, 0.95))
    return np.asarray(y, np.float32)


def _in_room(y: Sound, rng: Rng) -> Sound:
    n = round(rng.uniform(0.2, 1.5) * SR)
    fade = np.exp(-6.9 * np.arange(n) / n)
    echo = rng.normal(size=n) * fade
    echo[: round(rng.uniform(0.001, 0.02) * SR)] = 0
    echo *= 10 ** (rng.uniform(-25, -3) / 20) / np.linalg.norm(echo)
    echo[0] = 1
    return np.asarray(scipy.signal.fftconvolve(y, echo)[: len(y)], np.float32)


def _equalised(y: Sound, rng: Rng) -> Sound:
    """Gains that change slowly with the logarithm of frequency."""
    knots = np.geomspace(30, SR / 2, 9)
    gains = rng.normal(size=9) * rng.uniform(1, 6)
    freqs = np.linspace(0, SR / 2, 513)
    curve = 10 ** (np.interp(np.log(freqs + 1), np.log(knots), gains) / 20)
    taps = scipy.signal.firwin2(513, freqs / (SR / 2), curve)
    return np.asarray(scipy.signal.oaconvolve(y, taps, mode="same"), np.float32)


def _noise(n: int, rng: Rng) -> NDArray[np.float64]:
    """White to brown noise of a power of 1."""
    spectrum = np.fft.rfft(rng.normal(size=n))
    spectrum /= np.maximum(np.arange(len(spectrum)) / 20, 1) ** rng.uniform(0, 1)
    noise = np.fft.irfft(spectrum, n)
    return noise / noise.std()


def coded(y: Sound, level: float) -> Sound:
    """The sound after an MP3; a level of 0 is the best quality, 1 the worst."""
    file = io.BytesIO()
    sf.write(file, y, SR, format="MP3", compression_level=level)
    file.seek(0)
    heard, _ = sf.read(file, dtype="float32")
    out = np.zeros(len(y), np.float32)
    out[: len(heard)] = heard[: len(y)]
    return out
