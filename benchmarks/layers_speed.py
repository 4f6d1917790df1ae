"""How soon layers are as near the toy data as NeuralNMF and ssnmf come."""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from functools import partial
from itertools import product
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import NamedTuple

import numpy as np
from layers_data import toy
from layers_table import (
    SUPERVISION,
    Method,
    fit,
    from_deep,
    progress,
    share_right,
)
from tables import table

from specnmf.factor.layers.deep import deep_nmf
from specnmf.factor.layers.hierarchical import hierarchical_nmf

PEERS = Path(__file__).resolve().parent / "layers_peers.py"

#: How many times faster we are to be, without labels and with.
FASTER, FASTER_LABELLED = 20, 200


class Peer(NamedTuple):
    """A program, how it is set, and what we put against it.

    Rates are NeuralNMF's of A and of B, for one, two and three layers.
    """

    program: str
    settings: str
    rates: tuple[tuple[float, float], ...]
    labelled_rates: tuple[tuple[float, float], ...]
    labelled: dict[str, object]
    ours: dict[str, Method]

    def case(self, supervision: str, n_layers: int) -> dict[str, object]:
        """What ``layers_peers.py`` is to do, but for the seed and the seconds."""
        own = {
            "program": self.program,
            "supervision": supervision,
            "layers": n_layers,
            "rates": self.rates[n_layers - 1],
        }
        if supervision == "none":
            return own
        return {**own, "rates": self.labelled_rates[n_layers - 1], **self.labelled}


#: What we put against a peer: the first of these that comes as near.
AGAINST_NEURAL: dict[str, Method] = {
    "neural, tol 1e-3": partial(from_deep, restarts=1, tol=1e-3),
    "neural, 5 starts": partial(from_deep, restarts=5),
}
AGAINST_CHAINS: dict[str, Method] = {
    "hierarchical": hierarchical_nmf,
    "deep": deep_nmf,
    "deep, 5 starts": partial(deep_nmf, restarts=5),
}

#: Of 1, 3 and 10 those at which it came nearest, with three seeds, in eight seconds;
#: with labels, of several pairs tried for half a minute.
NOTEBOOK_RATES, RATES = 3 * ((1.0, 0.01),), ((10.0, 0.0), (10.0, 0.0), (3.0, 0.0))
LABELLED_RATES = 3 * ((10.0, 1000.0),)

PEER_RUNS = (
    Peer(
        "NeuralNMF",
        "as in its notebook",
        NOTEBOOK_RATES,
        NOTEBOOK_RATES,
        {"weight": 1e-4, "loss": "energy"},
        AGAINST_NEURAL,
    ),
    Peer(
        "NeuralNMF",
        "rates that suit it",
        RATES,
        LABELLED_RATES,
        {"weight": 1e-4, "loss": "reconstruction"},
        AGAINST_NEURAL,
    ),
    Peer("ssnmf", "tolerance 0", RATES, RATES, {"weight": 1e-5}, AGAINST_CHAINS),
)

HEAD = ("peer", "settings", "", "layers", "its error", "right", "negative in A")
HEAD = (*HEAD, "its time, s", "epochs", "10,000 epochs, s")
HEAD = (*HEAD, "ours", "our error", "right", "our time, s", "ratio (min-max)")


def main(args: argparse.Namespace) -> None:
    """Print how long the peers take, and we to where they end."""
    rows, least = [], {}
    for peer, supervision, n in product(PEER_RUNS, SUPERVISION, (1, 2, 3)):
        progress(f"speed, {peer.program}, {peer.settings}, {supervision}, {n}")
        races = [race(peer, supervision, n, seed, args) for seed in range(args.runs)]
        what = [peer.program, peer.settings, SUPERVISION[supervision], str(n)]
        rows.append([*what, *summary(races)])
        kind = peer.program, supervision != "none"
        ratio = median(each.ratio for each in races)
        least[kind] = min(least.get(kind, np.inf), ratio)
    print(f"### Time to the peers' errors, medians of {args.runs} seeds\n")
    print(table(HEAD, rows), end="\n\n")
    for (program, labelled), ratio in least.items():
        target = FASTER_LABELLED if labelled else FASTER
        what = f"{program} {'with' if labelled else 'without'} labels"
        held = "holds" if ratio >= target else "does not hold"
        print(f"{what}: {ratio:.0f} times faster at least; {target} {held}.\n")


class Race(NamedTuple):
    """What a peer did, and what we did with the same data."""

    theirs: dict[str, float]
    name: str
    error: float
    accuracy: float
    seconds: float

    @property
    def ratio(self) -> float:
        """How many times faster we are; 0 if we do not come as near."""
        reached = self.error <= self.theirs["error"] * 1.001
        return self.theirs["seconds"] / self.seconds if reached else 0.0


def race(
    peer: Peer, supervision: str, n_layers: int, seed: int, args: argparse.Namespace
) -> Race:
    """Run a peer, then the first of our ways that comes as near."""
    case = {**peer.case(supervision, n_layers), "seed": seed, "seconds": args.seconds}
    theirs, data = run_peer(args.peer_python, case), toy(seed)
    for name, method in peer.ours.items():
        go = partial(fit, method, data, supervision, n_layers, seed)
        go()  # what is compiled is loaded
        times = []
        for _ in range(3):
            begin = perf_counter()
            found = go()
            times.append(perf_counter() - begin)
        right = share_right(found, data.labels[n_layers - 1])
        outcome = Race(theirs, name, found.error(data.X), right, median(times))
        if outcome.ratio:
            break
    return outcome


def run_peer(python: Path, case: dict[str, object]) -> dict[str, float]:
    """Run a peer in its interpreter."""
    with tempfile.TemporaryDirectory(prefix="specnmf_benchmark_") as folder:
        path = Path(folder) / "case.json"
        path.write_text(json.dumps(case), encoding="utf-8")
        command = [str(python), "-W", "ignore", str(PEERS), str(path)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def summary(races: list[Race]) -> list[str]:
    """Return a row's cells: medians over the seeds."""

    def middle(name: str) -> float:
        return median(each.theirs[name] for each in races)

    ratios = [each.ratio for each in races]
    return [
        f"{middle('error'):.4f}",
        f"{middle('accuracy'):.2f}",
        f"{middle('negative'):.0%}",
        f"{middle('seconds'):.1f}",
        f"{middle('epochs'):.0f}",
        f"{10_000 * middle('total') / middle('epochs'):.0f}",
        " or ".join(sorted({each.name for each in races})),
        f"{median(each.error for each in races):.4f}",
        f"{median(each.accuracy for each in races):.2f}",
        f"{median(each.seconds for each in races):.3f}",
        f"{median(ratios):.0f} ({min(ratios):.0f}-{max(ratios):.0f})",
    ]
