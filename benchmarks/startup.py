"""Measure the time of ``specnmf --help`` against ``python -c "import numpy"``.

    python benchmarks/startup.py

Both run as whole processes of the same interpreter, in turn, after one unmeasured run
of each. Prints the medians and their ratio as Markdown.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from statistics import median

from decompose import machine, specnmf_command


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=21, help="runs of each command")
    runs = parser.parse_args().runs
    commands = {
        "specnmf --help": [specnmf_command(), "--help"],
        'python -c "import numpy"': [sys.executable, "-c", "import numpy"],
    }
    times = interleaved(commands, runs)

    print(machine(), end="\n\n")
    print(f"| command | median of {runs}, ms | min-max, ms |\n|---|---|---|")
    for name, some in times.items():
        low, high = 1e3 * min(some), 1e3 * max(some)
        print(f"| `{name}` | {1e3 * median(some):.0f} | {low:.0f}-{high:.0f} |")
    ours, peer = map(median, times.values())
    print(f"\nRatio of the medians: {ours / peer:.2f}.")


def interleaved(commands: dict[str, list[str]], runs: int) -> dict[str, list[float]]:
    """Return each command's wall times in seconds, the commands taken in turn."""
    times: dict[str, list[float]] = {name: [] for name in commands}
    for command in commands.values():
        seconds(command)
    for _ in range(runs):
        for name, command in commands.items():
            times[name].append(seconds(command))
    return times


def seconds(command: list[str]) -> float:
    """Return the wall time of one whole process."""
    begin = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin


if __name__ == "__main__":
    main()
