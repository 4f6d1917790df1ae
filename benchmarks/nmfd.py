"""Measure how soon ``specnmf.nmfd`` is as good as other programs' NMFD.

    python benchmarks/nmfd.py
    python benchmarks/nmfd.py --songs loop.wav --ranks 3 --frames 8 --threads 1

on magnitudes (window 2048, hop 512) of the drum loops that ``--songs`` names, by
default that in ``audio_examples/``, and of the first of them repeated to a minute. The
divergence is Kullback-Leibler's, which all programs have. All have the same data and
the same random start, without onsets in the last frames, as torchnmf can have none
there. libnmfd computes in double precision, the others in single.

A peer runs so many ``--iterations``; then it is measured how long specnmf takes to the
peer's objective (the divergence of V from the peer's model, at the best gain), and how
long for as many iterations. Each run is a process of its own, taken in turn; the time
is that of the factorisation alone, after a warm-up. Times are medians; where other work
runs beside, only the ratios mean something.

Results are Markdown on stdout, progress is on stderr. Peers are taken from the
interpreter's own environment or from PYTHONPATH, and left out where they are missing:
libnmfd with tqdm (``pip install --no-deps libnmfd tqdm``), torchnmf with torch.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np
from decompose import THREAD_CAPS, machine
from numpy.typing import NDArray
from solver_plan import brief, spread
from tables import table

import specnmf

Float32 = NDArray[np.float32]

HERE = Path(__file__).resolve().parent
LOOP = HERE.parent / "audio_examples" / "drums" / "drums.flac"

#: Seconds of the long recording.
LONG = 60.0

#: A peer's objective that is not reached in so many times its iterations is given up.
PATIENCE = 4

HEAD = ("song", "components", "frames", "threads", "peer", "its time, s")
HEAD = (*HEAD, "as many iterations, s", "ratio", "iterations to its objective")
HEAD = (*HEAD, "time to it, s", "ratio")


class Case(NamedTuple):
    """What is to be factorised: V, and the start."""

    name: str
    V: Float32
    W: Float32
    H: Float32

    @property
    def start(self) -> specnmf.ConvolutiveFactorization:
        """The start of specnmf."""
        return specnmf.ConvolutiveFactorization(self.W, self.H)


class Found(NamedTuple):
    """Seconds of a factorisation, and its factors."""

    seconds: float
    W: NDArray[np.floating]
    H: NDArray[np.floating]


def main() -> None:
    if sys.argv[1:2] == ["--one"]:
        one(*sys.argv[2:])
        return
    args = parse_args()
    print(f"{machine(max(args.threads))}\n", flush=True)
    print(f"{args.iterations} iterations of each peer.\n")
    print(table(HEAD, []), flush=True)
    for (name, V), rank, n_frames in product(songs(args), args.ranks, args.frames):
        case = make(name, V, rank, n_frames)
        for threads, peer in product(args.threads, installed()):
            progress(f"{name}, {rank} components, {n_frames} frames, {threads}, {peer}")
            shown = [name, str(rank), str(n_frames), str(threads), peer]
            row = [*shown, *compared(case, peer, threads, args)]
            print(f"| {' | '.join(row)} |", flush=True)


def parse_args() -> argparse.Namespace:
    """Read the options."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    option = parser.add_argument
    option("--songs", nargs="+", type=Path, default=[LOOP])
    option("--ranks", nargs="+", type=int, default=[3, 10, 30])
    option("--frames", nargs="+", type=int, default=[8, 16], help="of a template")
    option("--threads", nargs="+", type=int, default=[1, 2])
    option("--iterations", type=int, default=50, help="of peers")
    option("--runs", type=int, default=3)
    option("--no-long", action="store_true", help="leave out the minute")
    return parser.parse_args()


def songs(args: argparse.Namespace) -> list[tuple[str, Float32]]:
    """V of each recording, and of the first repeated to a minute."""
    sounds = {path.parent.name: specnmf.read(path) for path in args.songs}
    if not args.no_long:
        first = next(iter(sounds.values()))
        n_samples = round(LONG * first.sr)
        looped = np.resize(first.samples.T, (n_samples, first.n_channels)).T
        sounds[f"{LONG:.0f} s"] = specnmf.Audio(looped, first.sr)
    spectra = {
        name: specnmf.stft(own, n_fft=2048, hop_length=512)
        for name, own in sounds.items()
    }
    return [(name, own.magnitude()) for name, own in spectra.items()]


def make(name: str, V: Float32, rank: int, n_frames: int) -> Case:
    """A random start that fades, without onsets in the last frames."""
    rng = np.random.default_rng(0)
    fading = 1 - np.arange(n_frames) / n_frames
    W = fading * (1 - rng.random((len(V), rank, n_frames)))
    H = 1 - rng.random((rank, V.shape[1]))
    H[:, V.shape[1] - n_frames + 1 :] = 0
    H *= V.sum() / (W.sum(axis=(0, 2)) @ H.sum(axis=1))
    return Case(name, V, W.astype(np.float32), H.astype(np.float32))


def installed() -> list[str]:
    """The peers that can be run."""
    return [name for name in ("libnmfd", "torchnmf") if find_spec(name) is not None]


