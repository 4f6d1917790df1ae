"""Make a chorus of two insects, in rain and wind, of which all stems are known.

    python insects.py [FOLDER]

writes FOLDER/chorus.wav, and each sound alone into FOLDER/chorus_stems/. Each insect
calls at a period of its own, not quite evenly and not always as loud. A call is a few
pulses of noise in a band; the bands overlap. Only numpy makes the sound.
"""

import sys
from pathlib import Path

import numpy as np

SR = 22050
LOW = 4000  # Hz, where the band of the first insect begins
JITTER = 0.02  # standard deviation of a period, as a share of it
RAIN = -6.0  # dB above the mean of the insects
WIND = 6.0
GUSTS = 1.5  # seconds from one level of the wind to the next


def band(rng, n, low, high, slope=0.0):
    """Gaussian noise of rms 1 in a band, whose amplitude is f ** slope."""
    f = np.fft.rfftfreq(n, 1 / SR)
    edge = 0.1 * (high - low)
    gain = np.clip((f - low) / edge, 0, 1) * np.clip((high - f) / edge, 0, 1)
    gain *= np.maximum(f, 20) ** slope
    y = np.fft.irfft(np.fft.rfft(rng.standard_normal(n)) * gain, n)
    return y / y.std()


def calls(rng, n, period, n_pulses, spacing):
    """The envelope of an insect: calls of pulses, with ``spacing`` seconds between."""
    t = np.arange(int(n_pulses * spacing * SR)) / SR
    call = np.sin(np.pi * np.clip(t % spacing / (0.7 * spacing), 0, 1)) ** 2
    envelope, start = np.zeros(n + len(call)), rng.uniform(0, period)
    while start < n / SR:
        first = int(start * SR)
        envelope[first : first + len(call)] = rng.uniform(0.7, 1) * call
        start += max(n_pulses * spacing, period * (1 + JITTER * rng.standard_normal()))
    return envelope[:n]


def chorus(seed=0, seconds=20.0, periods=(0.8, 1.3), *, low=LOW, level=0.0):
    """The stems of a chorus, by name: arrays of samples at `SR`.

    ``periods`` are those of the insects in seconds. The bush cricket is louder by
    ``level`` dB; its band begins 1300 Hz above ``low``, that of the cricket.
    """
    rng = np.random.default_rng(seed)
    n = int(seconds * SR)
    cricket = calls(rng, n, periods[0], 5, 0.03) * band(rng, n, low, low + 2200)
    bush_cricket = calls(rng, n, periods[1], 3, 0.05)
    bush_cricket *= band(rng, n, low + 1300, low + 4500)
    rain = band(rng, n, 200, SR / 2, -0.3)
    knots = np.arange(0, seconds + GUSTS, GUSTS)
    gusts = np.interp(np.arange(n) / SR, knots, rng.uniform(0.3, 1, len(knots)))
    wind = gusts * band(rng, n, 20, 500, -1)
    sounds = {
        "cricket": (cricket, 0.0),
        "bush_cricket": (bush_cricket, level),
        "rain": (rain, RAIN),
        "wind": (wind, WIND),
    }
    return {
        name: 0.03 * 10 ** (gain / 20) * y / y.std()
        for name, (y, gain) in sounds.items()
    }


def write(folder):
    """Write the chorus and its stems, as 16-bit WAV."""
    import soundfile

    stems = {name: np.rint(y * 2**15) / 2**15 for name, y in chorus().items()}
    place = Path(folder) / "chorus_stems"
    place.mkdir(parents=True, exist_ok=True)
    for name, y in stems.items():
        soundfile.write(place / f"{name}.wav", y, SR, subtype="PCM_16")
    mix = sum(stems.values())
    soundfile.write(Path(folder) / "chorus.wav", mix, SR, subtype="PCM_16")


if __name__ == "__main__":
    write(sys.argv[1] if len(sys.argv) > 1 else ".")
