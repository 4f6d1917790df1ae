"""Audio source separation and spectrogram decomposition by NMF.

    import specnmf

    stems = specnmf.separate("song.wav", "song.mid")  # dict of str to Audio
    components = specnmf.decompose("song.wav", n_components=8)
    score = specnmf.transcribe("song.wav", voices=4)

Each command is a function of its name, on a path, an `Audio` or an array; `nmf`, `stft`
and others are what they are made of. The names listed in ``__all__``, and those of
`specnmf.starts` and `specnmf.figures`, are stable; all others are private.
"""

from __future__ import annotations

TYPE_CHECKING = False  # importing typing takes longer than all of this
if TYPE_CHECKING:
    from typing import Any

    __version__: str

    from specnmf.audio.reading import read
    from specnmf.audio.recording import Audio
    from specnmf.audio.separated import Separated
    from specnmf.audio.stft import Grid, Spectrogram, stft
    from specnmf.audio.writing import write
    from specnmf.batch.batch import run_batch
    from specnmf.batch.running import Failure, Summary
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
    from specnmf.evaluation.note_scores import Found, NoteEvaluation, NoteScores
    from specnmf.evaluation.notes import evaluate_notes
    from specnmf.evaluation.scores import Evaluation, SourceScores
    from specnmf.factor import starts
    from specnmf.factor.convolutive.model import ConvolutiveFactorization
    from specnmf.factor.convolutive.nmfd import nmfd
    from specnmf.factor.divergence import beta_divergence
    from specnmf.factor.estimator import NMF
    from specnmf.factor.factorization import Factorization
    from specnmf.factor.layers.deep import deep_nmf
    from specnmf.factor.layers.hierarchical import hierarchical_nmf
    from specnmf.factor.layers.model import Layers
    from specnmf.factor.layers.neural import neural_nmf
    from specnmf.factor.layers.semisupervised import semisupervised_nmf
    from specnmf.factor.nmf import nmf
    from specnmf.factor.rank import RankChoice, choose_rank
    from specnmf.methods.book.fitting import by_stem
    from specnmf.methods.book.layout import FmpLayout, Tolerances, fmp_layout
    from specnmf.methods.by_score import align, separate_by_score
    from specnmf.methods.learned.options import LearnSettings
    from specnmf.methods.learned.templates import (
        Templates,
        read_templates,
        write_templates,
    )
    from specnmf.output.figures import drawing as figures
    from specnmf.record.edit import edit
    from specnmf.record.edits import Edits
    from specnmf.record.learn import learn
    from specnmf.record.rerun import Rerun, rerun
    from specnmf.score.align import Alignment
    from specnmf.score.grouping import stem_labels
    from specnmf.score.notes import Note, Score
    from specnmf.score.reading import read_score, write_score
    from specnmf.score.regions import Region, read_regions, write_regions
    from specnmf.tasks.decompose import Settings
    from specnmf.tasks.functions import (
        decompose,
        label,
        layers,
        separate,
        transcribe,
    )
    from specnmf.tasks.label import LabelSettings
    from specnmf.tasks.layers import LayerSettings
    from specnmf.tasks.run import Run
    from specnmf.tasks.separate import ScoreSettings
    from specnmf.tasks.settings import SongSettings
    from specnmf.tasks.transcribe import TranscribeSettings

