"""Measure time and memory of ``specnmf decompose`` on a three-minute song.

    python benchmarks/decompose.py

makes a three-minute stereo song at 44.1 kHz, 16 bit, from the clips in
``audio_examples/`` (or takes the one named by ``--song``) and runs, whole process
after whole process and in turn,

    specnmf decompose SONG -k 16 --max-iter N --tol 0
    specnmf decompose SONG -k 16 --max-iter 200 --tol 0
    python benchmarks/peer_decompose.py SONG OUT -k 16 --max-iter 200

where N iterations reach the objective that the peer's multiplicative updates reach in
200: it is found beforehand, with ``--solver mu`` on the same V from the same start. All
have the same interpreter and the same cap of threads, after one short unmeasured run
of each that fills the caches of compiled kernels. ``--conditions`` repeats that with
instructions up to AVX2 only, as numba and OpenBLAS are told, and with a single thread.
Time is the wall clock's; CPU time is the user's and the system's; memory is the peak
resident set that the kernel reports for the child (``os.wait4``; the largest single
process, should a run start others). A run counts only if it ends well and
leaves its stems and its five figures. At the end specnmf's memory is measured at other
numbers of components. Results are Markdown on stdout, progress is on stderr.

Needs specnmf installed in the interpreter's own environment, some gigabytes of room in
the temporary folder (``TMPDIR``), and a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
EXAMPLES = HERE.parent / "audio_examples"
PEER = HERE / "peer_decompose.py"
LIBRARIES = ("specnmf", "numpy", "scipy", "numba", "librosa", "scikit-learn")
THREAD_CAPS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
)
#: What processes are told beside their threads, by the conditions of a comparison.
CONDITIONS = {
    "all": {},
    "avx2": {
        "NUMBA_CPU_NAME": "haswell",
        "NUMBA_CPU_FEATURES": "",
        "OPENBLAS_CORETYPE": "Haswell",
    },
    "single": dict.fromkeys(THREAD_CAPS, "1"),
}
HEADINGS = {
    "all": "All instructions",
    "avx2": "No instructions beyond AVX2",
    "single": "A single thread",
}
SR = 44100
N_FFT, HOP_LENGTH = 2048, 512  # the default of both programs at this rate
MB = 1e6


class Run(NamedTuple):
    """One whole process: its wall and CPU time and its peak resident memory."""

    seconds: float
    cpu: float
    megabytes: float


def main() -> None:
    args = parse_args()
    with tempfile.TemporaryDirectory(prefix="specnmf_benchmark_") as folder:
        scratch = Path(folder)
        song = args.song or scratch / "song.wav"
        # numpy and the song stay out of this process: what a parent holds when it
        # starts a child counts in the child's peak.
        with ProcessPoolExecutor(max_workers=1) as pool:
            if args.song is None:
                pool.submit(make_song, song, args.duration).result()
            pool.submit(make_excerpt, song, scratch / "warmup.wav").result()
            n_bins, n_frames = pool.submit(spectrogram_shape, song).result()
            bench = Bench(scratch, args.threads, args.seed)
            plain = bench.factors(song, args.k, args.max_iter, "mu")
            target = pool.submit(losses_in, plain).result()[-1]
            fast = bench.factors(song, args.k, args.max_iter, "auto")
            losses = pool.submit(losses_in, fast).result()
        enough = 1 + sum(loss > target for loss in losses)
        print(machine(args.threads), end="\n\n")
        for condition in args.conditions:
            print(f"**{HEADINGS[condition]}**\n")
            told = Bench(scratch, args.threads, args.seed, CONDITIONS[condition])
            speed_table(told, song, args, enough, 4 * n_bins * n_frames / MB)
        if args.ranks:
            rank_table(bench, song, args, n_bins, n_frames)


def parse_args() -> argparse.Namespace:
    summary = __doc__.splitlines()[0]
    parser = argparse.ArgumentParser(description=summary)
    parser.add_argument(
        "--song", type=Path, help="a WAV or FLAC file up to 48 kHz instead"
    )
    parser.add_argument("--duration", type=float, default=180.0, help="seconds to make")
    parser.add_argument("-k", type=int, default=16, help="number of components")
    parser.add_argument("--max-iter", type=int, default=200)
    parser.add_argument(
        "--seed", type=int, default=0, help="of specnmf's start, whatever the solver"
    )
    parser.add_argument("--runs", type=int, default=3, help="runs of each program")
    parser.add_argument("--threads", type=int, default=2, help="cap for each program")
    parser.add_argument(
        "--conditions",
        nargs="*",
        choices=CONDITIONS,
        default=[*CONDITIONS],
        help="which comparisons to make, by default all",
    )
    parser.add_argument(
        "--ranks",
        type=lambda text: [int(k) for k in text.split(",") if k],
        default=[8, 16, 64],
        help="component counts for the memory table, '' for none",
    )
    return parser.parse_args()


# --- the song ---------------------------------------------------------------------


def make_song(path: Path, seconds: float) -> None:
    """Write the clips of ``audio_examples`` looped, never twice alike, to ``path``.

    Two layers of clips run side by side, each clip at its own gain, place between the
    channels, speed and start: a deterministic song as dense as real ones.
    """
    import numpy as np
    import soundfile as sf

    rng = np.random.default_rng(0)
    clips = [read_clip(file) for file in example_mixtures()]
    n_samples = round(seconds * SR)
    song = np.zeros((n_samples, 2), np.float32)
    for _ in range(2):
        position = 0
        while position < n_samples:
            clip = vary(clips[rng.integers(len(clips))], rng)[: n_samples - position]
            song[position : position + len(clip)] += clip
            position += len(clip)
    song *= 0.9 / np.abs(song).max()
    sf.write(path, song, SR, subtype="PCM_16")


def example_mixtures() -> list[Path]:
    """Find the recording of each example; its stems lie one folder deeper."""
    mixtures = sorted(EXAMPLES.glob("*/*.flac"))
    if not mixtures:
        raise SystemExit(f"no .flac clips in {EXAMPLES}: give a recording with --song")
    return mixtures


def read_clip(path):
    """Read a clip as stereo at 44.1 kHz, shape (n_samples, 2)."""
    import soundfile as sf

    samples, sr = sf.read(path, dtype="float32", always_2d=True)
    return at_speed(samples[:, [0, -1]], sr / SR)


def vary(clip, rng):
    """Play a clip faster or slower, louder or softer, more left or right."""
    clip = at_speed(clip, rng.uniform(0.8, 1.25))
    start = rng.integers(len(clip) // 4)
    gains = rng.uniform(0.3, 1.0, size=2).astype("float32")
    return clip[start:] * gains


def at_speed(samples, speed):
    """Play samples ``speed`` times as fast, by linear interpolation."""
    import numpy as np

    if speed == 1:
        return samples
    n_samples = len(samples)
    times = np.arange(0, n_samples - 1, speed)
    columns = [np.interp(times, np.arange(n_samples), column) for column in samples.T]
    return np.stack(columns, axis=1).astype(np.float32)


def make_excerpt(song: Path, path: Path) -> None:
    """Write the first five seconds of ``song`` to ``path``."""
    import soundfile as sf

    info = sf.info(song)
    samples, sr = sf.read(song, frames=5 * info.samplerate)
    sf.write(path, samples, sr, subtype="PCM_16")


def spectrogram_shape(song: Path) -> tuple[int, int]:
    """Return the (n_bins, n_frames) of the song's centred STFT."""
    import soundfile as sf

    return N_FFT // 2 + 1, 1 + sf.info(song).frames // HOP_LENGTH


