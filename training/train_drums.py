"""Train the network that hears strokes of drums.

    python training/train_drums.py FILE

FILE is written every 200 steps: the mean of the latest weights. It is copied to
specnmf/methods/drums/network.npz by hand when it is better. `--start` goes on from a
network, with other loops by another `--seed`.

The loops are those of drum_loops.py, made meanwhile, three fifths of them beside music.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import drum_loops
import numpy as np
import torch
from drum_network import Network, levels
from drum_samples import SR
from torch import Tensor, nn
from weights import write

from specnmf.audio.recording import Audio
from specnmf.methods.drums.network import HEARD
from specnmf.methods.drums.patches import (
    N_HEARD,
    QUANTILE,
    band_levels,
    hearing_grid,
)

#: Loops at the start, and each ROUND steps; coloured instruments of a kind; songs.
N_LOOPS, N_MORE, ROUND, N_OF_EACH, N_SONGS = 3000, 100, 200, 250, 30
SPREAD = 0.007  # seconds around a stroke in which frames are labelled with it

#: Frames of an example, examples of a step, and the highest rate of learning.
FRAMES, BATCH, RATE = 352, 24, 3e-3
N_STEPS = 8000


def example(
    pool: drum_loops.Pool, songs: list[np.ndarray], rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """The bands of a loop, relative to their loudness, and its labels."""
    y, times = drum_loops.loop(pool, rng)
    if rng.random() < 0.6:
        song = songs[rng.integers(len(songs))]
        first = rng.integers(len(song) - len(y))
        own = song[first : first + len(y)]
        ratio = np.sqrt((np.mean(y**2) + 1e-6) / max(np.mean(own**2), 1e-12))
        y = y + own * ratio * 10 ** (rng.uniform(-14, 5) / 20)
    y = drum_loops.mastered(y, rng)
    audio = Audio(y[np.newaxis].astype(np.float32), SR)
    grid = hearing_grid(audio)
    bands = band_levels(audio, grid, threads=1)
    bands = bands / max(np.quantile(bands.mean(axis=1), QUANTILE), 1e-9)
    return bands.astype(np.float16), labels(times, grid.hop_length / SR, len(bands))


def labels(times: dict[str, list[float]], hop: float, n: int) -> np.ndarray:
    """In which frames each drum is struck, (n_frames, n_heard)."""
    at = np.arange(n) * hop
    out = np.zeros((n, len(HEARD)), np.uint8)
    for i, drum in enumerate(HEARD):
        struck = times.get(drum, []) + (times["openhat"] if drum == "hihat" else [])
        for each in struck:
            out[:, i] |= np.abs(at - each) <= SPREAD
    return out


class Loops:
    """Loops that are made as the training goes on: their bands and labels."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.pool = drum_loops.Pool(self.rng, N_OF_EACH)
        self.songs = [drum_loops.music(100 * seed + i) for i in range(N_SONGS)]
        self.X: list[Tensor] = []
        self.Y: list[Tensor] = []
        self.make(N_LOOPS)

    def make(self, n: int) -> None:
        """Make some more."""
        for _ in range(n):
            X, Y = example(self.pool, self.songs, self.rng)
            self.X.append(torch.from_numpy(X))
            self.Y.append(torch.from_numpy(Y))

    def batch(self, step: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Bands and labels of parts of some loops; a fifth start with the loop."""
        size = FRAMES if step % 4 else FRAMES // 2
        first = int(torch.randint(len(self.X[0]) - size, (1,), generator=generator))
        first = first if step % 5 else 0
        rows = torch.randint(len(self.X), (BATCH,), generator=generator)
        part = slice(first, first + size)
        X = torch.stack([self.X[row][part] for row in rows.tolist()])
        Y = torch.stack([self.Y[row][part] for row in rows.tolist()])
        return X.float(), Y.float()


def coloured(bands: Tensor, generator: torch.Generator) -> Tensor:
    """Bands with random gains that change slowly along them."""
    gains = 3 * torch.randn(len(bands), 1, 7, generator=generator)
    smooth = nn.functional.interpolate(gains, N_HEARD, mode="linear")
    return bands * 10 ** (smooth / 20)


def train(net: Network, given: argparse.Namespace) -> None:
    """Train; what is written is a mean of the weights of the last steps."""
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(given.seed)
    loops, total = Loops(given.seed), 0.0
    print(len(loops.X), "loops", flush=True)
    average = torch.optim.swa_utils.get_ema_multi_avg_fn(0.998)
    mean = torch.optim.swa_utils.AveragedModel(net, multi_avg_fn=average)
    optimizer = torch.optim.AdamW(net.parameters(), given.rate, weight_decay=1e-3)
    for step in range(given.steps):
        part = 1 + np.cos(np.pi * step / given.steps)
        for group in optimizer.param_groups:
            group["lr"] = given.rate * min(1, (step + 1) / 300) * part / 2
        bands, struck = loops.batch(step, generator)
        out = net(levels(coloured(bands, generator)))
        loss = nn.functional.binary_cross_entropy_with_logits(out, struck)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        mean.update_parameters(net)
        total += loss.item()
        if (step + 1) % ROUND == 0:
            print(step + 1, f"loss {total / ROUND:.5f}", flush=True)
            total = 0.0
            write(mean.module, given.file)
            loops.make(N_MORE)


def started(given: argparse.Namespace) -> Network:
    """A network with the weights of a file; blocks that it lacks do little yet."""
    torch.manual_seed(given.seed)
    net = Network(given.blocks)
    if given.start:
        with np.load(given.start) as arrays:
            found = {name: own.astype(np.float32) for name, own in arrays.items()}
        for name, own in net.named_parameters():
            known = found.get(name.replace(".", "_"))
            own.data = 0.1 * own.data if known is None else torch.from_numpy(known)
    return net


def main() -> None:
    """Train the network."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--start", type=Path, help="a network to start from")
    parser.add_argument("--blocks", type=int, default=3)
    parser.add_argument("--steps", type=int, default=N_STEPS)
    parser.add_argument("--rate", type=float, default=RATE)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    train(started(given), given)
    print(given.file.stat().st_size // 1000, "kB")


if __name__ == "__main__":
    main()
