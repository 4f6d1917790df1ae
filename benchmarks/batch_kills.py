"""Kill a batch's processes at random moments, resume it, and compare what comes out.

    python benchmarks/batch_kills.py --kills 20

cuts short songs out of the clips in ``audio_examples/`` and takes them apart by
``specnmf batch -j 2``: once undisturbed, then again and again while now a worker and
now the batch itself gets SIGKILL, each followed by ``--retry-failed``, which resumes.
Whenever the songs are all done another folder is begun. In the end every folder is
finished and compared with the undisturbed one: each song must be there once, every file
byte for byte the same (of run.json all but the seconds and the command), with nothing
else beside them. Only processes that this program started are killed. The exit status
is 1 if anything differs. Results are Markdown on stdout, progress is on stderr.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
from tables import table

HERE = Path(__file__).resolve().parent
EXAMPLES = HERE.parent / "audio_examples"

#: Seconds that a batch of these songs may take before something is wrong with it.
PATIENCE = 600

#: What a run's report says of the circumstances rather than of the run.
CIRCUMSTANCES = ("seconds", "command")


def main() -> None:
    args = parse_args()
    rng = np.random.default_rng(args.seed)
    with tempfile.TemporaryDirectory(prefix="specnmf_kills_") as folder:
        scratch = Path(folder)
        songs = scratch / "songs"
        make_songs(songs, args.songs, rng)
        began = time.monotonic()
        finish(songs, scratch / "undisturbed")
        seconds = time.monotonic() - began
        print(f"undisturbed: {seconds:.1f} s", file=sys.stderr)
        outputs, killed = kill(songs, scratch, args.kills, seconds, rng)
        differing = [
            line
            for output in outputs
            for line in differences(scratch / "undisturbed", output)
        ]
        report(args, outputs, killed, differing)
    sys.exit(bool(differing))


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--songs", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def make_songs(folder: Path, count: int, rng: np.random.Generator) -> None:
    """Cut excerpts, every other one with its score beside it, into two folders."""
    import soundfile

    clips = sorted(EXAMPLES.glob("*/*.flac"))
    for number in range(count):
        clip = clips[number % len(clips)]
        y, sr = soundfile.read(clip, dtype="int16", always_2d=True)
        length = int(rng.uniform(2, 6) * sr)
        first = int(rng.integers(max(1, len(y) - length)))
        place = folder / ("a" if number % 2 else "b") / f"song {number:02}.wav"
        place.parent.mkdir(parents=True, exist_ok=True)
        if number % 2 and clip.with_suffix(".mid").exists():
            first = 0  # a score is that of the beginning
            shutil.copy(clip.with_suffix(".mid"), place.with_suffix(".mid"))
        soundfile.write(place, y[first : first + length], sr)


def start(songs: Path, output: Path, *options: str) -> subprocess.Popen[bytes]:
    specnmf = Path(sys.executable).with_name("specnmf")
    command = [specnmf, "batch", songs, "-r", "-j2", "-o", output, *options]
    return subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def finish(songs: Path, output: Path) -> int:
    """Do what is left to do; how many times that took."""
    for attempt in range(1, 4):
        if start(songs, output, "--retry-failed").wait(PATIENCE) == 0:
            return attempt
    raise SystemExit(f"{output} cannot be finished")


def kill(
    songs: Path, scratch: Path, kills: int, seconds: float, rng: np.random.Generator
) -> tuple[list[Path], Counter[str]]:
    """Start batches and kill; the folders, finished, and who was killed how often."""
    outputs, killed = [scratch / "out0"], Counter[str]()
    while killed.total() < kills:
        batch = start(songs, outputs[-1], "--retry-failed")
        try:
            batch.wait(rng.uniform(0.3, seconds))
        except subprocess.TimeoutExpired:
            victim = "worker" if killed.total() % 2 else "batch"
            killed[victim] += kill_one(batch, victim, rng)
            print(f"killed {dict(killed)}", file=sys.stderr)
            wait_for(batch)
            continue
        outputs.append(scratch / f"out{len(outputs)}")
    for output in outputs:
        finish(songs, output)
    return outputs, killed


def kill_one(batch: subprocess.Popen[bytes], who: str, rng: np.random.Generator) -> int:
    """Kill a batch or one of its processes; how many that was."""
    below = list(descendants(batch.pid))
    if who == "batch":
        batch.kill()
        return 1
    if not below:
        return 0
    try:
        os.kill(int(rng.choice(below)), signal.SIGKILL)
    except ProcessLookupError:
        return 0
    return 1


def wait_for(batch: subprocess.Popen[bytes]) -> None:
    """Wait until a batch and all it started have ended."""
    below = list(descendants(batch.pid))
    batch.wait(PATIENCE)
    until = time.monotonic() + 10
    while any(map(is_alive, below)):
        if time.monotonic() > until:
            raise SystemExit(f"processes outlive their batch: {below}")
        time.sleep(0.05)


def descendants(pid: int) -> Iterator[int]:
    """Yield the processes that a process, or one of its threads, has started."""
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):  # it has ended
            for child in map(int, task.read_text().split()):
                yield child
                yield from descendants(child)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split(") ")[-1][0] != "Z"
    except OSError:
        return False


def differences(expected: Path, found: Path) -> Iterator[str]:
    """Yield a line for each file that is not the same in two folders of runs."""
    theirs, ours = contents(expected), contents(found)
    for name in sorted(theirs.keys() | ours.keys()):
        if theirs.get(name) != ours.get(name):
            yield f"{found.name}/{name} differs"
    with (found / "batch.jsonl").open() as file:
        events = map(json.loads, file)
        done = {event["song"] for event in events if event["event"] == "done"}
    runs = [name for name in theirs if name.endswith("run.json")]
    if len(done) != len(runs):
        yield f"{found.name}: {len(done)} songs done, expected {len(runs)}"


def contents(folder: Path) -> dict[str, bytes]:
    """All files of a folder of runs but the manifest, without the circumstances."""
    files = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_dir() or name == "batch.jsonl":
            continue
        files[name] = path.read_bytes()
        if path.name == "run.json":
            content = json.loads(files[name])
            for key in CIRCUMSTANCES:
                del content[key]
            files[name] = json.dumps(content).encode()
    return files


def report(
    args: argparse.Namespace,
    outputs: list[Path],
    killed: Counter[str],
    differing: list[str],
) -> None:
    head = ("songs", "folders", "batches killed", "workers killed", "files that differ")
    row = (args.songs, len(outputs), killed["batch"], killed["worker"], len(differing))
    print(table(head, [[str(value) for value in row]]))
    for line in differing:
        print(line)


if __name__ == "__main__":
    main()
