"""The stored model of a run, with new names of stems."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from specnmf.output import report
from specnmf.output.stored import (
    FACTORS,
    MODEL,
    note_arrays,
    read_factors,
    read_shown,
    stored_model,
)
from specnmf.score.grouping import safe_names
from specnmf.subnormals import flush_to_zero

if TYPE_CHECKING:
    from specnmf.factor.factorization import Factorization
    from specnmf.score.notes import Score
    from specnmf.tasks.task import StemModel


def new_labels(
    labels: Sequence[str], names: Mapping[str, str], within: str = ""
) -> list[str]:
    """The labels of components or notes after an edit.

    Parameters
    ----------
    labels : sequence of str
        The old stem of each. A label that is not the name of a file stays the same if
        its stem does.
    names : mapping of str to str
        The new path of each stem, by its old path.
    within : str
        The folder of the stems, with a slash.
    """
    safe = safe_names(labels)
    found = []
    for label in labels:
        known = f"{within}{label}" in names
        old = f"{within}{label if known else safe[label]}"
        new = names.get(old, old)
        found.append(label if new == old else new.removeprefix(within))
    return found


@flush_to_zero()
def write_factors(
    base: Path, target: Path, names: Mapping[str, str], within: str
) -> Factorization | None:
    """Write factors.npz and model.npz of a run into another one, with new names.

    The model keeps the labels of the fit, for `Task.restore`.

    Returns
    -------
    Factorization or None
        With the new labels, if any label has changed.
    """
    stored = read_factors(base)
    old = stored.factors.labels
    labels = tuple(new_labels(old, names, within))
    if (base / MODEL).exists():
        model = stored_model(base)
        arrays: dict[str, Any] = dict(model.arrays)
        arrays |= _note_stems(model, names, within)
        report.write_arrays(target / MODEL, arrays)
    elif labels != old:  # the run is of an older version
        report.write_arrays(
            target / MODEL,
            {
                **note_arrays(_renamed(read_shown(base), names, within)),
                "labels": np.array(old, np.str_),
            },
        )
    factors = replace(stored.factors, labels=labels)
    report.write_factors(
        target / FACTORS,
        factors,
        frequencies=stored.frequencies,
        times=stored.times,
    )
    return None if labels == old else factors


def _renamed(shown: Score, names: Mapping[str, str], within: str) -> Score:
    """Notes whose parts are the new names of the stems."""
    parts = shown.parts
    new = dict(zip(parts, new_labels(parts, names, within), strict=True))
    notes = tuple(note._replace(part=new[note.part]) for note in shown.notes)
    return type(shown)(notes)


def _note_stems(model: Any, names: Mapping[str, str], within: str) -> dict[str, Any]:
    """The new name of each note's stem."""
    old = model.texts("note_stems")
    stems = new_labels(old, names, within)
    new = list(dict.fromkeys(stems))
    place = np.array([new.index(stem) for stem in stems], np.int32)
    owner = model.indices("note_stem", (None,), below=len(old))
    return {
        "note_stem": place[owner] if len(old) else owner,
        "note_stems": np.array(new, dtype=np.str_),
    }


def write_roll(
    target: Path,
    factors: Factorization,
    stems: StemModel,
    onsets: Score | None,
    duration: float,
    *,
    selections: float | None = None,
) -> None:
    """Write the activations as notes, with the stems' new names.

    ``onsets`` are the notes whose onsets give the beats; None: there are no beats.
    ``selections`` is the start of the excerpt if there is a selection table.
    """
    from specnmf.methods.components.scope import n_components_of
    from specnmf.output import pianoroll
    from specnmf.output.selections import write_activity
    from specnmf.score import midi, notelist
    from specnmf.score.beats import beats_of

    n = n_components_of(stems.factors)  # by the names of the fit
    own = replace(
        factors, W=factors.W[:, :n], H=factors.H[:n], labels=factors.labels[:n]
    )
    roll = pianoroll.notes_of(own, stems.grid, stems.pitches[:n])
    beats = None if onsets is None else beats_of(onsets, duration)
    midi.write_midi(target / "pianoroll.mid", roll, beats=beats)
    notelist.write_csv(target / "pianoroll.csv", roll)
    if selections is not None:
        write_activity(target, own, stems.grid, start=selections)
