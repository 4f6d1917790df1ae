"""The memory of drums, forecast from their options."""

from __future__ import annotations

from functools import partial

from specnmf.audio.options import window
from specnmf.methods.drums.kits import window_length
from specnmf.methods.drums.network import DRUMS
from specnmf.methods.drums.options import DrumOptions
from specnmf.methods.drums.repeating import MOST, SECONDS
from specnmf.methods.memory import FITTING, WRITING, Held, Limit, Need

#: Copies of V in the fit, beside V of one channel: the start of the rest has its
#: medians, and a factorisation of its own. And those of H.
FITTED_V, FITTED_H = 6.8, 6

#: Copies of V where the stems are weighted by the parts of a split.
SPLIT_V = 3

#: Stems at most: the drums that are heard, and the rest.
STEMS = len(DRUMS) + 1

#: The spectra by which a sound that repeats is learned, in bytes for each bin of a
#: frame of a stroke.
LEARNED = 16


def limit(options: DrumOptions, sr: int, n_channels: int) -> Limit:
    """The memory limit of drums."""
    return Limit(options, partial(_plan, sr=sr, n_channels=n_channels))


def _plan(options: DrumOptions, *, sr: int, n_channels: int) -> Held:
    """What a recording takes with some options."""
    n_fft = options.n_fft or window_length(sr)
    n_fft, hop_length = window(sr, n_fft, options.hop_length)
    n_bins = n_fft // 2 + 1
    fitted = 4 * n_bins * (n_channels - 1 + FITTED_V)
    rows = 4 * FITTED_H * options.n_rest * n_channels
    return Held(
        sr=sr,
        n_channels=n_channels,
        n_fft=n_fft,
        hop_length=hop_length,
        n_components=options.n_rest,
        stages=(
            Need(each=fitted + rows),
            Need(fixed=WRITING - FITTING, each=4 * n_bins * SPLIT_V),
            *(
                [_repeats(sr, n_channels, hop_length, n_bins)]
                if options.repeats
                else []
            ),
        ),
    )


def _repeats(sr: int, n_channels: int, hop_length: int, n_bins: int) -> Need:
    """What sounds that repeat take: stems of masks, which become powers one by one."""
    strokes = max(2, MOST // n_channels)
    frames = strokes * (SECONDS * sr / hop_length + 4)
    stems = STEMS * max(4 * n_channels * hop_length, 2 * n_bins)
    left = 4 * n_channels * hop_length
    return Need(LEARNED * n_channels * n_bins * frames, stems + left + 8 * n_bins)
