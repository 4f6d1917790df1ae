"""Fuzz a parser in Python guided by what of its code is reached, by atheris.

    pip install atheris
    python benchmarks/fuzz_guided.py PARSER [--seconds N] [--keep DIR]

The same files and doors as ``fuzz.py``, and libFuzzer's mutations: what reaches new
lines is mutated further. It stops at the first finding, prints it and keeps the input.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import tempfile
import warnings
from pathlib import Path

import atheris

with atheris.instrument_imports(
    include=["specnmf.score", "specnmf.methods.components.templates"]
):
    import specnmf.methods.components.templates
    import specnmf.score.reading  # noqa: F401  # instrumented before others import it

from fuzz import ACCEPTED, REFUSED, verdict
from fuzz_cases import CASES, Case

#: Those that are written in Python, whose reach atheris sees.
GUIDED = ("midi", "musicxml", "mxl", "csv", "npz")


def main() -> int:
    """Fuzz, and return the exit status: 0 if nothing was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parser", choices=GUIDED)
    parser.add_argument("--seconds", type=int, default=60, help="in all")
    parser.add_argument("--keep", type=Path, default=Path(), help="a folder")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        # libFuzzer ends its process, and would leave the folder behind
        work = (CASES[args.parser], Path(folder), args.seconds, args.keep)
        worker = multiprocessing.get_context("fork").Process(target=fuzz, args=work)
        worker.start()
        worker.join()
    return int(worker.exitcode != 0)


def fuzz(case: Case, folder: Path, seconds: int, keep: Path) -> None:
    """Hand the process to libFuzzer."""
    warnings.simplefilter("error")
    warnings.simplefilter("ignore", UserWarning)  # what readers assume
    corpus = case.corpus()
    (folder / "corpus").mkdir()
    for name, data in corpus.items():
        (folder / "corpus" / name).write_bytes(data)
    path = folder / f"input{Path(next(iter(corpus))).suffix}"

    def put_through(data: bytes) -> None:
        path.unlink(missing_ok=True)
        path.write_bytes(data)
        found = verdict(case, path)
        if found not in (ACCEPTED, REFUSED):
            raise AssertionError(found)

    options = {
        "max_total_time": seconds,
        "timeout": 5,
        "rss_limit_mb": 1024,
        "max_len": 1 << 16,
        "artifact_prefix": f"{keep}{os.sep}",
        "print_final_stats": 1,
    }
    flags = [f"-{name}={value}" for name, value in options.items()]
    atheris.Setup([sys.argv[0], str(folder / "corpus"), *flags], put_through)
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
