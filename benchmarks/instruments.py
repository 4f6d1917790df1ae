"""Tell how well instruments are separated by a score, and where the decibels go.

    python benchmarks/instruments.py --json NOW.json           # SDR and ideal masks
    python benchmarks/instruments.py --json NOW.json --bounds  # and where they go
    python benchmarks/instruments.py --compare BEFORE.json NOW.json

The mixtures are those of ``instrument_material.py``, in the folder that ``--data``
names, or rendered anew. The score is exact and not aligned. A mixture that the JSON
file already has is not separated again. Results are Markdown on stdout, progress is on
stderr.

With ``--bounds`` the models are also fitted to each part alone: *alone* masks the
mixture by these, *with noise* counts each part's own noise in full, *known timbres*
fits the mixture with the partials' amplitudes of these. From the ideal mask to *alone*
is what the form of the model costs, from there to *known timbres* what confusion of
strengths costs, from there to *specnmf* what confusion of timbres costs.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from instrument_bounds import (
    WINDOWS,
    alone,
    by_ensemble,
    fitted,
    ideal,
    sounds,
    with_known_timbres,
)
from instrument_errors import INTERVALS, errors
from separation_songs import SILENT_DB, Song, Sounds, song_in
from tables import decibels, table

import specnmf
from specnmf.methods.partials.model import NOISE_WEIGHT
from specnmf.methods.score_options import ScoreOptions

GROUPS = ("tune", "test")
OURS = "specnmf"
IDEALS = tuple(f"ideal {n_fft}" for n_fft in WINDOWS)

#: From the best that masks reach to what is reached, and what each step costs.
STEPS = {
    "form of the model": ("ideal", "alone"),
    "strengths confused": ("alone", "known timbres"),
    "timbres confused": ("known timbres", OURS),
    "all": ("ideal", OURS),
}

Results = dict[str, dict[str, Any]]


def main() -> None:
    args = parse_args()
    if args.compare:
        before, now = (json.loads(path.read_text()) for path in args.compare)
        report_changes(before, now)
        return
    with tempfile.TemporaryDirectory() as folder:
        data = args.data or rendered(Path(folder))
        found = measured(data, args)
    report(found)


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="what instrument_material.py left")
    parser.add_argument("--json", type=Path, help="results of each stem, to go on from")
    parser.add_argument("--groups", nargs="+", choices=GROUPS, default=GROUPS)
    parser.add_argument(
        "--only", nargs="+", metavar="NAME", help="these mixtures alone"
    )
    parser.add_argument(
        "--bounds", action="store_true", help="fit the parts alone, too"
    )
    parser.add_argument("--no-ideal", action="store_true", help="without ideal masks")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--compare", nargs=2, type=Path, metavar=("BEFORE", "NOW"))
    return parser.parse_args()


def rendered(folder: Path) -> Path:
    """Render the mixtures."""
    script = Path(__file__).with_name("instrument_material.py")
    subprocess.run([sys.executable, script, folder], check=True, stdout=sys.stderr)
    return folder


# --- measuring --------------------------------------------------------------------


def measured(data: Path, args: argparse.Namespace) -> Results:
    """Return the SDR of each stem of each mixture by each method, and its errors."""
    kept: Results = {}
    if args.json is not None and args.json.exists():
        kept = json.loads(args.json.read_text())
    for group in args.groups:
        for folder in sorted((data / group).iterdir()):
            if args.only and folder.name not in args.only:
                continue
            known = kept.setdefault(f"{group}/{folder.name}", {})
            if "specnmf" in known and ("alone" in known or not args.bounds):
                continue
            known |= results(song_in(folder, "mix"), args)
            mean = fmean(known[OURS].values())
            print(f"{group}/{folder.name}: {mean:.2f} dB", file=sys.stderr, flush=True)
            if args.json is not None:
                args.json.write_text(json.dumps(kept, indent=1))
    return {name: known for name, known in kept.items() if OURS in known}


def results(song: Song, args: argparse.Namespace) -> dict[str, Any]:
    """Return the SDR of each stem by each method, and the errors of specnmf's."""
    options = ScoreOptions(threads=args.threads)
    joint = fitted(song, options)
    ours = sounds(joint, options)
    out: dict[str, Any] = {
        "window": joint.grid.n_fft,
        "struck": joint.struck,
        OURS: sdrs(song.references, ours),
        "errors": [list(error) for error in errors(song, ours)],
    }
    if not args.no_ideal:
        for name, n_fft in zip(IDEALS, WINDOWS, strict=True):
            out[name] = sdrs(song.references, ideal(song, n_fft))
    if args.bounds:
        models = alone(song, joint, options)
        stems = {
            "alone": by_ensemble(joint, models, NOISE_WEIGHT),
            "with noise": by_ensemble(joint, models, 1.0),
            "known timbres": with_known_timbres(song, joint, models, options),
        }
        for name, each in stems.items():
            out[name] = sdrs(song.references, sounds(each, options))
    return out


