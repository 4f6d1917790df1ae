"""A small run folder, made by hand."""

import json

import numpy as np
import pytest
import soundfile

from specnmf.audio.recording import Audio
from specnmf.output.page.contents import Shown
from specnmf.score.notes import Note, Score

SR, SECONDS = 8000, 1.0
NAMES = ("bass", "flute")


def tones(frequencies, n_channels=2):
    """A tone for each frequency, (n_channels, n); the channels are not alike."""
    t = np.arange(int(SR * SECONDS)) / SR
    loud = 0.3 * np.linspace(1, 0.5, n_channels)[:, None]
    return [np.float32(loud * np.sin(2 * np.pi * f * t)) for f in frequencies]


class MadeRun:
    """A run of two stems, 110 and 880 Hz."""

    def __init__(self, folder, *, n_channels=2, suffix="wav"):
        self.folder = folder
        (folder / "sources").mkdir(parents=True)
        self.stems = dict(zip(NAMES, tones((110, 880), n_channels), strict=True))
        for name, samples in self.stems.items():
            path = folder / "sources" / f"{name}.{suffix}"
            soundfile.write(path, samples.T, SR)
        self.sound = Audio(sum(self.stems.values()), SR)
        frequencies = np.linspace(0, SR / 2, 513)
        W = np.stack([np.abs(frequencies - f) < 5 for f in (110, 880)], axis=1)
        np.savez(
            folder / "factors.npz",
            W=W.astype(np.float32),
            H=np.ones((2, 9), np.float32),
            labels=np.array(NAMES),
            losses=np.array([2.0, 1.0]),
            frequencies=frequencies,
            times=np.arange(9) * 0.125,
        )
        self.notes = Score(
            (Note(0.0, 0.5, 45, part="bass"), Note(0.5, 0.5, 81, 99, part="flute"))
        )
        self.report = {
            "kind": "decompose",
            "command": "specnmf decompose song.wav",
            "inputs": [{"path": "songs/song.wav", "sha256": "0" * 64}],
            "audio": {"sr": SR, "n_channels": n_channels, "duration": SECONDS},
            "settings": {"n_components": 2, "seed": 0, "start": 0.0, "threads": 2},
            "asked": {"n_components": 2},
            "tempo": 120.0,
            "residual_db": -300.0,
            "iterations": 2,
            "final_loss": 1.0,
            "components": [
                {
                    "label": name,
                    "pitch": pitch,
                    "note": note,
                    "energy_share": share,
                    "source": f"sources/{name}.{suffix}",
                    "rms": 0.2,
                }
                for name, pitch, note, share in (
                    ("bass", 45.0, "A2", 0.75),
                    ("flute", 81.0, "A5", 0.25),
                )
            ],
            "warnings": ["clipped"],
            "versions": {"specnmf": "1.0"},
        }

    def shown(self, **changes):
        """What a page shows of it."""
        values = {
            "folder": self.folder,
            "report": self.report,
            "sound": self.sound,
            "notes": self.notes,
        }
        return Shown(**values | changes)

    def write_report(self, **changes):
        """Write its run.json."""
        text = json.dumps(self.report | changes)
        (self.folder / "run.json").write_text(text)


@pytest.fixture
def made(tmp_path):
    return MadeRun(tmp_path / "song")
