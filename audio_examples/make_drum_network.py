"""Train the network by which `specnmf drums` hears strokes.

    SPECNMF_DRUM_KITS=DIR python make_drum_network.py [FILE]

By default it writes specnmf/methods/drums/network.npz. The loops are random: strokes
of free and of synthetic sounds (drum_sounds.py), changed in pitch, decay, colour and
level, in patterns of some styles, three fifths of them beside music that fluidsynth
plays (drum_loops.py). It needs torch, and what make_kits.py needs; with DIR, the
samples of Debian's `csound-soundfont` and `exadrums` are among them. It takes about
twenty minutes of one core, and writes the file every 200 steps. `--start` goes on
from a network, with other loops by another `--seed`.
"""

import argparse
from pathlib import Path

import drum_loops
import make_kits
import numpy as np
import torch
from drum_loops import SR
from torch import nn

from specnmf.audio.recording import Audio
from specnmf.methods.drums.network import DILATIONS, HEARD
from specnmf.methods.drums.patches import (
    N_HEARD,
    QUANTILE,
    RISE,
    SHARPNESS,
    band_levels,
    hearing_grid,
)

#: Loops at the start, and each ROUND steps; coloured instruments of a kind; songs.
N_LOOPS, N_MORE, ROUND, N_OF_EACH, N_SONGS = 3000, 100, 200, 250, 30
SPREAD = 0.007  # seconds around a stroke in which frames are labelled with it

#: Channels of the first filters, and of the others.
FILTERS, WIDTH, CONTEXT = 12, 72, 32

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
        self.X: list[torch.Tensor] = []
        self.Y: list[torch.Tensor] = []
        self.make(N_LOOPS)

    def make(self, n: int) -> None:
        """Make some more."""
        for _ in range(n):
            X, Y = example(self.pool, self.songs, self.rng)
            self.X.append(torch.from_numpy(X))
            self.Y.append(torch.from_numpy(Y))

    def batch(
        self, step: int, generator: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Bands and labels of parts of some loops; a fifth start with the loop."""
        size = FRAMES if step % 4 else FRAMES // 2
        first = int(torch.randint(len(self.X[0]) - size, (1,), generator=generator))
        first = first if step % 5 else 0
        rows = torch.randint(len(self.X), (BATCH,), generator=generator)
        part = slice(first, first + size)
        X = torch.stack([self.X[row][part] for row in rows.tolist()])
        Y = torch.stack([self.Y[row][part] for row in rows.tolist()])
        return X.float(), Y.float()


class Network(nn.Module):
    """As specnmf.methods.drums.network, and the levels of its input at random."""

    def __init__(self, n_blocks: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(2, FILTERS, (3, 5), stride=(1, 2), padding=(1, 2))
        self.joined = nn.Linear(FILTERS * N_HEARD // 2, WIDTH)
        self.blocks = nn.ModuleList(
            nn.Conv1d(WIDTH, WIDTH, 3, padding=d, dilation=d)
            for d in DILATIONS[:n_blocks]
        )
        self.gathered = nn.Linear(WIDTH, CONTEXT)
        self.spread = nn.Linear(CONTEXT, WIDTH)
        self.mixed = nn.Linear(WIDTH, WIDTH)
        self.last = nn.Linear(WIDTH, len(HEARD))
        self.dropped = nn.Dropout(0.1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits, (n, n_frames, n_heard), of levels, (n, 2, n_frames, N_HEARD)."""
        x = torch.relu(self.first(x))
        x = torch.relu(self.joined(x.permute(0, 2, 1, 3).flatten(2)))
        for block in self.blocks:
            x = x + torch.relu(block(x.mT).mT)
        song = torch.relu(self.gathered(x)).mean(dim=1, keepdim=True)
        x = x + torch.relu(self.mixed(self.dropped(x)) + self.spread(song))
        return self.last(self.dropped(x))


def levels(bands: torch.Tensor) -> torch.Tensor:
    """As specnmf.methods.drums.patches.compressed."""
    loudness = torch.quantile(bands.mean(dim=2), QUANTILE, dim=1)[:, None, None]
    x = torch.log1p(bands * (SHARPNESS / loudness.clamp(min=1e-9)))
    return torch.stack([x, x - nn.functional.pad(x, (0, 0, RISE, 0))[:, :-RISE]], 1)


def coloured(bands: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
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


def write(net: Network, target: Path) -> None:
    """Write the weights, those of matrices in half precision."""
    arrays = {
        name.replace(".", "_"): value.detach().numpy()
        for name, value in net.state_dict().items()
    }
    np.savez_compressed(
        target,
        **{
            name: value.astype(np.float16 if value.ndim > 1 else np.float32)
            for name, value in arrays.items()
        },
    )


def main() -> None:
    """Train the network."""
    here = Path(make_kits.__file__).parents[1] / "specnmf" / "methods" / "drums"
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("file", type=Path, nargs="?", default=here / "network.npz")
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
