"""The package: its public names, its layers, and what importing it costs."""

import ast
import subprocess
import sys

import pytest
from conftest import ROOT

import specnmf

#: A module may import from its own layer's folder and from the layers to its left.
LAYERS = (
    (
        *("errors", "checks", "options", "sizes", "parallel", "jit", "notation"),
        *("archives", "arrays", "subnormals", "vectors"),
    ),
    ("factor", "audio", "score"),
    ("methods",),
    ("output", "evaluation"),
    ("tasks",),
    ("record",),
    ("batch",),
    ("studio",),
    ("cli",),
    ("__main__",),
)
RANK = {name: rank for rank, layer in enumerate(LAYERS) for name in layer}


def test_the_public_names_are_these():
    assert specnmf.__all__ == [
        "NMF", "Alignment", "Audio", "AudioError", "BatchError", "BatchSettings",
        "ConvolutiveFactorization", "DrumSettings", "Edits", "Evaluation",
        "Factorization", "Failure", "FmpLayout", "Found", "Grid", "LabelSettings",
        "LayerSettings", "Layers", "LearnSettings", "Note", "NoteEvaluation",
        "NoteScores", "OutputError", "ParameterError", "RankChoice", "Region", "Rerun",
        "Run", "Score", "ScoreError", "ScoreSettings", "Separated", "Settings",
        "SongSettings", "SourceScores", "SpecnmfError", "Spectrogram", "Summary",
        "TemplateError", "Templates", "Tolerances", "TranscribeSettings", "WorkerError",
        "align", "beta_divergence", "bss_eval", "by_stem", "choose_rank", "decompose",
        "deep_nmf", "drums", "edit", "evaluate", "evaluate_notes", "figures",
        "fmp_layout", "hierarchical_nmf", "label", "layers", "learn", "neural_nmf",
        "nmf", "nmfd", "read", "read_regions", "read_score", "read_templates", "rerun",
        "run_batch", "semisupervised_nmf", "separate", "separate_by_score", "starts",
        "stem_labels", "stft", "transcribe", "write", "write_regions", "write_score",
        "write_templates",
    ]  # fmt: skip
    for name in specnmf.__all__:
        assert getattr(specnmf, name).__doc__
        assert name in dir(specnmf)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nnmf'"):
        _ = specnmf.nnmf


def imports(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def test_imports_go_downwards_only():
    package = ROOT / "specnmf"
    for path in package.rglob("*.py"):
        own = path.relative_to(package).with_suffix("").parts[0]
        if own == "__init__":
            continue
        for name in imports(path):
            if not name.startswith("specnmf."):
                continue
            other = name.split(".")[1]
            if other not in RANK:
                continue  # specnmf.__version__
            allowed = RANK[other] < RANK[own] or other == own
            if RANK[own] == RANK[other] == 0:
                allowed = True
            assert allowed, f"{path} imports {name}"


def test_the_factorisation_knows_nothing_of_sound():
    known = {"numpy", "scipy", "numba", "sklearn", "specnmf"}
    for path in (ROOT / "specnmf" / "factor").rglob("*.py"):
        for name in imports(path):
            top = name.split(".")[0]
            assert top in known or top in sys.stdlib_module_names, f"{path}: {name}"


def test_matplotlib_is_imported_in_one_place():
    for path in (ROOT / "specnmf").rglob("*.py"):
        if any(name.startswith("matplotlib") for name in imports(path)):
            assert path.parent == ROOT / "specnmf" / "output" / "figures"


@pytest.mark.parametrize("code", ["import specnmf", "from specnmf.cli import cli"])
def test_importing_loads_nothing_heavy(code):
    heavy = {"numpy", "scipy", "numba", "librosa", "matplotlib", "sklearn", "rich"}
    if "cli" not in code:
        heavy.add("click")
    process = subprocess.run(
        [sys.executable, "-c", f"import sys; {code}; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert not heavy & set(process.stdout.split())
