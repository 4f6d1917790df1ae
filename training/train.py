"""Train the network that hears notes.

    python training/train.py EXAMPLES STATE

EXAMPLES is what examples.py made. STATE is a folder: state.pt, from which an
interrupted training goes on, and network.npz, the mean of the latest weights, which
is copied to specnmf/methods/transcription/ by hand when it is better.
"""

from __future__ import annotations

import argparse
import math
import time
from pathlib import Path

import numpy as np
import torch
from examples import STEP
from network import Network
from torch import Tensor, nn
from weights import write

from specnmf.methods.transcription.builtin_network import RANGE
from specnmf.methods.transcription.builtin_spectrum import PER_SEMITONE

#: Channels of the network, of what pitches see of each other, and of the moment's.
WIDTH, NARROW, CONTEXT = 32, 20, 16

FRAMES, BATCH, RATE, STEPS = 128, 8, 2.5e-3, 27_000
ROUND = 250  # steps from one report to the next

#: The weights of onsets and cents in the loss.
ONSETS, CENTS = 3.0, 0.02

#: How often two pieces sound together, and pieces are transposed, and how far.
TOGETHER, TRANSPOSED, FARTHEST = 0.25, 0.3, 4


class Examples:
    """Pieces in memory, whose parts come in random order, changed at random."""

    def __init__(self, files: list[Path]) -> None:
        self.levels, self.labels = [], []
        for file in files:
            with np.load(file) as arrays:
                self.levels.append(torch.from_numpy(arrays["levels"]))
                own = [arrays[name] for name in ("notes", "onsets", "cents")]
                labels = np.stack([each.astype(np.int16) for each in own], axis=1)
                self.labels.append(torch.from_numpy(labels))

    def part(self, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Magnitudes (FRAMES, n_bins) and labels (3, FRAMES, n_pitches) of a moment."""
        k = int(rng.integers(len(self.levels)))
        n = int(rng.integers(len(self.levels[k])))
        first = int(rng.integers(self.levels[k].shape[1] - FRAMES + 1))
        at = slice(first, first + FRAMES)
        return self.levels[k][n, at].float(), self.labels[k][n, :, at].float()

    def changed(self, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """The same, transposed, coloured, mixed with another."""
        levels, labels = self.part(rng)
        power = _power(_transposed(levels, labels, rng), rng)
        if rng.random() < TOGETHER:
            others, more = self.part(rng)
            gain = 10 ** (rng.uniform(-10, 6) / 10) * power.max()
            power = power + gain * _power(others, rng)
            labels = torch.stack(
                [
                    torch.maximum(labels[0], more[0]),
                    torch.maximum(labels[1], more[1]),
                    torch.where(labels[0] > 0, labels[2], more[2]),
                ]
            )
        magnitudes = power.sqrt()
        if rng.random() < 0.1:  # a recording without high frequencies
            magnitudes[:, int(rng.integers(150, 290)) :] = 0
        loudest = magnitudes.max() * 10 ** (rng.uniform(-1, 10) / 20)
        relative = magnitudes * (RANGE / loudest.clamp(min=1e-9))
        return torch.log1p(relative) / math.log1p(RANGE), labels

    def batch(self, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Levels (n, n_frames, n_bins) and labels (n, 3, n_frames, n_pitches)."""
        levels, labels = zip(*(self.changed(rng) for _ in range(BATCH)), strict=True)
        return torch.stack(levels), torch.stack(labels)


def _power(levels: Tensor, rng: np.random.Generator) -> Tensor:
    """Power, of a random colour."""
    knots = torch.from_numpy(rng.normal(size=(1, 1, 7)) * rng.uniform(0, 4)).float()
    gains = nn.functional.interpolate(knots, levels.shape[1], mode="linear")[0]
    decibels = gains - STEP * levels
    return torch.where(levels < 255, 10 ** (decibels / 10), torch.zeros(()))


def _transposed(levels: Tensor, labels: Tensor, rng: np.random.Generator) -> Tensor:
    """Levels a few semitones away; labels are changed in place."""
    if rng.random() >= TRANSPOSED:
        return levels
    up = int(rng.integers(-FARTHEST, FARTHEST + 1))
    moved = torch.full_like(levels, 255.0)
    _shift(levels, moved, up * PER_SEMITONE)
    own = labels.clone()
    labels.zero_()
    _shift(own, labels, up)
    return moved


def _shift(given: Tensor, out: Tensor, up: int) -> None:
    n = given.shape[-1]
    out[..., max(0, up) : n + min(0, up)] = given[..., max(0, -up) : n - max(0, up)]


def loss_of(out: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """The losses of notes and onsets, and of cents where notes sound."""
    bce = nn.functional.binary_cross_entropy_with_logits
    sounding, begins, cents = labels.unbind(1)
    notes = bce(out[:, 0], sounding)
    onsets = bce(out[:, 1], begins / 255)
    off = nn.functional.huber_loss(out[:, 2], cents / 50, reduction="none")
    sharp = (off * sounding).sum() / sounding.sum().clamp(min=1)
    return notes + ONSETS * onsets + CENTS * sharp, torch.stack(
        [notes, onsets, sharp]
    ).detach()


def train(args: argparse.Namespace) -> None:
    """Go on from the state until all steps are done."""
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    net = Network(WIDTH, NARROW, CONTEXT)
    average = torch.optim.swa_utils.get_ema_multi_avg_fn(0.998)
    mean = torch.optim.swa_utils.AveragedModel(net, multi_avg_fn=average)
    optimizer = torch.optim.AdamW(net.parameters(), args.rate, weight_decay=1e-3)
    first, state = 0, args.state / "state.pt"
    if state.exists():
        kept = torch.load(state, weights_only=True)
        net.load_state_dict(kept["net"])
        mean.load_state_dict(kept["mean"])
        optimizer.load_state_dict(kept["optimizer"])
        first = kept["step"]
    examples = Examples(sorted(args.examples.glob("*.npz")))
    print(sum(p.numel() for p in net.parameters()), "weights", flush=True)
    total, begun = torch.zeros(3), time.time()
    for step in range(first, args.steps):
        if step % (4 * ROUND) == 0 and step > first:
            examples = Examples(sorted(args.examples.glob("*.npz")))
        rng = np.random.default_rng((args.seed, step))
        for group in optimizer.param_groups:
            part = (1 + math.cos(math.pi * step / args.steps)) / 2
            group["lr"] = args.rate * min(1, (step + 1) / 200) * part
        levels, labels = examples.batch(rng)
        with torch.autocast("cpu", torch.bfloat16, enabled=args.half):
            out = net(levels)
        loss, parts = loss_of(out.float(), labels)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        mean.update_parameters(net)
        total += parts
        if (step + 1) % ROUND == 0:
            shown = " ".join(f"{value:.5f}" for value in (total / ROUND).tolist())
            print(step + 1, "losses", shown, f"{time.time() - begun:.0f} s", flush=True)
            total.zero_()
            write(mean.module, args.state / "network.npz")
            torch.save(
                {
                    "net": net.state_dict(),
                    "mean": mean.state_dict(),
                    "optimizer": optimizer.state_dict(),
                    "step": step + 1,
                },
                state,
            )


def main() -> None:
    """Train."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("examples", type=Path)
    parser.add_argument("state", type=Path)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--rate", type=float, default=RATE)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--half", action="store_true", help="compute in bfloat16")
    args = parser.parse_args()
    args.state.mkdir(parents=True, exist_ok=True)
    train(args)


if __name__ == "__main__":
    main()
