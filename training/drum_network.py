"""The network of specnmf.methods.drums.network, in torch."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from specnmf.methods.drums.network import DILATIONS, HEARD
from specnmf.methods.drums.patches import N_HEARD, QUANTILE, RISE, SHARPNESS

#: Channels of the first filters, of the others, and of what the whole loop tells.
FILTERS, WIDTH, CONTEXT = 12, 72, 32


class Network(nn.Module):
    """Logits of strokes from levels and their rise."""

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

    def forward(self, x: Tensor) -> Tensor:
        """Logits, (n, n_frames, n_heard), of levels, (n, 2, n_frames, N_HEARD)."""
        x = torch.relu(self.first(x))
        x = torch.relu(self.joined(x.permute(0, 2, 1, 3).flatten(2)))
        for block in self.blocks:
            x = x + torch.relu(block(x.mT).mT)
        song = torch.relu(self.gathered(x)).mean(dim=1, keepdim=True)
        x = x + torch.relu(self.mixed(self.dropped(x)) + self.spread(song))
        return self.last(self.dropped(x))


def levels(bands: Tensor) -> Tensor:
    """As specnmf.methods.drums.patches.compressed."""
    loudness = torch.quantile(bands.mean(dim=2), QUANTILE, dim=1)[:, None, None]
    x = torch.log1p(bands * (SHARPNESS / loudness.clamp(min=1e-9)))
    return torch.stack([x, x - nn.functional.pad(x, (0, 0, RISE, 0))[:, :-RISE]], 1)