def losses_in(path: Path) -> list[float]:
    """Read the cost after each iteration from a factors.npz."""
    import numpy as np

    with np.load(path) as factors:
        return [float(loss) for loss in factors["losses"]]


# --- the runs ---------------------------------------------------------------------


class Bench:
    """Runs programs one at a time under a cap of threads, in a scratch folder."""

    def __init__(
        self,
        scratch: Path,
        threads: int,
        seed: int,
        told: Mapping[str, str] | None = None,
    ) -> None:
        self.seed = str(seed)
        self.out = scratch / "out"
        self.warmup = scratch / "warmup.wav"
        caps = dict.fromkeys(THREAD_CAPS, str(threads))
        self.env = os.environ | caps | dict(told or {})

    def specnmf(self, song: Path, k: int, max_iter: int) -> Run:
        """Run ``specnmf decompose`` once."""
        options = ["-k", str(k), "--max-iter", str(max_iter), "--tol", "0"]
        command = [specnmf_command(), "decompose", str(song), *options]
        command += ["--seed", self.seed]
        command += ["--no-report", "-q"]  # the peer leaves no page
        return self.checked([*command, "-o", str(self.out)], k)

    def factors(self, song: Path, k: int, max_iter: int, solver: str) -> Path:
        """Factorise with a solver; return where the factors are."""
        out = self.out.with_name(solver)
        options = ["-k", str(k), "--max-iter", str(max_iter), "--tol", "0", "-q"]
        outputs = ["--no-sources", "--no-figures", "--no-report", "-o", str(out)]
        command = [specnmf_command(), "decompose", str(song), "--solver", solver]
        command += ["--seed", self.seed]
        subprocess.run(
            [*command, *options, *outputs],
            env=self.env,
            stdout=subprocess.DEVNULL,
            check=True,
        )
        return out / song.stem / "factors.npz"

    def peer(self, song: Path, k: int, max_iter: int) -> Run:
        """Run the librosa and scikit-learn script once."""
        options = ["-k", str(k), "--max-iter", str(max_iter)]
        command = [sys.executable, str(PEER), str(song), str(self.out), *options]
        return self.checked(command, k)

    def checked(self, command: list[str], k: int) -> Run:
        """Run ``command``, check and remove what it leaves, return what it took."""
        run = measured(command, self.env)
        left = len(list(self.out.rglob("*.wav"))), len(list(self.out.rglob("*.png")))
        if left != (k, 5):
            raise SystemExit(f"{left} stems and figures left by {' '.join(command)}")
        shutil.rmtree(self.out)
        return run


