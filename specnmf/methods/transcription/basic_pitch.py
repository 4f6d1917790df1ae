"""basic-pitch: the network of Bittner et al., where it is installed."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from specnmf.audio.recording import Audio
from specnmf.errors import ParameterError
from specnmf.methods.progress import Step
from specnmf.methods.transcription.salience import Salience

#: The rate, in Hz, and the window that the network takes, in samples.
SR, WINDOW = 22_050, 43_844

#: Samples a frame, and the frames of a window that are not near its edges.
HOP, EDGE, KEPT = 256, 15, 141

#: Windows that the network is given at once.
BATCH = 8

_MODEL = "saved_models/icassp_2022/nmp.onnx"
_OUTPUTS = {"contour": ":0", "note": ":1", "onset": ":2"}


class BasicPitch:
    """A network for all instruments (Bittner et al. 2022)."""

    name = "basic-pitch"

    def hear(
        self, audio: Audio, *, threads: int | None = None, step: Step | None = None
    ) -> Salience:
        """Listen to a recording."""
        import librosa

        mono = audio.samples.mean(axis=0)
        samples = librosa.resample(mono, orig_sr=audio.sr, target_sr=SR)
        n_frames = len(samples) // HOP + 1
        session = _session(threads)
        heard: dict[str, list[NDArray[np.float32]]] = {name: [] for name in _OUTPUTS}
        names = [f"StatefulPartitionedCall{place}" for place in _OUTPUTS.values()]
        for windows in _batches(samples, n_frames):
            out = session.run(names, {session.get_inputs()[0].name: windows})
            for name, values in zip(_OUTPUTS, out, strict=True):
                kept = values[:, EDGE : EDGE + KEPT]
                heard[name].append(kept.reshape(-1, kept.shape[2]))
        whole = {
            name: np.concatenate(each)[:n_frames].T for name, each in heard.items()
        }
        times = np.arange(n_frames) * HOP / SR
        return Salience(whole["note"], whole["onset"], times, whole["contour"])


def model_path() -> Path | None:
    """Where the network is, without importing its package; None: not installed."""
    if importlib.util.find_spec("onnxruntime") is None:
        return None
    spec = importlib.util.find_spec("basic_pitch")
    places = spec.submodule_search_locations if spec is not None else None
    paths = [Path(place) / _MODEL for place in places or ()]
    return next((path for path in paths if path.is_file()), None)


def _session(threads: int | None) -> Any:
    import onnxruntime

    path = model_path()
    if path is None:
        raise ParameterError(
            "basic-pitch is not installed; pip install onnxruntime, then "
            "pip install --no-deps basic-pitch"
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or 0
    return onnxruntime.InferenceSession(
        path, options, providers=["CPUExecutionProvider"]
    )


def _batches(
    samples: NDArray[np.float32], n_frames: int
) -> Iterator[NDArray[np.float32]]:
    """The windows, some at a time, (n, WINDOW, 1), so that kept frames follow on."""
    n_windows = -(-n_frames // KEPT)
    before, length = EDGE * HOP, (n_windows - 1) * KEPT * HOP + WINDOW
    padded = np.zeros(length + before, np.float32)
    padded[before : before + len(samples)] = samples[:length]
    for first in range(0, n_windows, BATCH):
        starts = np.arange(first, min(first + BATCH, n_windows)) * KEPT * HOP
        yield np.stack([padded[s : s + WINDOW] for s in starts])[..., np.newaxis]
