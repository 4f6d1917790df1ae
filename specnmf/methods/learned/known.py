"""Templates that are given with a recording: of a file, of another run, or an array."""

from __future__ import annotations

import os
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from specnmf.audio.stft import Grid
from specnmf.errors import ParameterError, TemplateError
from specnmf.methods.components.options import ComponentOptions
from specnmf.methods.components.templates import count_templates, templates_of
from specnmf.methods.learned.templates import Templates, converted, read_templates

#: The array that only files of `specnmf learn` have.
MARK = "hop_length.npy"


@dataclass(frozen=True, eq=False)
class Known:
    """Templates on the bins and frames of a recording.

    Attributes
    ----------
    W : array, shape (n_bins, n_templates, n_template_frames)
        The templates.
    names, groups : tuple of str
        The name and the stem of each; empty if they have none.
    """

    W: NDArray[np.floating]
    names: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()

    @property
    def n_templates(self) -> int:
        """The number of templates."""
        return int(self.W.shape[1])

    @property
    def n_frames(self) -> int:
        """Their length in frames; 1: spectra."""
        return int(self.W.shape[2])

    def is_plain(self, options: ComponentOptions) -> bool:
        """Whether they only are fixed components among as many as are asked for."""
        return not (self.names or options.adapt or options.n_free is not None)


def known_of(given: Any, grid: Grid) -> Known:
    """What is given as templates, for a recording.

    Parameters
    ----------
    given : path, Templates, Factorization or array, shape (n_bins, n_templates)
        The templates; the file is one of `specnmf learn`, or a factors.npz.
    grid : Grid
        Of the recording.

    Raises
    ------
    TemplateError
        If they are no templates, or do not fit the recording.
    """
    learned = _learned(given)
    if learned is None:
        return Known(templates_of(given, grid)[:, :, np.newaxis])
    try:
        own = converted(learned, grid)
    except TemplateError as error:
        name = given if isinstance(given, str | os.PathLike) else "templates"
        raise TemplateError(f"{name}: {error}") from error
    return Known(own.W, own.names, own.groups)


def n_rows(given: Any, options: ComponentOptions) -> int:
    """How many rows of activations a fit holds at most, with what is given.

    Raises
    ------
    TemplateError
        If it is no templates.
    """
    if given is None:
        return options.most_stems
    learned, n_free = _learned(given), options.n_free
    if learned is not None:
        return (learned.n_templates + (n_free or 0)) * learned.n_template_frames
    n_given = count_templates(given)
    if n_free is None:
        return max(options.most_components, n_given)
    return n_given + n_free


def check_given(given: Any, options: ComponentOptions) -> None:
    """Raise ParameterError if an option does not go with templates, or without."""
    if given is not None and options.parts:
        raise ParameterError(
            f"templates are held in a whole recording, got split {options.split}; use "
            "--split none or no --templates"
        )
    if given is None and (options.adapt or options.n_free is not None):
        raise ParameterError(
            "adapt and free are for given templates; use --templates, or -k for the "
            "number of components"
        )


def is_learned(given: Any) -> bool:
    """Whether they are `Templates`, or their file, and so have names."""
    if not isinstance(given, str | os.PathLike):
        return isinstance(given, Templates)
    try:
        if not Path(given).is_file():
            return False
        with zipfile.ZipFile(given) as archive:
            return MARK in archive.namelist()
    except Exception:  # a broken archive may raise anything; its reader says what
        return False


def _learned(given: Any) -> Templates | None:
    """The templates with names, if they are such."""
    if not is_learned(given):
        return None
    return given if isinstance(given, Templates) else read_templates(given)