def compared(case: Case, peer: str, threads: int, args: argparse.Namespace) -> list:
    """The cells of a row: the peer's time, ours for as many iterations, and to it."""
    n = args.iterations
    with tempfile.TemporaryDirectory(prefix="specnmf_benchmark_") as folder:
        given = Path(folder) / "case.npz"
        np.savez(given, V=case.V, W=case.W, H=case.H)
        first = timed(peer, given, n, threads)
        reached = iterations_to(objective(case.V, first), case, PATIENCE * n)
        theirs, same, ours = [first.seconds], [], []
        for run in range(args.runs):
            if run:
                theirs.append(timed(peer, given, n, threads).seconds)
            same.append(timed("specnmf", given, n, threads).seconds)
            if reached is not None:
                ours.append(timed("specnmf", given, reached, threads).seconds)
    cells = [spread(theirs), spread(same), brief(median(theirs) / median(same))]
    if reached is None:
        return [*cells, f"more than {PATIENCE * n}", "-", "-"]
    return [*cells, str(reached), spread(ours), brief(median(theirs) / median(ours))]


def objective(V: Float32, found: Found) -> float:
    """The divergence of V from a model at its best gain."""
    model = specnmf.ConvolutiveFactorization(found.W, found.H).model()
    model *= V.sum(dtype=np.float64) / model.sum(dtype=np.float64)
    return specnmf.beta_divergence(V, model, 1)


def iterations_to(level: float, case: Case, most: int) -> int | None:
    """The iterations that specnmf takes to an objective."""
    losses = specnmf.nmfd(case.V, case.start, max_iter=most, tol=0).losses
    below = np.flatnonzero(losses <= level)
    return int(below[0]) + 1 if len(below) else None


def timed(program: str, given: Path, iterations: int, threads: int) -> Found:
    """Run a program in a process of its own."""
    found = given.with_name("found.npz")
    numbers = [str(iterations), str(threads)]
    command = [sys.executable, "-W", "ignore", __file__, "--one", program]
    environment = os.environ | dict.fromkeys(THREAD_CAPS, str(threads))
    subprocess.run([*command, str(given), str(found), *numbers], check=True,
                   env=environment, stdout=subprocess.DEVNULL)  # fmt: skip
    with np.load(found) as read:
        return Found(float(read["seconds"]), read["W"], read["H"])


def progress(what: str) -> None:
    """Tell on stderr what is measured."""
    print(what, file=sys.stderr, flush=True)


# --- the programs, each in a process of its own -----------------------------------


def one(program: str, given: str, found: str, iterations: str, threads: str) -> None:
    """Run a program once and write its factors and seconds."""
    with np.load(given) as read:
        case = Case("", read["V"], read["W"], read["H"])
    little = Case("", case.V[:64, :96].copy(), case.W[:64], case.H[:, :96])
    run = PROGRAMS[program]
    run(little, 2, int(threads))
    done = run(case, int(iterations), int(threads))
    np.savez(found, seconds=done.seconds, W=done.W, H=done.H)


def ours(case: Case, iterations: int, threads: int) -> Found:
    """Run specnmf."""
    begin = time.perf_counter()
    found = specnmf.nmfd(
        case.V, case.start, max_iter=iterations, tol=0, threads=threads
    )
    return Found(time.perf_counter() - begin, found.W, found.H)


def libnmfd(case: Case, iterations: int, threads: int) -> Found:
    """Run libnmfd, without the progress bar that it draws in notebooks."""
    from libnmfd.core import nmfconv

    nmfconv.tnrange = lambda n, **_: range(n)
    V, H = case.V.astype(np.float64), case.H.astype(np.float64)
    W = list(case.W.astype(np.float64).transpose(1, 0, 2))
    n_frames = case.W.shape[2]
    begin = time.perf_counter()
    *_, H, _, _, W = nmfconv.nmfd(
        V, num_comp=len(H), num_iter=iterations, num_template_frames=n_frames,
        init_W=W, init_H=H / V.sum(),
    )  # fmt: skip
    return Found(time.perf_counter() - begin, W, H)


def torchnmf(case: Case, iterations: int, threads: int) -> Found:
    """Run torchnmf. It takes the loss every tenth iteration."""
    import torch
    from torchnmf.nmf import NMFD

    torch.set_num_threads(threads)
    n_onsets = case.H.shape[1] - case.W.shape[2] + 1
    V, W, H = (
        torch.from_numpy(np.ascontiguousarray(part))
        for part in (case.V[np.newaxis], case.W, case.H[np.newaxis, :, :n_onsets])
    )
    begin = time.perf_counter()
    model = NMFD(W=W, H=H)
    model.fit(V, beta=1, tol=float("-inf"), max_iter=iterations)
    seconds = time.perf_counter() - begin
    H = np.zeros_like(case.H)
    H[:, :n_onsets] = model.H.detach().numpy()[0]
    return Found(seconds, model.W.detach().numpy(), H)


PROGRAMS = {"specnmf": ours, "libnmfd": libnmfd, "torchnmf": torchnmf}


if __name__ == "__main__":
    main()
