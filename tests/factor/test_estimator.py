"""NMF: the scikit-learn estimator."""

from functools import partial

import librosa
import numpy as np
import pytest
from sklearn.utils.estimator_checks import estimator_checks_generator

from specnmf import NMF, ParameterError


@pytest.mark.slow  # scikit-learn's many checks
@pytest.mark.parametrize(
    ("estimator", "check"),
    [
        pair
        for estimator in (NMF(), NMF(2, beta=2), NMF(3, beta="is"))
        for pair in estimator_checks_generator(estimator)
        if "array_api" not in str(pair[1])
    ],
    ids=lambda value: value.func.__name__ if isinstance(value, partial) else str(value),
)
def test_it_passes_scikit_learns_checks(estimator, check):
    assert check(estimator) is None  # it raises what it finds


@pytest.fixture
def S(rng):
    return (rng.random((65, 4)) @ rng.random((4, 90))).astype(np.float32)


def test_it_is_a_transformer_for_librosa(S):
    W, H = librosa.decompose.decompose(S, transformer=NMF(4, max_iter=1000, tol=0))
    assert W.shape == (65, 4)
    assert H.shape == (4, 90)
    assert np.linalg.norm(W @ H - S) / np.linalg.norm(S) < 0.02


def test_inverse_transform_gives_the_model(S):
    model = NMF(4, max_iter=300).fit(S.T)
    activations = model.transform(S.T)
    np.testing.assert_allclose(
        model.inverse_transform(activations), activations @ model.components_
    )
    assert list(model.get_feature_names_out()) == ["nmf0", "nmf1", "nmf2", "nmf3"]


def test_wrong_options_are_named_when_fitting(S):
    with pytest.raises(ParameterError, match="solver must be one of"):
        NMF(2, solver="cd").fit(S.T)