#: Where each public name is defined: loaded when it is first asked for, so that
#: ``import specnmf`` costs nothing.
_HOMES = {
    "NMF": "factor.estimator:NMF",
    "Alignment": "score.align:Alignment",
    "Audio": "audio.recording:Audio",
    "AudioError": "errors:AudioError",
    "BatchError": "errors:BatchError",
    "BatchSettings": "batch.settings:BatchSettings",
    "ConvolutiveFactorization": "factor.convolutive.model:ConvolutiveFactorization",
    "DrumSettings": "tasks.drums:DrumSettings",
    "Edits": "record.edits:Edits",
    "Evaluation": "evaluation.scores:Evaluation",
    "Factorization": "factor.factorization:Factorization",
    "Failure": "batch.running:Failure",
    "FmpLayout": "methods.book.layout:FmpLayout",
    "Found": "evaluation.note_scores:Found",
    "Grid": "audio.stft:Grid",
    "LabelSettings": "tasks.label:LabelSettings",
    "LayerSettings": "tasks.layers:LayerSettings",
    "Layers": "factor.layers.model:Layers",
    "LearnSettings": "methods.learned.options:LearnSettings",
    "Note": "score.notes:Note",
    "NoteEvaluation": "evaluation.note_scores:NoteEvaluation",
    "NoteScores": "evaluation.note_scores:NoteScores",
    "OutputError": "errors:OutputError",
    "ParameterError": "errors:ParameterError",
    "RankChoice": "factor.rank:RankChoice",
    "Region": "score.regions:Region",
    "Rerun": "record.rerun:Rerun",
    "Run": "tasks.run:Run",
    "Score": "score.notes:Score",
    "ScoreError": "errors:ScoreError",
    "ScoreSettings": "tasks.separate:ScoreSettings",
    "Separated": "audio.separated:Separated",
    "Settings": "tasks.decompose:Settings",
    "SongSettings": "tasks.settings:SongSettings",
    "SourceScores": "evaluation.scores:SourceScores",
    "SpecnmfError": "errors:SpecnmfError",
    "Spectrogram": "audio.stft:Spectrogram",
    "Summary": "batch.running:Summary",
    "TemplateError": "errors:TemplateError",
    "Templates": "methods.learned.templates:Templates",
    "Tolerances": "methods.book.layout:Tolerances",
    "TranscribeSettings": "tasks.transcribe:TranscribeSettings",
    "WorkerError": "errors:WorkerError",
    "align": "methods.by_score:align",
    "beta_divergence": "factor.divergence:beta_divergence",
    "bss_eval": "evaluation.bss_eval:bss_eval",
    "by_stem": "methods.book.fitting:by_stem",
    "choose_rank": "factor.rank:choose_rank",
    "decompose": "tasks.functions:decompose",
    "deep_nmf": "factor.layers.deep:deep_nmf",
    "drums": "tasks.functions:drums",
    "edit": "record.edit:edit",
    "evaluate": "evaluation.evaluate:evaluate",
    "evaluate_notes": "evaluation.notes:evaluate_notes",
    "figures": "output.figures.drawing",
    "fmp_layout": "methods.book.layout:fmp_layout",
    "hierarchical_nmf": "factor.layers.hierarchical:hierarchical_nmf",
    "label": "tasks.functions:label",
    "layers": "tasks.functions:layers",
    "learn": "record.learn:learn",
    "neural_nmf": "factor.layers.neural:neural_nmf",
    "nmf": "factor.nmf:nmf",
    "nmfd": "factor.convolutive.nmfd:nmfd",
    "read": "audio.reading:read",
    "read_regions": "score.regions:read_regions",
    "read_score": "score.reading:read_score",
    "read_templates": "methods.learned.templates:read_templates",
    "rerun": "record.rerun:rerun",
    "run_batch": "batch.batch:run_batch",
    "semisupervised_nmf": "factor.layers.semisupervised:semisupervised_nmf",
    "separate": "tasks.functions:separate",
    "separate_by_score": "methods.by_score:separate_by_score",
    "starts": "factor.starts",
    "stem_labels": "score.grouping:stem_labels",
    "stft": "audio.stft:stft",
    "transcribe": "tasks.functions:transcribe",
    "write": "audio.writing:write",
    "write_regions": "score.regions:write_regions",
    "write_score": "score.reading:write_score",
    "write_templates": "methods.learned.templates:write_templates",
}

__all__ = [
    "NMF",
    "Alignment",
    "Audio",
    "AudioError",
    "BatchError",
    "BatchSettings",
    "ConvolutiveFactorization",
    "DrumSettings",
    "Edits",
    "Evaluation",
    "Factorization",
    "Failure",
    "FmpLayout",
    "Found",
    "Grid",
    "LabelSettings",
    "LayerSettings",
    "Layers",
    "LearnSettings",
    "Note",
    "NoteEvaluation",
    "NoteScores",
    "OutputError",
    "ParameterError",
    "RankChoice",
    "Region",
    "Rerun",
    "Run",
    "Score",
    "ScoreError",
    "ScoreSettings",
    "Separated",
    "Settings",
    "SongSettings",
    "SourceScores",
    "SpecnmfError",
    "Spectrogram",
    "Summary",
    "TemplateError",
    "Templates",
    "Tolerances",
    "TranscribeSettings",
    "WorkerError",
    "align",
    "beta_divergence",
    "bss_eval",
    "by_stem",
    "choose_rank",
    "decompose",
    "deep_nmf",
    "drums",
    "edit",
    "evaluate",
    "evaluate_notes",
    "figures",
    "fmp_layout",
    "hierarchical_nmf",
    "label",
    "layers",
    "learn",
    "neural_nmf",
    "nmf",
    "nmfd",
    "read",
    "read_regions",
    "read_score",
    "read_templates",
    "rerun",
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
    "write_templates",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("specnmf")
    if name not in _HOMES:
        raise AttributeError(f"module 'specnmf' has no attribute {name!r}")
    import pkgutil

    value = pkgutil.resolve_name(f"specnmf.{_HOMES[name]}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
