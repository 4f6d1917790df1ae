"""Settings: defaults, names of betas, windows."""

import math

import pytest

from specnmf import ParameterError, Settings
from specnmf.settings import parse_beta, window


@pytest.mark.parametrize(
    ("given", "expected"),
    [("euclidean", 2), ("KL", 1), (" is ", 0), ("0.5", 0.5), (-1, -1), ("2", 2)],
)
def test_betas_have_names_and_numbers(given, expected):
    assert parse_beta(given) == expected


@pytest.mark.parametrize("given", ["", "kullback", math.nan, math.inf, "1e999"])
def test_other_betas_are_refused(given):
    with pytest.raises(ParameterError, match="beta is euclidean, kl, is or a number"):
        parse_beta(given)


def test_the_defaults_are_those_of_the_contract():
    settings = Settings()
    assert (settings.n_components, settings.beta, settings.solver) == (8, 1, "auto")
    assert (settings.max_iter, settings.tol, settings.seed) == (200, 1e-4, 0)
    assert (settings.mask_power, settings.format) == (1, "wav")


@pytest.mark.parametrize(
    ("sr", "n_fft", "hop_length", "expected"),
    [
        (44100, None, None, (2048, 512)),
        (44100, 4096, None, (4096, 1024)),
        (44100, None, 100, (2048, 100)),
        (96000, None, None, (4096, 1024)),
        (96000, 1024, 1024, (1024, 1024)),
    ],
)
def test_what_is_not_given_of_a_window_is_filled_in(sr, n_fft, hop_length, expected):
    assert window(sr, n_fft, hop_length) == expected


@pytest.mark.parametrize(
    "wrong",
    [
        {"n_components": 0},
        {"solver": "cd"},
        {"solver": "hals", "beta": 1.0},
        {"init": "zeros"},
        {"tol": math.nan},
        {"duration": 0.0},
        {"mask": "soft"},
        {"format": "aac"},
        {"format": "flac", "subtype": "FLOAT"},
        {"threads": 0},
    ],
)
def test_settings_check_themselves(wrong):
    with pytest.raises(ParameterError):
        Settings(**wrong)
