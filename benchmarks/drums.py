"""Measure `specnmf drums`: stems and strokes of loops, alone and beside music.

    SPECNMF_DRUM_KITS=DIR PEERS=DIR python benchmarks/drums.py            # all
    SPECNMF_DRUM_KITS=DIR PEERS=DIR python benchmarks/drums.py loops music time

The loops are those of `drums_material.py`, by kits of which no built-in template is
made and that were not used to choose constants; the 808 of ``--data`` and the clip of
audio_examples (whose samples are among the built-in ones) are told apart. ``PEERS`` is
a folder with libnmfd (``pip install --target DIR --no-deps libnmfd tqdm``). SDR are BSS
Eval v3, the mean over the true stems; a stem that was not found is left out of this
mean and counted. F is that of all strokes within 50 ms. Results are Markdown on stdout,
progress is on stderr.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import drums_material as material
import numpy as np
from drums_material import PATTERNS, SR, TESTED, Loop, Stroke, score_of
from tables import table

import specnmf
from specnmf.audio.masks import never_empty  # noqa: F401  # compiled before time
from specnmf.methods.drums.hits import drum_of

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
CLIP = Path(__file__).resolve().parents[1] / "audio_examples" / "drums"
N_FFT, HOP = 2048, 512
Stems = dict[str, np.ndarray]


def unseen_loops(seed: int) -> list[Loop]:
    """Each pattern by one of the kits."""
    return [
        material.loop(pattern, TESTED[i % len(TESTED)], seed + i)
        for i, pattern in enumerate(PATTERNS)
    ]


def recorded(name: str, mix: Path, stems: Path, score: Path) -> Loop:
    """A loop from files."""
    found = {p.stem: specnmf.read(p).samples.mean(axis=0) for p in stems.iterdir()}
    total = specnmf.read(mix).samples.mean(axis=0)
    n = min(len(total), *map(len, found.values()))
    strokes = [
        Stroke(note.start, note.pitch, note.velocity)
        for note in specnmf.read_score(score).notes
    ]
    return Loop(name, {k: y[:n].astype(float) for k, y in found.items()}, strokes)


def sdr(loop: Loop, found: Stems) -> tuple[dict[str, float], list[str]]:
    """SDR of each stem that was found, and the names of the others."""
    missing = [name for name in loop.stems if name not in found]
    noise = 1e-7 * np.random.default_rng(0).standard_normal(len(loop.mix))
    names = list(loop.stems)
    estimates = np.stack([found.get(name, 0 * noise) + noise for name in names])
    scores = specnmf.bss_eval(np.stack([loop.stems[n] for n in names]), estimates)[0]
    told = dict(zip(names, scores.tolist(), strict=True))
    return {name: told[name] for name in names if name not in missing}, missing


def f_measure(loop: Loop, score: specnmf.Score) -> tuple[int, int, int]:
    """Strokes found, too many, and missed; within 50 ms, by drum."""
    true: dict[str, list[float]] = {}
    found: dict[str, list[float]] = {}
    for stroke in loop.strokes:
        true.setdefault(drum_of(stroke.note), []).append(stroke.time)
    for note in score.notes:
        found.setdefault(note.part, []).append(note.start)
    hits = extra = missed = 0
    for drum in {*true, *found}:
        a, b = sorted(true.get(drum, [])), sorted(found.get(drum, []))
        i = j = own = 0
        while i < len(a) and j < len(b):
            if abs(a[i] - b[j]) <= 0.05:
                own, i, j = own + 1, i + 1, j + 1
            elif a[i] < b[j]:
                i += 1
            else:
                j += 1
        hits, extra, missed = hits + own, extra + len(b) - own, missed + len(a) - own
    return hits, extra, missed


def plain(found: specnmf.Separated) -> Stems:
    return {name: np.asarray(y.samples)[0] for name, y in found.items()}


def blind(loop: Loop) -> tuple[Stems, specnmf.Score]:
    found = specnmf.drums(loop.mix.astype(np.float32), sr=SR)
    return plain(found), found.notes


def with_kit(loop: Loop) -> tuple[Stems, specnmf.Score] | None:
    kit = loop.name.split("-")[-1].split("+")[0]
    if kit not in material.KITS:
        return None
    with tempfile.TemporaryDirectory() as folder:
        material.oneshots(kit, Path(folder))
        found = specnmf.drums(loop.mix.astype(np.float32), sr=SR, kit=folder)
    return plain(found), found.notes


def with_score(loop: Loop) -> tuple[Stems, None]:
    score = score_of(loop)
    y = loop.mix.astype(np.float32)
    return plain(specnmf.drums(y, sr=SR, score=score, align="never")), None


def separate(loop: Loop) -> tuple[Stems, None]:
    found = specnmf.separate_by_score(
        loop.mix.astype(np.float32),
        score_of(loop),
        sr=SR,
        residual="rest" in loop.stems,
    )
    stems = plain(found)
    if "residual" in stems:
        stems["rest"] = stems.pop("residual")
    return stems, None


def _masked(loop: Loop, models: dict[str, np.ndarray], power: float = 2) -> Stems:
    import librosa

    X = librosa.stft(loop.mix, n_fft=N_FFT, hop_length=HOP)
    total = sum(model**power for model in models.values()) + 1e-20
    return {
        name: librosa.istft(
            X * model**power / total, n_fft=N_FFT, hop_length=HOP, length=len(loop.mix)
        )
        for name, model in models.items()
    }


def _spectra(loop: Loop) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    import librosa

    def V(y: np.ndarray) -> np.ndarray:
        return np.abs(librosa.stft(y, n_fft=N_FFT, hop_length=HOP))

    return V(loop.mix), {name: V(y) for name, y in loop.stems.items()}


def ideal(loop: Loop) -> tuple[Stems, None]:
    return _masked(loop, _spectra(loop)[1]), None


def sklearn_oracle(loop: Loop) -> tuple[Stems, None]:
    """12 components (with music 24), each given to the stem that it is mostly of."""
    from sklearn.decomposition import NMF

    V, true = _spectra(loop)
    k = 24 if "rest" in loop.stems else 12
    fit = NMF(
        k,
        beta_loss="kullback-leibler",
        solver="mu",
        init="nndsvda",
        max_iter=200,
        tol=0,
    )
    W = fit.fit_transform(V + 1e-7)
    H = fit.components_
    share = {
        name: own**2 / (sum(y**2 for y in true.values()) + 1e-20)
        for name, own in true.items()
    }
    models = {name: np.full(V.shape, 1e-9) for name in true}
    for i in range(k):
        part = np.outer(W[:, i], H[i])
        owner = max(true, key=lambda name: float((part**2 * share[name]).sum()))
        models[owner] += part
    return _masked(loop, models), None


def libnmfd(loop: Loop) -> tuple[Stems, None] | None:
    """NMFD with the score: decaying impulses, templates of 8 frames."""
    if "rest" in loop.stems:
        return None
    import contextlib
    import io

    with contextlib.redirect_stderr(io.StringIO()):
        import libnmfd.core.nmfconv as peer

        peer.tnrange = lambda n, **_: range(n)
        from libnmfd.dsp.filters import nema

        V, true = _spectra(loop)
        names = list(true)
        H = np.zeros((len(names), V.shape[1]))
        for stroke in loop.strokes:
            frame = round(stroke.time * SR / HOP) - 1
            H[names.index(drum_of(stroke.note)), max(0, frame) : frame + 3] = 1
        H = nema(H, 0.75) + 1e-6
        rng = np.random.default_rng(0)
        W = [0.5 + rng.random((len(V), 8)) for _ in names]
        W, H, models, *_ = peer.nmfd(
            V.copy() + 1e-7,
            num_comp=len(names),
            num_frames=V.shape[1],
            num_iter=60,
            num_template_frames=8,
            init_W=W,
            init_H=H,
        )
    return _masked(loop, dict(zip(names, models, strict=True))), None


METHODS: dict[str, Callable[[Loop], tuple[Stems, specnmf.Score | None] | None]] = {
    "drums": blind,
    "drums --kit": with_kit,
    "drums --score": with_score,
    "separate --score": separate,
    "libnmfd, score": libnmfd,
    "scikit-learn, oracle": sklearn_oracle,
    "ideal masks": ideal,
}


def measure(loops: list[Loop], title: str) -> None:
    """Print the SDR of each loop and method, the strokes, and the means."""
    rows, sums = [], {name: [] for name in METHODS}
    strokes = {name: np.zeros(3, int) for name in METHODS}
    lost: dict[str, int] = dict.fromkeys(METHODS, 0)
    each: dict[str, dict[str, list[float]]] = {name: {} for name in METHODS}
    for loop in loops:
        row = [loop.name]
        for name, method in METHODS.items():
            found = method(loop)
            if found is None:
                row.append("-")
                continue
            scores, missing = sdr(loop, found[0])
            lost[name] += len(missing)
            mean = float(np.mean(list(scores.values()))) if scores else -20.0
            sums[name].append(mean)
            for stem, value in scores.items():
                each[name].setdefault(stem, []).append(value)
            text = f"{mean:.1f}" + (f" (-{len(missing)})" if missing else "")
            if found[1] is not None:
                told = f_measure(loop, found[1])
                strokes[name] += told
                text += f", F {_f(told):.2f}"
            row.append(text)
        print(row, file=sys.stderr, flush=True)
        rows.append(row)
    means = [f"{np.mean(s):.1f}" if s else "-" for s in sums.values()]
    rows.append(["mean", *means])
    told = [f"{_f(s):.3f}" if s.any() else "-" for s in strokes.values()]
    rows.append(["F of all strokes", *told])
    rows.append(["stems not found", *(str(n) for n in lost.values())])
    for stem in ("kick", "snare", "hihat", "toms", "ride", "crash", "clap", "rest"):
        own = [each[name].get(stem) for name in METHODS]
        if any(own):
            rows.append([stem, *(f"{np.mean(v):.1f}" if v else "-" for v in own)])
    print(f"\n## {title}\n")
    print(table(["loop", *METHODS], rows), flush=True)


def _f(told: np.ndarray | tuple[int, int, int]) -> float:
    hits, extra, missed = (int(n) for n in told)
    return 2 * hits / max(2 * hits + extra + missed, 1)


def adapted() -> None:
    """Print the SDR with the score by how far the templates adapt, and blind."""
    loops = unseen_loops(700)[:6]
    rows = []
    for loop in loops:
        y, score = loop.mix.astype(np.float32), score_of(loop)
        row = [loop.name]
        for adapt in (0.0, 0.3, 0.7, 0.95, 1.0):
            found = specnmf.drums(y, sr=SR, score=score, align="never", adapt=adapt)
            row.append(f"{np.mean(list(sdr(loop, plain(found))[0].values())):.1f}")
        scores, missing = sdr(loop, blind(loop)[0])
        row.append(
            f"{np.mean(list(scores.values())):.1f}"
            + (f" (-{len(missing)})" if missing else "")
        )
        rows.append(row)
        print(row, file=sys.stderr, flush=True)
    print("\n## Templates that adapt, with a score\n")
    print(table(["loop", "0 (fixed)", "0.3", "0.7", "0.95", "1 (free)", "blind"], rows))


def batch_time(n: int = 16) -> None:
    """Print the seconds that a loop of 4 s takes in a batch."""
    import soundfile

    with tempfile.TemporaryDirectory() as folder:
        songs = Path(folder, "songs")
        songs.mkdir()
        for i in range(n):
            loop = material.loop(
                list(PATTERNS)[i % 14], TESTED[i % len(TESTED)], 900 + i
            )
            soundfile.write(songs / f"{i:04}.wav", loop.mix[: 4 * SR], SR)
        settings = specnmf.DrumSettings(figures=False, report=False)
        start = time.perf_counter()
        done = specnmf.run_batch(
            songs, task="drums", settings=[settings], output=Path(folder, "out")
        )
        seconds = time.perf_counter() - start
    print(f"\n## Batch\n\n{done.done} loops of 4 s: {seconds / n:.2f} s a loop")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument(
        "what", nargs="*", default=["loops", "own", "music", "adapt", "time"]
    )
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--only", help="part of the names of the loops")
    parser.add_argument("--methods", help="only those whose names begin so")
    given = parser.parse_args()
    for name in list(METHODS):
        if not name.startswith(given.methods or ""):
            del METHODS[name]
    sys.path += filter(None, [os.environ.get("PEERS")])
    own = [
        recorded("clip", CLIP / "drums.flac", CLIP / "stems", CLIP / "drums.mid"),
    ]
    folder = given.data / "drums" / "808"
    if folder.is_dir():
        own.insert(
            0,
            recorded("808", folder / "mix.flac", folder / "ref", folder / "score.mid"),
        )
    loops = [
        loop for loop in unseen_loops(500) if not given.only or given.only in loop.name
    ]
    if "own" in given.what:
        measure(own, "Loops of recorded drums")
    if "loops" in given.what:
        measure(loops, "Loops of other kits")
    if "music" in given.what:
        mixed = [material.mixed(loop, i) for i, loop in enumerate(loops)]
        measure(mixed, "Beside music of the same energy")
    if "adapt" in given.what:
        adapted()
    if "time" in given.what:
        batch_time()


if __name__ == "__main__":
    main()
