"""Measure what is heard and separated without a score.

    python benchmarks/transcription.py notes  # F of notes, beside basic-pitch's own
    python benchmarks/transcription.py stems  # SNR of stems, beside the true score's
    python benchmarks/transcription.py time   # time and memory of minutes of piano
    python benchmarks/transcription.py explained --songs FOLDER  # the share of sound

``notes`` and ``stems`` take Bach10 in the folder that ``--data`` names,

    bach10/P4_Mix01/mix.flac  score.mid  ref/S1.flac ...

the clips in ``audio_examples/``, and the folder ``--rendered`` that
``transcription_material.py`` makes. Mixtures without score.mid take NAME.mid in the
folder ``--notes``, if there; else notes are not judged on them, nor the methods that
need a score. ``explained`` hears half a minute of the first songs in a folder.
``--only`` takes the songs whose group or name has one of these words,
``--methods`` the methods; both make long runs short. ``--json`` keeps
each figure. Progress is on stderr.

Needs basic-pitch and libfmp; ``time`` needs fluidsynth, too.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from importlib import import_module
from pathlib import Path
from statistics import fmean, median
from typing import Any

from tables import table

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"

Row = dict[str, Any]


def main() -> None:
    args = parse_args()
    if args.question in ("time", "explained"):
        import_module(f"transcription_{args.question}").main(args)
        return
    # In a process of its own: this one holds nothing that its children would.
    with ProcessPoolExecutor(max_workers=1) as pool:
        pool.submit(ask, args).result()


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("question", choices=("notes", "stems", "time", "explained"))
    parser.add_argument("--data", type=Path, default=DATA, help="default: %(default)s")
    parser.add_argument(
        "--rendered", type=Path, help="what transcription_material.py made"
    )
    parser.add_argument("--notes", type=Path, help="folder of true notes, NAME.mid")
    parser.add_argument("--songs", type=Path, help="folder of songs, for explained")
    parser.add_argument("--most", type=int, default=10, help="songs, for explained")
    parser.add_argument("--only", nargs="+", default=[""], metavar="WORD")
    parser.add_argument("--methods", nargs="+", default=[""], metavar="WORD")
    parser.add_argument("--json", type=Path, help="file for each figure")
    parser.add_argument("--threads", type=int, default=2, help="of each program")
    parser.add_argument("--minutes", type=float, default=3, help="of piano, for time")
    return parser.parse_args()


def ask(args: argparse.Namespace) -> None:
    """Answer a question on stdout."""
    question = import_module(f"transcription_{args.question}")
    cases = import_module("transcription_cases").cases(
        args.data, args.rendered, args.notes
    )
    rows: list[Row] = []
    for case in cases:
        if not any(word in f"{case.group} {case.name}" for word in args.only):
            continue
        for name, method in question.METHODS.items():
            if any(word in name for word in args.methods):
                rows += measured(case, name, partial(method, case))
        if args.json:
            args.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    for metric, title in question.METRICS.items():
        if any(metric in row for row in rows):
            print(f"{title}; mean (median).\n\n{summary(rows, metric)}\n")


def measured(case: Any, method: str, measure: Callable[[], Row | None]) -> list[Row]:
    """Return what a method reaches on a song; nothing where it does not apply."""
    values = measure()
    if values is None:
        return []
    shown = ", ".join(f"{name} {value:.2f}" for name, value in values.items())
    print(f"{case.group}, {case.name}, {method}: {shown}", file=sys.stderr, flush=True)
    return [{"group": case.group, "name": case.name, "method": method, **values}]


def summary(rows: Iterable[Row], metric: str) -> str:
    """Return a table: a row a method, a column a group of songs, and all of them."""
    known = [row for row in rows if row.get(metric) is not None]
    groups = list(dict.fromkeys(row["group"] for row in known))
    methods = list(dict.fromkeys(row["method"] for row in known))
    body = []
    for method in methods:
        own = [row for row in known if row["method"] == method]
        sets = [[r[metric] for r in own if r["group"] == group] for group in groups]
        body.append([method, *map(cell, sets), cell([row[metric] for row in own])])
    counts = {
        g: len({row["name"] for row in known if row["group"] == g}) for g in groups
    }
    head = ["method", *(f"{g} ({n})" for g, n in counts.items()), "all"]
    return table(head, body)


def cell(values: list[float]) -> str:
    """Return a mean and a median."""
    return f"{fmean(values):.2f} ({median(values):.2f})" if values else "-"


if __name__ == "__main__":
    main()
