"""Writing the weights of a network for the package, which runs it without torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from torch import nn


def write(net: nn.Module, target: Path) -> None:
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
