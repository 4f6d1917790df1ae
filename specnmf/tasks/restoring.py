"""Stems that are factorisations: what a run stores of them, and reads again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from specnmf.errors import OutputError, ParameterError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from specnmf.audio.recording import Audio
    from specnmf.audio.stft import Grid
    from specnmf.factor.factorization import Factorization
    from specnmf.factor.layers.model import Layers
    from specnmf.methods.stems import Stems
    from specnmf.methods.storing import StoredArrays
    from specnmf.tasks.task import StemModel

#: Pitches beyond it, as MIDI numbers, are none.
MOST_PITCH = 1000.0


def factor_arrays(stems: StemModel) -> Mapping[str, NDArray[Any]]:
    """What factors.npz lacks of stems that are a factorisation.

    The names of the stems, for some have no component; labels, for those of an edited
    run are others; pitches, losses; W and H where factors.npz has not all their digits.
    """
    import numpy as np

    from specnmf.methods.storing import text_array

    factors = stems.factors
    arrays: dict[str, NDArray[Any]] = {
        "stems": text_array(stems.names),
        "labels": text_array(factors.labels),
        "pitches": stems.pitches,
        "losses": stems.losses,
    }
    for name, matrix in (("W", factors.W), ("H", factors.H)):
        if matrix.dtype != np.float32:
            arrays[name] = matrix
    return arrays


def factors_from(folder: Path, stored: StoredArrays, grid: Grid) -> Factorization:
    """The factorisation of a finished run, as it was fitted.

    Raises
    ------
    OutputError
        If there is none, or it is not that of a recording on this grid.
    """
    from specnmf.factor.factorization import Factorization
    from specnmf.output.stored import read_factors

    factors = read_factors(folder).factors
    _check_size(folder, (len(factors.W), factors.H.shape[1]), grid)
    W, H = (
        stored.floats(name, matrix.shape, least=0) if name in stored else matrix
        for name, matrix in (("W", factors.W), ("H", factors.H))
    )
    labels = stored.texts("labels") if "labels" in stored else factors.labels
    if len(labels) != factors.n_components:
        stored.refuse(f"{factors.n_components} labels", len(labels))
    return Factorization(W, H, labels, factors.losses)


def layers_from(folder: Path, n_layers: int, grid: Grid) -> Layers:
    """The layers of a finished run.

    Raises
    ------
    OutputError
        If they are none, or not those of a recording on this grid.
    """
    from specnmf.factor.layers.model import Layers
    from specnmf.output.stored import read_archive

    numbers = range(1, n_layers + 1)
    names = [f"{letter}_{number}" for letter in "AS" for number in numbers]
    stored = read_archive(folder / "layers.npz", [*names, "losses"])
    matrices = [stored.matrix(name) for name in names]
    A, S = matrices[:n_layers], matrices[n_layers:]
    _check_size(folder, (len(A[0]), S[0].shape[1]), grid)
    try:
        return Layers(A, S, losses=stored.floats("losses", (None,)))
    except ParameterError as error:
        raise OutputError(f"{stored.name}: {error}") from error


def check_files(names: Sequence[str], folder: Path) -> Sequence[str]:
    """The names of stems, if each may be that of a file, else an OutputError."""
    from specnmf.score.grouping import safe_names

    for name in names:
        if safe_names([name])[name] != name:
            raise OutputError(f"{folder}: has a stem {name[:99]!r}, no name of a file")
    return names


def pitches_from(stored: StoredArrays, n_components: int) -> NDArray[np.float64]:
    """The pitch of each component; NaN without one."""
    return stored.floats(
        "pitches", (n_components,), least=-MOST_PITCH, most=MOST_PITCH, missing=True
    )


def factor_stems(folder: Path, audio: Audio, grid: Grid) -> Stems:
    """The stems that `factor_arrays` were made of.

    Raises
    ------
    OutputError
        As of `factors_from`.
    """
    from specnmf.audio.models import FactorModels
    from specnmf.methods.stems import Stems
    from specnmf.output.stored import stored_model

    stored = stored_model(folder)
    factors = factors_from(folder, stored, grid)
    names = stored.texts("stems")
    if not {*factors.labels} <= {*names}:
        stored.refuse("the labels of components among the stems", "others")
    return Stems(
        audio,
        grid,
        FactorModels(factors, names=names),
        stored.floats("losses", (None,)),
        factors,
        pitches_from(stored, factors.n_components),
    )


def _check_size(folder: Path, size: tuple[int, int], grid: Grid) -> None:
    """Raise OutputError unless there are as many bins and frames as on the grid."""
    if size != (grid.n_bins, grid.n_frames):
        raise OutputError(
            f"{folder}: its factors have {size[0]} bins and {size[1]} frames, the "
            f"recording has {grid.n_bins} and {grid.n_frames}; is it another one?"
        )
