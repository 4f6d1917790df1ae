"""Takes recordings apart by non-negative matrix factorisation.

audio = specnmf.read("song.wav")
spectrogram = specnmf.stft(audio)
result = specnmf.nmf(spectrogram.magnitude(), 8)
sources = specnmf.separate(spectrogram, result)
"""

from __future__ import annotations

import pkgutil
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from specnmf.audio.masks import separate
    from specnmf.audio.reading import read
    from specnmf.audio.recording import Audio
    from specnmf.audio.stft import Spectrogram, stft
    from specnmf.audio.writing import write
    from specnmf.errors import (
        AudioError,
        OutputError,
        ParameterError,
        ScoreError,
        SpecnmfError,
        TemplateError,
    )
    from specnmf.factor import starts
    from specnmf.factor.divergence import beta_divergence
    from specnmf.factor.estimator import NMF
    from specnmf.factor.factorization import Factorization
    from specnmf.factor.nmf import nmf
    from specnmf.pipeline import Run, decompose
    from specnmf.score.notes import Note, Score
    from specnmf.settings import Settings

__version__ = "0.1.0"

#: Where each public name is defined: loaded when it is first asked for, so that
#: ``import specnmf`` costs nothing.
_HOMES = {
    "NMF": "factor.estimator:NMF",
    "Audio": "audio.recording:Audio",
    "AudioError": "errors:AudioError",
    "Factorization": "factor.factorization:Factorization",
    "Note": "score.notes:Note",
    "OutputError": "errors:OutputError",
    "ParameterError": "errors:ParameterError",
    "Run": "pipeline:Run",
    "Score": "score.notes:Score",
    "ScoreError": "errors:ScoreError",
    "Settings": "settings:Settings",
    "SpecnmfError": "errors:SpecnmfError",
    "Spectrogram": "audio.stft:Spectrogram",
    "TemplateError": "errors:TemplateError",
    "beta_divergence": "factor.divergence:beta_divergence",
    "decompose": "pipeline:decompose",
    "nmf": "factor.nmf:nmf",
    "read": "audio.reading:read",
    "separate": "audio.masks:separate",
    "starts": "factor.starts",
    "stft": "audio.stft:stft",
    "write": "audio.writing:write",
}

__all__ = [
    "NMF",
    "Audio",
    "AudioError",
    "Factorization",
    "Note",
    "OutputError",
    "ParameterError",
    "Run",
    "Score",
    "ScoreError",
    "Settings",
    "SpecnmfError",
    "Spectrogram",
    "TemplateError",
    "beta_divergence",
    "decompose",
    "nmf",
    "read",
    "separate",
    "starts",
    "stft",
    "write",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'specnmf' has no attribute {name!r}")
    value = pkgutil.resolve_name(f"specnmf.{_HOMES[name]}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