def measured(command: list[str], env: Mapping[str, str]) -> Run:
    """Run a command that must end well; return what it took."""
    begin = time.perf_counter()
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"exit status {process.returncode}: {' '.join(command)}")
    unit = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss, in bytes
    cpu = usage.ru_utime + usage.ru_stime
    return Run(seconds, cpu, usage.ru_maxrss * unit / MB)


def specnmf_command() -> str:
    """Find the console script installed beside this interpreter."""
    script = shutil.which("specnmf", path=str(Path(sys.executable).parent))
    if script is None:
        raise SystemExit(f"no specnmf beside {sys.executable}: pip install it there")
    return script


# --- the tables -------------------------------------------------------------------


def speed_table(
    bench: Bench,
    song: Path,
    args: argparse.Namespace,
    enough: int,
    spectrogram: float,
) -> None:
    """Run the programs in turn; print their times, their memory and the bound."""
    k, peers = args.k, args.max_iter
    for program in (bench.specnmf, bench.peer):
        program(bench.warmup, args.k, 2)
    jobs = {
        f"specnmf, {n} iterations": partial(bench.specnmf, song, k, n)
        for n in (enough, peers)
        if n <= peers
    }
    jobs[f"librosa + scikit-learn, {peers}"] = partial(bench.peer, song, k, peers)
    runs = interleaved(jobs, args.runs)
    *_, theirs = map(typical, runs.values())
    reached = f"after {enough} iterations" if enough <= peers else "never"
    print(f"{k} components, {args.runs} runs of each, median (min-max). The objective")
    print(f"of {peers} multiplicative updates is reached {reached}.\n")
    head = ["program", "time, s", "times faster", "CPU time, s", "times less"]
    head += ["peak memory, MB", "times less"]
    print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for name, some in runs.items():
        cells = [name]
        for values, digits, best in zip(
            zip(*some, strict=True), (1, 1, 0), theirs, strict=True
        ):
            cells += [spread(values, digits), f"{best / median(values):.2f}"]
        print(f"| {' | '.join(cells)} |")
    print()
    ours = typical(next(iter(runs.values())))

    bound = 6 * spectrogram + 250
    verdict = "holds" if ours.megabytes <= bound else "does not hold"
    print(
        f"V, the float32 magnitudes, is {spectrogram:.1f} MB; the bound of 6 V + 250 MB"
    )
    print(f"is {bound:.0f} MB and {verdict}.\n")


def rank_table(
    bench: Bench, song: Path, args: argparse.Namespace, n_bins: int, n_frames: int
) -> None:
    """Print specnmf's peak memory at each rank, with and without W and H."""
    ranks = {
        f"k = {k}": partial(bench.specnmf, song, k, args.max_iter) for k in args.ranks
    }
    runs = interleaved(ranks, args.runs)
    print("| components | time, s | peak memory, MB | W and H, MB | peak - W - H, MB |")
    print("|---|---|---|---|---|")
    for k, some in zip(args.ranks, runs.values(), strict=True):
        seconds, _, peak = typical(some)
        factors = 4 * k * (n_bins + n_frames) / MB
        rest = peak - factors
        print(f"| {k} | {seconds:.1f} | {peak:.0f} | {factors:.1f} | {rest:.0f} |")


def interleaved(jobs: dict[str, Callable[[], Run]], turns: int) -> dict[str, list[Run]]:
    """Return what each job took at each turn, the jobs taken in turn."""
    runs: dict[str, list[Run]] = {name: [] for name in jobs}
    for turn in range(1, turns + 1):
        for name, job in jobs.items():
            run = job()
            runs[name].append(run)
            took = (
                f"{run.seconds:.1f} s, {run.cpu:.1f} s of CPU, {run.megabytes:.0f} MB"
            )
            print(f"turn {turn} of {turns}, {name}: {took}", file=sys.stderr)
    return runs


def typical(runs: list[Run]) -> Run:
    """Return the median time and the median memory."""
    return Run(*(median(values) for values in zip(*runs, strict=True)))


def spread(values: Sequence[float], digits: int) -> str:
    """Format values as ``median (min-max)``."""
    middle, low, high = median(values), min(values), max(values)
    return f"{middle:.{digits}f} ({low:.{digits}f}-{high:.{digits}f})"


def machine(threads: int | None = None) -> str:
    """Describe this machine in a line: processor, cores, Python and libraries."""
    cores = f"{os.cpu_count()} cores"
    capped = f", at most {threads} threads each" if threads else ""
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    python = f"Python {platform.python_version()}"
    return f"{processor()}, {cores}{capped}; {python}, {libraries}."


def processor() -> str:
    """Name the processor where the system tells it."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


if __name__ == "__main__":
    main()
