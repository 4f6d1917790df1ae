"""Measure ``specnmf.nmf``: how soon it is as good as others, and what stops it.

    python benchmarks/solvers.py             # all of these
    python benchmarks/solvers.py race        # time to scikit-learn's objective
    python benchmarks/solvers.py peers       # libfmp, librosa, torchnmf: the same work
    python benchmarks/solvers.py growth      # an iteration by frames and components
    python benchmarks/solvers.py roofline    # an iteration beside its products alone
    python benchmarks/solvers.py memory      # the peak besides V, in fresh processes

on magnitude spectrograms of 1025 x 5000 and 2049 x 20000 in float32. They are made from
the recording that ``--song`` names, or several joined, or else from the clips in
``audio_examples/``. Every program has the same start, the same data and the same cap
of threads; runs are taken in turn, times are medians. Itakura-Saito has its V
floored 120 dB below the maximum, as scikit-learn refuses zeros.

``race`` at full size takes hours, most of them scikit-learn's: ``--peer-runs 1`` times
it once, ``--sizes``, ``--betas``, ``--ranks`` and ``--targets`` choose, and with
``--results FILE`` what was broken off goes on. ``--quick`` only shows that everything
runs.

Results are Markdown on stdout, progress is on stderr. Needs specnmf installed in the
interpreter's own environment and a machine that does nothing else. Peers that are
missing are left out: libfmp from there; torchnmf from the interpreter that
``--torch-python`` names, by ``pip install torch torchnmf numpy`` in an environment of
its own (the wheel for Linux brings 5 GB for GPUs along; none is used).
"""

from __future__ import annotations

import argparse
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import fields, replace
from importlib import import_module
from pathlib import Path

from decompose import THREAD_CAPS, machine
from solver_plan import QUICK, Plan, Results, Size

from specnmf.factor.options import BETAS

QUESTIONS = ("race", "peers", "growth", "roofline", "memory")


def main() -> None:
    args = parse_args()
    plan = plan_of(args)
    questions = QUESTIONS if args.question == "all" else (args.question,)
    # Read by the BLAS and by numba when they are loaded, in the processes below.
    os.environ |= {name: str(plan.threads) for name in THREAD_CAPS}
    print(f"{machine(plan.threads)}\n", flush=True)
    if args.quick:
        print("A quick run: the figures tell nothing but that it runs.\n", flush=True)
    for question in questions:
        if question == "memory":
            ask(question, plan)
            continue
        # In a process of its own: what this one holds when it starts a child counts
        # in the child's peak.
        with ProcessPoolExecutor(max_workers=1) as pool:
            pool.submit(ask, question, plan).result()


def ask(question: str, plan: Plan) -> None:
    """Answer one question on stdout."""
    results = Results(plan.results, machine(plan.threads))
    import_module(f"solver_{question}").main(plan, results)


def plan_of(args: argparse.Namespace) -> Plan:
    """Return the plan with what was asked for."""
    names = {field.name for field in fields(Plan)}
    asked = {k: v for k, v in vars(args).items() if k in names and v is not None}
    return replace(QUICK if args.quick else Plan(), **asked)


def parse_args() -> argparse.Namespace:
    """Read the options; what is None is left to the plan."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    option = parser.add_argument
    option("question", nargs="?", choices=(*QUESTIONS, "all"), default="all")
    option("--song", dest="songs", action="append", type=Path, help="may be repeated")
    option("--sizes", type=sizes, help="as in 1025x5000,2049x20000")
    option("--ranks", type=numbers, help="as in 8,16,64,128")
    option("--betas", type=betas, help=f"some of {','.join(BETAS)}")
    option("--targets", type=numbers, help="scikit-learn's iterations: 50,200")
    option("--iterations", type=int, help="of peers; the mean of which is an iteration")
    option("--frames", dest="many_frames", type=numbers, help="of growth")
    option("--runs", type=int, help="of each program: 5")
    option("--peer-runs", type=int, help="of each peer, if fewer")
    option("--threads", type=int, help="cap for each program: 2")
    option("--results", type=Path, help="JSON file of what was measured, to go on from")
    option("--svg", type=Path, help="where growth draws its figure")
    option("--torch-python", type=Path, help="an interpreter that has torchnmf")
    option("--quick", action="store_true", help="little of everything")
    return parser.parse_args()


def numbers(text: str) -> tuple[int, ...]:
    """Parse ``8,16``."""
    return tuple(int(part) for part in text.split(","))


def sizes(text: str) -> tuple[Size, ...]:
    """Parse ``1025x5000,2049x20000``."""
    pairs = (part.split("x") for part in text.split(","))
    return tuple((int(n_bins), int(n_frames)) for n_bins, n_frames in pairs)


def betas(text: str) -> tuple[str, ...]:
    """Parse ``kl,is``."""
    names = tuple(text.split(","))
    unknown = [name for name in names if name not in BETAS]
    if unknown:
        raise argparse.ArgumentTypeError(f"{unknown[0]} is none of {', '.join(BETAS)}")
    return names


if __name__ == "__main__":
    main()
