"""Feed every parser of files with mutated ones, and see what comes of it.

    python benchmarks/fuzz.py [--inputs N] [--parser NAME] [--keep DIR]

Each input goes through the door that a user's file takes. It may be accepted, or
refused by an error of one printable line; all else is a finding: another exception, a
warning that is not the reader's own, a message of several lines, more than
``--seconds`` or a gigabyte, a dead process. The parsers work in a process of their own,
which is replaced when it dies or hangs. Input number i of a seed is the same in every
run, but for time stamps and serial numbers that libsndfile writes into what is mutated;
``--keep`` keeps the findings.
Prints a table, and ends with status 1 if there was a finding.
"""

from __future__ import annotations

import argparse
import ctypes
import multiprocessing
import os
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import click
import numpy as np
from decompose import machine
from fuzz_cases import CASES, Case, Corpus
from fuzz_mutators import mutated
from tables import table

from specnmf.errors import SpecnmfError

#: Where an input counts as hanging, in seconds, and is too large, in bytes.
HANGING, MOST_BYTES = 30.0, 1 << 30

#: What a process may map, so that no input takes the machine with it.
ADDRESS_SPACE = 6 << 30


#: Findings of a parser that are printed; ``--keep`` keeps all.
SHOWN = 20

ACCEPTED, REFUSED = "accepted", "refused"


class Tally(ctypes.Structure):
    """What a worker has done; in memory that outlives it."""

    _fields_ = (
        ("current", ctypes.c_int64),
        ("began", ctypes.c_double),
        ("accepted", ctypes.c_int64),
        ("refused", ctypes.c_int64),
        ("slowest", ctypes.c_double),
        ("peak", ctypes.c_int64),
    )


@dataclass
class Result:
    """What came of a parser."""

    inputs: int
    seconds: float = 0.0
    findings: list[tuple[int, str]] = field(default_factory=list)
    tally: Any = None


def main() -> int:
    """Fuzz, print, and return the exit status."""
    args = _arguments()
    chosen = args.parser or list(CASES)
    results = {}
    for name in chosen:
        results[name] = fuzz(name, args)
        print(_progress(name, results[name]), file=sys.stderr)
    print(machine(1), f"Seed {args.seed}.", end="\n\n")
    print(table(HEAD, [_row(name, result) for name, result in results.items()]))
    return int(any(result.findings for result in results.values()))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--inputs", type=int, default=10_000, help="for each parser")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--parser", action="append", choices=list(CASES))
    parser.add_argument("--seconds", type=float, default=5.0, help="an input may take")
    parser.add_argument("--keep", type=Path, help="a folder for findings")
    return parser.parse_args()


def fuzz(name: str, args: argparse.Namespace) -> Result:
    """Return what comes of a parser's inputs, in processes that may die of them."""
    result = Result(args.inputs)
    began = time.perf_counter()
    context = multiprocessing.get_context("spawn")
    result.tally = tally = context.Value(Tally, lock=False)
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        corpus = CASES[name].corpus()
        first = 0
        while first < args.inputs:
            ours, theirs = context.Pipe(duplex=False)
            span = first, args.inputs
            worker = context.Process(
                target=work,
                args=(name, corpus, args.seed, span, args.seconds),
                kwargs={"folder": Path(folder), "tally": tally, "findings": theirs},
            )
            worker.start()
            theirs.close()
            death = _watch(worker, ours, tally, result)
            if worker.exitcode == 1:  # an exception elsewhere than in a parser
                raise RuntimeError((Path(folder) / "log").read_text()[-2000:])
            first = args.inputs if death is None else tally.current + 1
            if death is not None:
                result.findings.append((int(tally.current), death))
        if args.keep is not None:
            _keep(args.keep, name, corpus, args.seed, result)
    result.seconds = time.perf_counter() - began
    return result


def _watch(worker: Any, findings: Connection, tally: Any, result: Result) -> str | None:
    """Gather a worker's findings until it ends; what it died of, if it did."""
    tally.began = time.monotonic()
    while True:
        try:
            while findings.poll(0.2):
                result.findings.append(findings.recv())
        except EOFError:
            worker.join()
            break
        # a process takes some time to start
        if time.monotonic() - tally.began > HANGING:
            worker.kill()
            worker.join()
            return f"hung for {HANGING:.0f} s"
    return None if worker.exitcode == 0 else f"died with status {worker.exitcode}"


