"""How does an iteration's time grow? By frames and by components, as table and plot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

import numpy as np
from matplotlib.axes import Axes
from solver_cases import (
    Float32,
    case,
    progress,
    seconds_an_iteration,
    spectrograms,
    warm_up,
)
from solver_plan import Plan, Results, brief
from tables import table

from specnmf.output.figures.canvas import (
    BLUE,
    FOOT,
    GREY,
    LINE,
    ORANGE,
    PLAIN,
    caption,
    new_figure,
    panel,
    save,
)

#: The colour of each divergence.
COLOURS = {"euclidean": ORANGE, "kl": BLUE, "is": "#4d8b31"}
NAMES = {"euclidean": "Euclidean", "kl": "Kullback-Leibler", "is": "Itakura-Saito"}

#: The figure's width, and the panels' width, gap and height, in inches.
WIDTH, PANEL, GAP, HEIGHT = 9.0, 3.6, 0.8, 2.43

#: Milliseconds of each run, by divergence, for each frame count or rank.
Times = Mapping[str, list[list[float]]]


def main(plan: Plan, results: Results) -> None:
    print("### Growth\n")
    size = (plan.sizes[0][0], max(plan.many_frames))
    for _, V in spectrograms(plan, (size,)):
        by_frames = over_frames(V, plan, results)
        by_rank = over_ranks(V, plan, results)
    report(f"frames, {plan.growth_rank} components", plan.many_frames, by_frames)
    kept = middle(plan.many_frames)
    report(f"components, {kept} frames", plan.many_ranks, by_rank)
    if plan.svg is not None:
        draw(plan, by_frames, by_rank, plan.svg)
        progress(f"wrote {plan.svg}")


def middle(values: Sequence[int]) -> int:
    """Return the middle one of values in order."""
    return values[len(values) // 2]


def over_frames(V: Float32, plan: Plan, results: Results) -> Times:
    """Time iterations on more and more of the frames."""
    points = [(n_frames, plan.growth_rank) for n_frames in plan.many_frames]
    return measured("frames", V, points, plan, results)


def over_ranks(V: Float32, plan: Plan, results: Results) -> Times:
    """Time iterations of more and more components."""
    points = [(middle(plan.many_frames), rank) for rank in plan.many_ranks]
    return measured("components", V, points, plan, results)


def measured(
    what: str,
    V: Float32,
    points: Sequence[tuple[int, int]],
    plan: Plan,
    results: Results,
) -> Times:
    """Return the times at points (frames, rank), measured before or now."""
    times = {}
    for beta in plan.betas:
        name = f"growth, {plan.song}, {len(V)} bins, {what}, {beta}"
        key = f"{name}, {points}, {plan.iterations} iterations"
        progress(key)
        times[beta] = results.of(key, lambda beta=beta: measure(V, points, beta, plan))
    return times


def measure(V, points, beta, plan):
    """Time an iteration at all points in turn, in ms."""
    warm_up(beta, plan.threads)
    cases = [case(V[:, :n_frames], beta, rank) for n_frames, rank in points]
    for one in cases:
        seconds_an_iteration(one, 2, plan.threads)
    times = [[] for _ in cases]
    for _ in range(plan.runs):
        for one, own in zip(cases, times, strict=True):
            own.append(1e3 * seconds_an_iteration(one, plan.iterations, plan.threads))
    return times


def exponent(values: Sequence[int], medians: Sequence[float]) -> float:
    """Return the slope of the line through the logarithms."""
    return float(np.polyfit(np.log(values), np.log(medians), 1)[0])


def report(what: str, values: Sequence[int], times: Times) -> None:
    """Print the medians in ms, and the power of the values that they grow with."""
    print(f"Time of an iteration in ms by {what}:\n")
    rows = []
    for beta, runs in times.items():
        medians = [median(some) for some in runs]
        power = f"{exponent(values, medians):.2f}"
        rows.append([beta, *map(brief, medians), power])
    print(table(["divergence", *map(str, values), "exponent"], rows), end="\n\n")


# --- the figure -------------------------------------------------------------------


def draw(plan: Plan, by_frames: Times, by_rank: Times, path: Path) -> None:
    """Write both tables as curves on logarithmic axes, beside straight lines."""
    legend = [(NAMES[beta], COLOURS[beta]) for beta in plan.betas]
    subtitle = f"{plan.sizes[0][0]} bins, {plan.threads} threads; dotted: in proportion"
    figure = new_figure(
        "Time of an iteration", subtitle, HEIGHT + 0.05, legend, width=WIDTH
    )
    left, right = (
        panel(figure, (GAP + i * (PANEL + GAP), FOOT, PANEL, HEIGHT)) for i in (0, 1)
    )
    right.sharey(left)
    curves(left, plan.many_frames, by_frames)
    caption(left, f"{plan.growth_rank} components")
    left.set_xlabel("frames", fontsize=PLAIN)
    left.set_ylabel("ms", fontsize=PLAIN)
    curves(right, plan.many_ranks, by_rank)
    caption(right, f"{middle(plan.many_frames)} frames")
    right.set_xlabel("components", fontsize=PLAIN)
    save(figure, path, "svg")


def curves(axes: Axes, values: Sequence[int], times: Times) -> None:
    """Draw the medians over the values, and a line in proportion to the values."""
    axes.set(xscale="log", yscale="log")
    axes.set_xticks(values, map(str, values))
    axes.xaxis.minorticks_off()
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.grid(color=LINE, linewidth=0.5)
    x = np.asarray(values, float)
    for beta, runs in times.items():
        medians = np.array([median(some) for some in runs])
        proportional = medians[-1] * x / x[-1]
        axes.plot(x, proportional, color=GREY, linewidth=0.7, linestyle=":")
        axes.plot(x, medians, color=COLOURS[beta], marker="o", markersize=4)
