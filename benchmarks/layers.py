"""Measure layers: how near they come to the toy data, how soon, and a song's size.

    python benchmarks/layers.py          # all of these
    python benchmarks/layers.py table    # errors and accuracies, by the slides' table
    python benchmarks/layers.py starts   # how often neural NMF's default gets there
    python benchmarks/layers.py speed    # time to the error of NeuralNMF and ssnmf
    python benchmarks/layers.py size     # an evaluation of 1025 x 5000, ranks 32-8-3
    python benchmarks/layers.py gradient # the derivative beside torch's autograd

The toy data are in ``layers_data.py``: nine topics in four, in two, of ranks 9, 4 and
2; 40 of 90 columns are labelled in semi-supervision. The table holds medians over
``--seeds`` seeds, beside those of the slides of Haddock et al. (2019), which say
nothing of labels, and of the notebook that comes with NeuralNMF (one seed).

``speed`` runs ``layers_peers.py`` in the interpreter that ``--peer-python`` names, by
``pip install torch NeuralNMF ssnmf`` in an environment of its own (the wheel for Linux
brings 5 GB for GPUs along; none is used), each peer for at most ``--seconds``, then us
on the same data until we are as near or nearer. A peer's time is that at which it was
first within a thousandth of the error where it ended; ours is that of the whole call.
With labels NeuralNMF goes on for hours, and the ratio is the less the sooner it is
stopped.
``gradient`` runs ``layers_autograd.py`` there, which unrolls every projection.
Everyone has one thread, but for ``size``, which is measured with one and with two.

Results are Markdown on stdout, progress is on stderr. Needs specnmf installed in the
interpreter's own environment and a machine that does nothing else. ``--quick`` only
shows that everything runs.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import layers_gradient
import layers_size
import layers_speed
import layers_starts
import layers_table
from decompose import THREAD_CAPS, machine

QUESTIONS = ("table", "starts", "speed", "size", "gradient")


def main() -> None:
    args = parse_args()
    os.environ |= dict.fromkeys(THREAD_CAPS, "1")
    print(f"{machine()}\n", flush=True)
    if args.quick:
        print("A quick run: the figures tell nothing but that it runs.\n", flush=True)
        args.seeds, args.unseen, args.columns, args.runs = 2, 2, 300, 1
        args.seconds = 0.5
    questions = QUESTIONS if args.question == "all" else (args.question,)
    if "table" in questions:
        layers_table.main(args.seeds)
    if "starts" in questions:
        layers_starts.main(args.unseen)
    if "speed" in questions:
        layers_speed.main(args)
    if "size" in questions:
        layers_size.main(args.columns, args.runs)
    if "gradient" in questions:
        layers_gradient.main(args)


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "question", nargs="?", choices=(*QUESTIONS, "all"), default="all"
    )
    parser.add_argument("--seeds", type=int, default=10, help="data sets of the table")
    parser.add_argument("--unseen", type=int, default=30, help="data sets of starts")
    parser.add_argument("--runs", type=int, default=3, help="runs, each another seed")
    parser.add_argument(
        "--peer-python", type=Path, default=sys.executable, help="has the peers"
    )
    parser.add_argument(
        "--seconds", type=float, default=60.0, help="of a run of NeuralNMF, at most"
    )
    parser.add_argument("--columns", type=int, default=5000, help="of X in size")
    parser.add_argument("--quick", action="store_true", help="little of everything")
    return parser.parse_args()


if __name__ == "__main__":
    main()
