"""The model of known sounds: what a run stores of it, and reads again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from specnmf.factor.convolutive.model import ConvolutiveFactorization
from specnmf.factor.factorization import Factorization
from specnmf.methods.components.material import Material
from specnmf.methods.components.options import ComponentOptions
from specnmf.methods.learned.fitting import KnownStems
from specnmf.methods.storing import StoredArrays, text_array

#: The arrays beside those that every factorisation stores.
TEMPLATES, PATTERN_W, PATTERN_H = "templates", "pattern_W", "pattern_H"


def arrays(stems: KnownStems) -> Mapping[str, NDArray[Any]]:
    """The names of templates, and the model where they have several frames."""
    named = {TEMPLATES: text_array(stems.templates)}
    if stems.pattern is None:
        return named
    W, H = (matrix.astype(np.float32) for matrix in (stems.pattern.W, stems.pattern.H))
    return {**named, PATTERN_W: W, PATTERN_H: H}


def restore(
    stored: StoredArrays,
    material: Material,
    options: ComponentOptions,
    *,
    factors: Factorization,
    pitches: NDArray[np.float64],
) -> KnownStems:
    """The stems that `arrays` were made of.

    Raises
    ------
    OutputError
        If an array is missing, or does not fit the factors.
    """
    templates, pattern = stored.texts(TEMPLATES), None
    if len(templates) != factors.n_components:
        stored.refuse(f"{factors.n_components} names of templates", len(templates))
    if PATTERN_W in stored:
        shape = (len(factors.W), factors.n_components, None)
        W = stored.floats(PATTERN_W, shape, np.float32, least=0)
        H = stored.floats(PATTERN_H, factors.H.shape, np.float32, least=0)
        if not W.shape[2]:
            stored.refuse("templates of one frame or more", "none")
        pattern = ConvolutiveFactorization(W, H, factors.labels)
    return KnownStems(material, options, factors, pitches, templates, pattern)
