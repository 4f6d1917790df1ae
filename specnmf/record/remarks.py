"""Warnings of an edited run: those of the old run that still hold, and new ones."""

from __future__ import annotations

from collections.abc import Sequence

from specnmf.output.mixes import Outcome
from specnmf.tasks.run import MOST_RESIDUAL_DB

#: The starts of warnings about files that an edit writes anew.
OF_FILES = (
    *("full scale:", "null test:", "no sound:"),
    "kept of the run that was replaced:",
)

#: The warning if an edit needs sound but the run has none.
NO_SOUND = (
    "no sound: the run has no sources, so no stems or mixes are written; use --sources "
    "to write them"
)


def still_true(warnings: object) -> list[str]:
    """The warnings of a run, without those about files that are written anew."""
    lines = warnings if isinstance(warnings, list) else []
    kept = (line for line in lines if isinstance(line, str))
    return [line for line in kept if not line.startswith(OF_FILES)]


def of_files(outcomes: Sequence[Outcome]) -> list[str]:
    """Warnings about the new files."""
    found = []
    for outcome in outcomes:
        own = outcome.written
        where = f" of {own.within}" if own.within else ""
        if own.residual_db is not None and own.residual_db > MOST_RESIDUAL_DB:
            found.append(
                f"null test: without gains, the sum of the stems{where} differs from "
                f"the input (residual {own.residual_db:.0f} dB)"
            )
        if own.held:
            found.append(
                f"full scale: {own.held} samples of merged stems{where} exceed it; the "
                "excess was moved to other stems"
            )
        if outcome.beyond:
            found.append(
                f"full scale: {outcome.beyond} samples of single stems{where} exceed "
                "it and were clipped; lower the gains"
            )
        found += [
            f"full scale: {mix['beyond_full_scale']} samples of {mix['file']} exceed "
            "it and were clipped; lower the gains"
            for mix in outcome.mixes
            if mix["beyond_full_scale"]
        ]
    return found
