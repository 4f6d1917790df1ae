"""Measure ``specnmf separate``: how well, by what scores, at what cost.

    python benchmarks/separation.py            # all of these
    python benchmarks/separation.py quality    # SDR, beside peers and upper bounds
    python benchmarks/separation.py warped     # SDR lost to scores in other tempi
    python benchmarks/separation.py speed      # time and memory, in fresh processes

``quality`` and ``warped`` take the recordings of Bach10 (four- and two-part excerpts)
and a drum loop, in the folder that ``--data`` names:

    bach10/P4_Mix01/mix.flac  score.mid  ref/S1.flac ...    drums/808/...

beside the clips in ``audio_examples/``; with ``--bundled`` they take only those, which
everyone has. ``speed`` makes what it needs from a seed, with Debian's fluidsynth and
fluid-soundfont-gm. The peers are libfmp, librosa and scikit-learn, in
``peer_separate.py`` and ``separation_quality.py``. Results are Markdown on stdout,
progress is on stderr. ``--quick`` only shows that everything runs.

Needs specnmf and libfmp installed in the interpreter's own environment, a gigabyte of
room in the temporary folder (``TMPDIR``), and a machine that does nothing else.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import separation_speed
from decompose import machine

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
QUESTIONS = ("quality", "warped", "speed")


def main() -> None:
    args = parse_args()
    data = None if args.bundled else args.data
    questions = QUESTIONS if args.question == "all" else (args.question,)
    check(questions, data)
    print(f"{machine(args.threads)} Peer: libfmp {version('libfmp')}.\n", flush=True)
    if args.quick:
        print("A quick run: the figures tell nothing but that it runs.\n", flush=True)
    for question in questions:
        if question == "speed":
            separation_speed.main(args)
            continue
        # In a process of its own: what this one holds when it starts a child counts
        # in the child's peak.
        with ProcessPoolExecutor(max_workers=1) as pool:
            pool.submit(ask, question, data, quick=args.quick).result()


def ask(question: str, data: Path | None, *, quick: bool) -> None:
    """Answer one question on stdout."""
    import_module(f"separation_{question}").main(data, quick=quick)


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "question", nargs="?", choices=(*QUESTIONS, "all"), default="all"
    )
    parser.add_argument("--data", type=Path, default=DATA, help="default: %(default)s")
    parser.add_argument("--bundled", action="store_true", help="do without that data")
    parser.add_argument("--quick", action="store_true", help="little of everything")
    parser.add_argument("--runs", type=int, default=3, help="runs of each program")
    parser.add_argument("--threads", type=int, default=2, help="cap for each program")
    parser.add_argument(
        "--no-figures", action="store_true", help="have specnmf draw nothing"
    )
    return parser.parse_args()


def check(questions, data):
    """Say in a line what is missing, if anything, and stop."""
    if find_spec("libfmp") is None:
        raise SystemExit("the peer is missing: pip install libfmp")
    on_recordings = {*questions} - {"speed"}
    if on_recordings and data is not None and not (data / "bach10").is_dir():
        raise SystemExit(
            f"no bach10 in {data}: name its folder with --data, or use --bundled"
        )
    if "speed" in questions:
        separation_speed.check_tools()


if __name__ == "__main__":
    main()
