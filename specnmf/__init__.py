"""Takes recordings apart by non-negative matrix factorisation.

audio = specnmf.read("song.wav")
spectrogram = specnmf.stft(audio)
result = specnmf.nmf(spectrogram.magnitude(), 8)
sources = specnmf.separate(spectrogram, result)
"""

from __future__ import annotations

TYPE_CHECKING = False  # importing typing takes longer than all of this
if TYPE_CHECKING:
    from typing import Any

    from specnmf.audio.masks import separate
    from specnmf.audio.reading import read
    from specnmf.audio.recording import Audio
    from specnmf.audio.stft import Spectrogram, stft
    from specnmf.audio.writing import write
    from specnmf.batch.batch import run_batch
    from specnmf.batch.settings import BatchSettings
    from specnmf.errors import (
        AudioError,
        BatchError,
        OutputError,
        ParameterError,
        ScoreError,
        SpecnmfError,
        TemplateError,
        WorkerError,
    )
    from specnmf.evaluation.bss_eval import bss_eval
    from specnmf.evaluation.evaluate import evaluate
    from specnmf.evaluation.note_scores import NoteEvaluation
    from specnmf.evaluation.notes import evaluate_notes
    from specnmf.evaluation.scores import Evaluation
    from specnmf.factor import starts
    from specnmf.factor.divergence import beta_divergence
    from specnmf.factor.estimator import NMF
    from specnmf.factor.factorization import Factorization
    from specnmf.factor.layers.deep import deep_nmf
    from specnmf.factor.layers.hierarchical import hierarchical_nmf
    from specnmf.factor.layers.model import Layers
    from specnmf.factor.layers.neural import neural_nmf
    from specnmf.factor.layers.semisupervised import semisupervised_nmf
    from specnmf.factor.nmf import nmf
    from specnmf.methods.book.fitting import by_stem
    from specnmf.methods.book.layout import fmp_layout
    from specnmf.methods.by_score import align, separate_by_score
    from specnmf.methods.transcription.transcription import transcribe
    from specnmf.output.figures import drawing as figures
    from specnmf.record.edit import edit
    from specnmf.record.edits import Edits
    from specnmf.score.align import Alignment
    from specnmf.score.grouping import stem_labels
    from specnmf.score.notes import Note, Score
    from specnmf.score.reading import read_score, write_score
    from specnmf.score.regions import Region, read_regions, write_regions
    from specnmf.tasks.decompose import Settings, decompose
    from specnmf.tasks.label import LabelSettings
    from specnmf.tasks.layers import LayerSettings
    from specnmf.tasks.run import Run
    from specnmf.tasks.separate import ScoreSettings
    from specnmf.tasks.transcribe import TranscribeSettings

__version__ = "0.1.0"

#: Where each public name is defined: loaded when it is first asked for, so that
#: ``import specnmf`` costs nothing.
_HOMES = {
    "NMF": "factor.estimator:NMF",
    "Alignment": "score.align:Alignment",
    "Audio": "audio.recording:Audio",
    "AudioError": "errors:AudioError",
    "BatchError": "errors:BatchError",
    "BatchSettings": "batch.settings:BatchSettings",
    "Edits": "record.edits:Edits",
    "Evaluation": "evaluation.scores:Evaluation",
    "Factorization": "factor.factorization:Factorization",
    "LabelSettings": "tasks.label:LabelSettings",
    "LayerSettings": "tasks.layers:LayerSettings",
    "Layers": "factor.layers.model:Layers",
    "Note": "score.notes:Note",
    "NoteEvaluation": "evaluation.note_scores:NoteEvaluation",
    "OutputError": "errors:OutputError",
    "ParameterError": "errors:ParameterError",
    "Region": "score.regions:Region",
    "Run": "tasks.run:Run",
    "Score": "score.notes:Score",
    "ScoreError": "errors:ScoreError",
    "ScoreSettings": "tasks.separate:ScoreSettings",
    "Settings": "tasks.decompose:Settings",
    "SpecnmfError": "errors:SpecnmfError",
    "Spectrogram": "audio.stft:Spectrogram",
    "TemplateError": "errors:TemplateError",
    "TranscribeSettings": "tasks.transcribe:TranscribeSettings",
    "WorkerError": "errors:WorkerError",
    "align": "methods.by_score:align",
    "beta_divergence": "factor.divergence:beta_divergence",
    "bss_eval": "evaluation.bss_eval:bss_eval",
    "by_stem": "methods.book.fitting:by_stem",
    "decompose": "tasks.decompose:decompose",
    "deep_nmf": "factor.layers.deep:deep_nmf",
    "edit": "record.edit:edit",
    "evaluate": "evaluation.evaluate:evaluate",
    "evaluate_notes": "evaluation.notes:evaluate_notes",
    "figures": "output.figures.drawing",
    "fmp_layout": "methods.book.layout:fmp_layout",
    "hierarchical_nmf": "factor.layers.hierarchical:hierarchical_nmf",
    "neural_nmf": "factor.layers.neural:neural_nmf",
    "nmf": "factor.nmf:nmf",
    "read": "audio.reading:read",
    "read_regions": "score.regions:read_regions",
    "read_score": "score.reading:read_score",
    "run_batch": "batch.batch:run_batch",
    "semisupervised_nmf": "factor.layers.semisupervised:semisupervised_nmf",
    "separate": "audio.masks:separate",
    "separate_by_score": "methods.by_score:separate_by_score",
    "starts": "factor.starts",
    "stem_labels": "score.grouping:stem_labels",
    "stft": "audio.stft:stft",
    "transcribe": "methods.transcription.transcription:transcribe",
    "write": "audio.writing:write",
    "write_regions": "score.regions:write_regions",
    "write_score": "score.reading:write_score",
}

__all__ = [
    "NMF",
    "Alignment",
    "Audio",
    "AudioError",
    "BatchError",
    "BatchSettings",
    "Edits",
    "Evaluation",
    "Factorization",
    "LabelSettings",
    "LayerSettings",
    "Layers",
    "Note",
    "NoteEvaluation",
    "OutputError",
    "ParameterError",
    "Region",
    "Run",
    "Score",
    "ScoreError",
    "ScoreSettings",
    "Settings",
    "SpecnmfError",
    "Spectrogram",
    "TemplateError",
    "TranscribeSettings",
    "WorkerError",
    "align",
    "beta_divergence",
    "bss_eval",
    "by_stem",
    "decompose",
    "deep_nmf",
    "edit",
    "evaluate",
    "evaluate_notes",
    "figures",
    "fmp_layout",
    "hierarchical_nmf",
    "neural_nmf",
    "nmf",
    "read",
    "read_regions",
    "read_score",
    "run_batch",
    "semisupervised_nmf",
    "separate",
    "separate_by_score",
    "starts",
    "stem_labels",
    "stft",
    "transcribe",
    "write",
    "write_regions",
    "write_score",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'specnmf' has no attribute {name!r}")
    import pkgutil

    value = pkgutil.resolve_name(f"specnmf.{_HOMES[name]}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