def sdrs(references: Sounds, estimates: Sounds) -> dict[str, float]:
    """Return BSS Eval v3's SDR in dB of each stem, channels averaged."""
    values, _, _ = specnmf.bss_eval(
        np.stack([y.mean(axis=0) for y in references.values()]),
        np.stack([estimates[name].mean(axis=0) for name in references]),
    )
    limited = np.maximum(values, SILENT_DB).tolist()
    return dict(zip(references, limited, strict=True))


# --- reporting --------------------------------------------------------------------


def report(found: Results) -> None:
    """Print the SDR of each mixture, instrument, pair and interval."""
    for group in GROUPS:
        own = {n: each for n, each in found.items() if n.startswith(group)}
        if own:
            print(f"### {group}: mean SDR over stems, dB\n")
            print(mixtures_table(own), end="\n\n")
            print("By instrument, the mean over its stems:\n")
            print(instruments_table(own), end="\n\n")
            print("By pair, the mean over both stems where both play:\n")
            print(pairs_table(own), end="\n\n")
            print("Error between parts, by the interval of their notes:\n")
            print(intervals_table(own), end="\n\n")


def methods_of(found: Results) -> list[str]:
    """Return the methods that all mixtures have, the bounds last."""
    names = (OURS, "known timbres", "alone", "with noise", *IDEALS)
    return [name for name in names if all(name in each for each in found.values())]


def mixtures_table(found: Results) -> str:
    """Return the mean SDR of each mixture by each method."""
    methods = methods_of(found)
    rows = [
        [name, str(each["window"]), *(decibels(mean(each[m])) for m in methods)]
        for name, each in found.items()
    ]
    panned = {True: [], False: []}
    for name, each in found.items():
        panned[name.endswith("_panned")].append([mean(each[m]) for m in methods])
    for twin, label in ((False, "mean"), (True, "mean of the panned twins")):
        if panned[twin]:
            rows.append([label, "", *map(decibels, np.mean(panned[twin], axis=0))])
    return table(["mixture", "window", *methods], rows)


def instruments_table(found: Results) -> str:
    """Return what each instrument's stems reach, and what each step costs them."""
    stems = defaultdict(list)
    for each in found.values():
        for name in each[OURS]:
            stems[name].append({key: value(each, key, name) for key in keys(each)})
    steps = [n for n, ends in STEPS.items() if set(ends) <= set(keys_of(found))]
    rows = []
    for name, values in sorted(stems.items(), key=lambda kv: average(kv[1], OURS)):
        costs = (
            average(values, a) - average(values, b) for a, b in map(STEPS.get, steps)
        )
        known = [decibels(average(values, key)) for key in (OURS, "ideal")]
        rows.append([name, str(len(values)), *known, *map(decibels, costs)])
    return table(["instrument", "stems", OURS, "ideal", *steps], rows)


def keys(each: Mapping[str, Any]) -> list[str]:
    """Return what there is an SDR of."""
    own = [k for k in (OURS, "known timbres", "alone", "with noise") if k in each]
    return [*own, *(["ideal"] if IDEALS[0] in each else [])]


def keys_of(found: Results) -> set[str]:
    """Return what there is an SDR of in all mixtures."""
    return set.intersection(*(set(keys(each)) for each in found.values()))


def value(each: Mapping[str, Any], key: str, stem: str) -> float:
    """Return a stem's SDR; the ideal mask is that of the better window."""
    if key == "ideal":
        return max((each[name] for name in IDEALS), key=mean)[stem]
    return each[key][stem]


def average(values: Sequence[Mapping[str, float]], key: str) -> float:
    """Return the mean of one method's SDR."""
    known = [each[key] for each in values if key in each]
    return fmean(known) if known else float("nan")


