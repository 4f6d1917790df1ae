"""A small run of every task: three seconds, of three parts."""

import made_stems
import soundfile
from runs import label, layers, separate

from specnmf import Note, Score, ScoreSettings, Settings, TranscribeSettings
from specnmf.score import midi
from specnmf.tasks.label import LabelSettings
from specnmf.tasks.layers import LayerSettings
from specnmf.tasks.registry import TASKS
from specnmf.tasks.run import run

KINDS = ("separate", "decompose", "label", "layers", "transcribe")

QUICK = {"max_iter": 4, "figures": False}

#: What each part plays.
LINES = {"low": (50, 53, 50, 53), "middle": (64, 64, 62, 62), "high": (81, 79, 81, 79)}

NOTES = tuple(
    Note(0.2 + 0.7 * k, 0.6, pitch, 90, part)
    for part, line in LINES.items()
    for k, pitch in enumerate(line)
)

LABELS = "0.2\t1.5\tlow\n0.2\t3.0\thigh\n0\t0.2\trest\n"


def write_song(folder):
    """A recording of `NOTES`, with its score and its labels beside it."""
    path = folder / "trio.wav"
    y = sum(
        made_stems.tone(note.pitch, note.start, note.start + note.duration, duration=3)
        for note in NOTES
    )
    soundfile.write(path, y.T, made_stems.SR, subtype="PCM_16")
    path.with_suffix(".txt").write_text(LABELS)
    midi.write_midi(path.with_suffix(".mid"), Score(NOTES))
    return path


def run_of(kind, song, output):
    """The folder of a run of a kind."""
    if kind == "separate":
        score, settings = song.with_suffix(".mid"), ScoreSettings(**QUICK)
        return separate(song, score, settings, output=output).folder
    if kind == "label":
        settings = LabelSettings(**QUICK, n_components=2, n_rest=1)
        return label(song, song.with_suffix(".txt"), settings, output=output).folder
    if kind == "layers":
        settings = LayerSettings(**QUICK, ranks=(6, 3))
        return layers(song, settings, output=output).folder
    settings = {
        "decompose": Settings(**QUICK, n_components=3),
        "transcribe": TranscribeSettings(transcriber="builtin", figures=False),
    }[kind]
    return run(TASKS[kind], song, settings, output=output).folder
