"""Sphinx-gallery: where the examples run, and their order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]

#: From separating a recording to the rules of NMF.
ORDER = (
    *("piano_hands", "chorale_score", "two_marks", "drums_beta", "how_many"),
    *("learned_templates", "chord_layers", "insects", "book_onsets", "own_updates"),
)


def reset_argv(gallery_conf: Any, script_vars: dict[str, Any]) -> list[str]:
    """Run an example at the top of the clone, where its recordings are.

    Sphinx-gallery runs each block in the folder of its script; this is the only hook
    that comes before and may name another one.
    """
    script_vars["src_file"] = str(ROOT / Path(script_vars["src_file"]).name)
    return []


def in_order(script: str) -> int:
    """The place of an example."""
    return ORDER.index(Path(script).stem.removeprefix("plot_"))
