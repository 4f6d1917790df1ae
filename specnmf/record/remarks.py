"""Warnings of an edited run: what is still true of the old one, and what is new."""

from __future__ import annotations

from collections.abc import Sequence

from specnmf.output.mixes import Outcome
from specnmf.tasks.run import MOST_RESIDUAL_DB

#: Warnings of these beginnings are about files that an edit writes anew.
OF_FILES = (
    *("full scale:", "null test:", "no sound:"),
    "kept of the run that was replaced:",
)

#: Where an edit asks for sound of a run that has none.
NO_SOUND = (
    "no sound: the run was made without sources, so no stems and mixes are written; "
    "--sources writes them"
)


def still_true(warnings: object) -> list[str]:
    """The warnings of a run that are about no file that is written anew."""
    lines = warnings if isinstance(warnings, list) else []
    kept = (line for line in lines if isinstance(line, str))
    return [line for line in kept if not line.startswith(OF_FILES)]


def of_files(outcomes: Sequence[Outcome]) -> list[str]:
    """What to know of the files."""
    found = []
    for outcome in outcomes:
        own = outcome.written
        where = f" of {own.within}" if own.within else ""
        if own.residual_db is not None and own.residual_db > MOST_RESIDUAL_DB:
            found.append(
                f"null test: the stems{where}, without gains, add up to the input at "
                f"{own.residual_db:.0f} dB only"
            )
        if own.held:
            found.append(
                f"full scale: {own.held} samples of merged stems{where} reached it and "
                "the rest went to other stems"
            )
        if outcome.beyond:
            found.append(
                f"full scale: gains took {outcome.beyond} samples of single "
                f"stems{where} beyond it, where they are held; lower the gains"
            )
        found += [
            f"full scale: {mix['beyond_full_scale']} samples of {mix['file']} are "
            "held at it; lower the gains"
            for mix in outcome.mixes
            if mix["beyond_full_scale"]
        ]
    return found
