"""The network of specnmf.methods.transcription.builtin_network, in torch."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from specnmf.methods.transcription.builtin_network import (
    DILATIONS,
    FURTHEST,
    N_STACKED,
    semitones_apart,
    stacking,
)


class Network(nn.Module):
    """Logits of notes and onsets, and cents, from levels."""

    def __init__(self, width: int, narrow: int, context: int) -> None:
        super().__init__()
        self.register_buffer("stacking", torch.from_numpy(stacking()), persistent=False)
        self.register_buffer(
            "apart", torch.from_numpy(semitones_apart()), persistent=False
        )
        self.first = nn.Conv2d(N_STACKED, width, (3, 1), padding=(1, 0))
        self.along = nn.ModuleList(
            nn.Conv2d(width, width, (3, 1), padding=(d, 0), dilation=(d, 1))
            for d in DILATIONS
        )
        self.narrowed = nn.ModuleList(nn.Conv2d(width, narrow, 1) for _ in DILATIONS)
        self.across = nn.ParameterList(
            0.15 * torch.randn(narrow, 2 * FURTHEST + 1) for _ in DILATIONS
        )
        self.widened = nn.ModuleList(nn.Conv2d(narrow, width, 1) for _ in DILATIONS)
        self.gathered = nn.Conv2d(width, context, 1)
        self.spread = nn.Conv2d(2 * context, width, 1)
        self.mixed = nn.Conv2d(width, width, 1)
        self.last = nn.Conv2d(width, 3, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(n, 3, n_frames, N_PITCHES) of levels (n, n_frames, n_bins)."""
        x = nn.functional.pad(x, (0, 1))[:, :, self.stacking].transpose(1, 2)
        x = torch.relu(self.first(x))
        for number in range(len(DILATIONS)):
            x = x + torch.relu(self.along[number](x))
            y = torch.relu(self.narrowed[number](x))
            y = y @ nn.functional.pad(self.across[number], (0, 1))[:, self.apart]
            x = x + torch.relu(self.widened[number](y))
            if number == 1:
                y = torch.relu(self.gathered(x))
                seen = torch.cat([y.mean(3, keepdim=True), y.amax(3, keepdim=True)], 1)
                x = x + torch.relu(self.spread(seen))
        return self.last(x + torch.relu(self.mixed(x)))