def work(
    name: str,
    corpus: Corpus,
    seed: int,
    span: tuple[int, int],
    seconds: float,
    *,
    folder: Path,
    tally: Any,
    findings: Connection,
) -> None:
    """Put a span of inputs through a parser; the body of the worker."""
    import resource  # not on Windows

    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    log = os.open(folder / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):  # decoders write their complaints to either
        os.dup2(log, stream)
    warnings.simplefilter("error")
    warnings.simplefilter("ignore", UserWarning)  # what readers assume
    case = CASES[name]
    for number, file, data in inputs(case, corpus, seed, span):
        path = folder / Path(file).name
        path.unlink(missing_ok=True)  # some file systems flush what is overwritten
        path.write_bytes(data)
        tally.current, tally.began = number, time.monotonic()
        finding = verdict(case, path)
        if finding in (ACCEPTED, REFUSED):
            setattr(tally, finding, getattr(tally, finding) + 1)
        took = time.monotonic() - tally.began
        tally.slowest = max(tally.slowest, took)
        if took > seconds:
            finding = f"took {took:.1f} s"
        peak = _peak()
        if peak > MOST_BYTES >= tally.peak:
            finding = f"took {peak >> 20} MB"
        tally.peak = max(tally.peak, peak)
        if finding not in (ACCEPTED, REFUSED):
            findings.send((number, finding))


def inputs(
    case: Case, corpus: Corpus, seed: int, span: tuple[int, int]
) -> Iterator[tuple[int, str, bytes]]:
    """Yield the number, the name it came from, and the bytes of inputs."""
    names, files = list(corpus), list(corpus.values())
    for number in range(*span):
        rng = np.random.default_rng([seed, number])
        k = int(rng.integers(len(files)))
        # the files themselves come first, for none of them may be a finding either
        k = number if number < len(files) else k
        data = files[k]
        if number >= len(files):
            data = mutated(rng, data, files, case.mutators)
        yield number, names[k], data


def verdict(case: Case, path: Path) -> str:
    """Put an input through the door; what came of it, or what is wrong about that."""
    try:
        case.door(path)
    except (SpecnmfError, click.ClickException, click.exceptions.Exit) as error:
        message = getattr(error, "message", None) or str(error)
        return REFUSED if message.isprintable() else f"says {message[:2000]!r}"
    except BaseException as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        return f"{error!r:.300} in {Path(place.filename).name}:{place.lineno}"
    return ACCEPTED


def _peak() -> int:
    """The most memory that this process has held so far, in bytes."""
    with Path("/proc/self/status").open() as status:
        line = next(line for line in status if line.startswith("VmHWM"))
    return 1024 * int(line.split()[1])


def _keep(folder: Path, name: str, corpus: Corpus, seed: int, result: Result) -> None:
    """Write each finding's input and what came of it."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, finding in result.findings:
        span = number, number + 1
        for _, file, data in inputs(CASES[name], corpus, seed, span):
            stem = f"{name.replace(', ', '_').replace(' ', '_')}_{seed}_{number}"
            (folder / f"{stem}{Path(file).suffix}").write_bytes(data)
            (folder / f"{stem}.log").write_text(f"{finding}\n", "utf-8", "replace")


HEAD = (
    *("parser", "inputs", "accepted", "refused", "findings"),
    *("inputs/s", "slowest, ms", "peak memory, MB"),
)


def _row(name: str, result: Result) -> list[str]:
    tally = result.tally
    return [
        name,
        *map(str, (result.inputs, tally.accepted, tally.refused, len(result.findings))),
        f"{result.inputs / result.seconds:.0f}",
        f"{1e3 * tally.slowest:.0f}",
        f"{tally.peak / 1e6:.0f}",
    ]


def _progress(name: str, result: Result) -> str:
    """A line for a parser, and one for each of its first findings."""
    lines = [f"{name}: {result.inputs} inputs, {len(result.findings)} findings"]
    lines += [f"  {number}: {finding}" for number, finding in result.findings[:SHOWN]]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
