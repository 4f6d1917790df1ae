import numpy as np
import pytest

from specnmf.factor.factorization import Factorization
from specnmf.output.figures import ScoreFigureData, canvas, lettering
from specnmf.score.notes import Note, Score

SR, N_FFT = 16000, 2048


@pytest.fixture(autouse=True)
def _coarse(monkeypatch):
    """Fewer pixels are drawn faster."""
    monkeypatch.setattr(canvas, "DPI", 60)


@pytest.fixture(autouse=True)
def fonts(monkeypatch):
    """Decides which fonts there are beside the usual one, at first none."""
    found = []
    monkeypatch.setattr(lettering, "findSystemFonts", lambda: list(found))
    cached = lettering._installed, lettering._file
    for function in cached:
        function.cache_clear()
    yield found
    for function in cached:
        function.cache_clear()


def template(note, frequencies):
    """A few partials of a pitch, or a drum's hump."""
    if note.percussion:
        return np.exp(-np.abs(frequencies - 50.0 * (note.pitch - 30)) / 200)
    partials = 440 * 2 ** ((note.pitch - 69) / 12) * np.arange(1, 6)
    bells = np.exp(-(((frequencies[:, None] - partials) / 10) ** 2) / 2)
    return bells @ (1 / np.arange(1, 6))


@pytest.fixture
def separated():
    """A function that makes the data of a separation whose model is right.

    It takes notes and options of ScoreFigureData; each note sounds for its duration,
    and to start with, for a tenth of a second more on either side.
    """

    def make(notes, *, labels=None, n_frames=60, **options):
        score = Score(tuple(notes))
        labels = [note.part for note in score.notes] if labels is None else labels
        frequencies = np.fft.rfftfreq(N_FFT, 1 / SR)
        times = np.arange(n_frames) * N_FFT / 4 / SR
        owned = zip(score.notes, labels, strict=True)
        keys = sorted({(note.percussion, note.pitch, stem) for note, stem in owned})
        keys = keys or [(True, 36, "nothing")]
        W = np.zeros((len(frequencies), len(keys)))
        H, allowed = np.zeros((2, len(keys), n_frames))
        for note, label in zip(score.notes, labels, strict=True):
            row = keys.index((note.percussion, note.pitch, label))
            since = times - note.start
            W[:, row] = template(note, frequencies)
            H[row, (since >= 0) & (since < note.duration)] = note.velocity / 127
            allowed[row, (since >= -0.1) & (since < note.duration + 0.1)] = 1
        stems = [stem for _, _, stem in keys]
        options.setdefault("start", Factorization(W, allowed, stems))
        return ScoreFigureData(
            V=W @ H,
            frequencies=frequencies,
            times=times,
            score=score,
            labels=labels,
            factorization=Factorization(W, H, stems),
            pitches=np.array([np.nan if drum else pitch for drum, pitch, _ in keys]),
            **options,
        )

    return make


@pytest.fixture
def quartet(separated):
    """Two notes of each of four voices, on the recording's clock."""
    voices = {"soprano": 76, "alto": 67, "tenor": 60, "bass": 48}
    notes = [
        Note(start, 0.6, pitch + step, 100, voice)
        for voice, pitch in voices.items()
        for step, start in enumerate((0.2, 0.9))
    ]
    return lambda **options: separated(notes, **options)