def pairs(found: Results) -> dict[str, list[float]]:
    """Return the mean SDR of each two instruments in each mixture that has both."""
    out = defaultdict(list)
    for each in found.values():
        for a, b in combinations(sorted(each[OURS]), 2):
            out[f"{a}, {b}"].append((each[OURS][a] + each[OURS][b]) / 2)
    return out


def pairs_table(found: Results) -> str:
    """Return the SDR and the error between each two instruments, the worst first."""
    between = defaultdict(lambda: [0.0, 0.0])
    for each in found.values():
        for a, b, _, error, energy in each["errors"]:
            between[f"{a}, {b}"][0] += error
            between[f"{a}, {b}"][1] += energy
    total = sum(error for error, _ in between.values())
    sdr = pairs(found)
    rows = [
        [
            name,
            str(len(sdr[name])),
            decibels(fmean(sdr[name])),
            decibels(ratio(energy, error)),
            f"{100 * error / total:.1f}",
        ]
        for name, (error, energy) in sorted(
            between.items(), key=lambda kv: -kv[1][0] / max(len(sdr[kv[0]]), 1)
        )
    ]
    head = ["pair", "mixtures", "SDR", "parts / error between them", "% of all error"]
    return table(head, rows)


def intervals_table(found: Results) -> str:
    """Return the error and the share of the sound at each kind of interval."""
    sums = {name: np.zeros(2) for name in INTERVALS}
    for each in found.values():
        for _, _, interval, error, energy in each["errors"]:
            sums[interval] += error, energy
    total = sum(sums.values())
    rows = [
        [
            name,
            decibels(ratio(energy, error)),
            f"{100 * error / total[0]:.1f}",
            f"{100 * energy / total[1]:.1f}",
        ]
        for name, (error, energy) in sums.items()
    ]
    return table(
        ["interval", "parts / error, dB", "% of all error", "% of all sound"], rows
    )


def ratio(energy: float, error: float) -> float | None:
    """Return energy over error in dB; None without either."""
    return 10 * np.log10(energy / error) if min(energy, error) > 0 else None


def mean(values: Mapping[str, float]) -> float:
    """Return the mean over stems."""
    return fmean(values.values())


# --- comparing --------------------------------------------------------------------


def report_changes(before: Results, now: Results) -> None:
    """Print what was gained by mixture and by pair of instruments."""
    both = [n for n in now if OURS in now[n] and OURS in before.get(n, {})]
    for group in GROUPS:
        own = [name for name in both if name.startswith(group)]
        if own:
            old, new = ({n: each[n] for n in own} for each in (before, now))
            print(f"### {group}\n\n{changes_table(old, new)}\n")
            print(f"{pair_changes(old, new)}\n")


def changes_table(before: Results, now: Results) -> str:
    """Return the gain of each mixture, and the means."""
    gains = {n: mean(now[n][OURS]) - mean(before[n][OURS]) for n in now}
    rows = [
        [
            name,
            *(decibels(mean(each[name][OURS])) for each in (before, now)),
            f"{gain:+.2f}",
            "{1}: {0:+.2f}".format(*worst_stem(before[name], now[name])),
        ]
        for name, gain in gains.items()
    ]
    for label, chosen in (
        ("mean", [n for n in now if not n.endswith("_panned")]),
        ("mean of the panned twins", [n for n in now if n.endswith("_panned")]),
    ):
        if chosen:
            means = (
                fmean(mean(each[n][OURS]) for n in chosen) for each in (before, now)
            )
            gain = fmean(gains[n] for n in chosen)
            rows.append([label, *map(decibels, means), f"{gain:+.2f}", ""])
    return table(["mixture", "before, dB", "now, dB", "gain", "worst stem"], rows)


def worst_stem(before: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[float, str]:
    """Return the stem that gained least."""
    return min((now[OURS][name] - old, name) for name, old in before[OURS].items())


def pair_changes(before: Results, now: Results) -> str:
    """Return the gain of each pair of instruments, the worst first."""
    old, new = pairs(before), pairs(now)
    gains = {name: fmean(new[name]) - fmean(old[name]) for name in old}
    rows = [
        [name, str(len(old[name])), f"{gain:+.2f}"]
        for name, gain in sorted(gains.items(), key=lambda kv: kv[1])
    ]
    worse = sum(gain < -0.3 for gain in gains.values())
    return (
        table(["pair", "mixtures", "gain, dB"], rows)
        + f"\n\n{worse} of {len(gains)} pairs lose more than .3 dB."
    )


if __name__ == "__main__":
    main()
