"""Settings: defaults, names of betas, windows."""

import dataclasses
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specnmf import (
    LabelSettings,
    LayerSettings,
    ParameterError,
    ScoreSettings,
    Settings,
)
from specnmf.audio.options import window
from specnmf.factor.options import MOST_AUTO, parse_beta
from specnmf.options import from_plain
from specnmf.sizes import parse_size, spell_size


@pytest.mark.parametrize(
    ("given", "expected"),
    [("euclidean", 2), ("KL", 1), (" is ", 0), ("0.5", 0.5), (-1, -1), ("2", 2)],
)
def test_betas_have_names_and_numbers(given, expected):
    assert parse_beta(given) == expected


@pytest.mark.parametrize("given", ["", "kullback", math.nan, math.inf, "1e999"])
def test_other_betas_are_refused(given):
    with pytest.raises(
        ParameterError, match="beta must be euclidean, kl, is or a number"
    ):
        parse_beta(given)


@pytest.mark.parametrize(
    ("given", "expected"),
    [("2G", 2**31), ("512m", 2**29), (" 1.5K ", 1536), ("1T", 2**40), ("7", 7), (9, 9)],
)
def test_sizes_have_letters_and_numbers(given, expected):
    assert parse_size(given) == expected


@pytest.mark.parametrize("given", ["", "G", "2X", "-1G", "0", "1e9", "1" * 99, "2 GB"])
def test_other_sizes_are_refused(given):
    with pytest.raises(ParameterError, match="must be like 2G, 512M or bytes, got"):
        parse_size(given)


def test_a_spelled_size_is_no_smaller():
    assert parse_size(spell_size(2**30 + 1)) == 2**30 + 2**20


def test_the_number_of_components_is_a_number_or_left_open():
    assert Settings(n_components=5).most_components == 5
    assert Settings(n_components="auto").most_components == MOST_AUTO
    with pytest.raises(ParameterError, match="a whole number or auto, got 'two'"):
        Settings(n_components="two")
    with pytest.raises(ParameterError, match="n_components must be at least 1, got 0"):
        Settings(n_components=0)


def test_the_defaults_are_those_of_the_contract():
    settings = Settings()
    assert (settings.n_components, settings.beta, settings.solver) == (8, 1, "auto")
    assert (settings.max_iter, settings.tol, settings.seed) == (200, 1e-4, 0)
    assert (settings.mask_power, settings.format) == (1, "wav")


def test_by_default_a_score_is_aligned_if_need_be_and_gives_its_parts():
    settings = ScoreSettings()
    assert (settings.by, settings.align, settings.model) == ("part", "auto", "partials")
    assert (settings.residual, settings.groups, settings.format) == (None, {}, "wav")


@pytest.mark.parametrize(
    ("given", "power"),
    [
        ({"model": "partials"}, 2.0),
        ({"model": "fmp"}, 1.0),
        ({"model": "fmp-onsets"}, 1.0),
        ({"model": "partials", "mask_power": 1.5}, 1.5),
        ({"model": "fmp", "mask_power": 2.0}, 2.0),
    ],
)
def test_the_exponent_of_the_masks_is_the_models_unless_given(given, power):
    assert ScoreSettings(**given).power == power


@pytest.mark.parametrize(
    "extreme",
    [
        {"split": 0},
        {"split": 128},
        {"transpose": -48},
        {"transpose": 48},
        {"transpose": "auto"},
        {"tol": 0.0},
        {"max_iter": 1},
        {"n_fft": 16, "hop_length": 1},
        {"residual": True},
    ],
)
def test_the_bounds_of_a_scores_settings_are_within(extreme):
    settings = ScoreSettings(**extreme)
    assert {name: getattr(settings, name) for name in extreme} == extreme


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


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"by": "voice"}, "by must be one of part, hand, pitch, note, got 'voice'"),
        ({"model": "nmf"}, "model must be one of partials, fmp, fmp-onsets, got 'nmf'"),
        ({"align": "yes"}, "align must be one of auto, always, never, got 'yes'"),
        ({"split": -1}, "split must lie between 0 and 128, got -1"),
        ({"split": 129}, "split must lie between 0 and 128, got 129"),
        ({"transpose": -49}, "transpose must lie between -48 and 48, got -49"),
        ({"transpose": 49}, "transpose must lie between -48 and 48, got 49"),
        ({"transpose": "up"}, "transpose must lie between -48 and 48, got up"),
        ({"tol": -0.1}, "tol must be at least 0, got -0.1"),
        ({"tol": math.nan}, "tol must be at least 0, got nan"),
        ({"mask_power": 0.0}, "mask_power must be above 0, got 0.0"),
        ({"residual": True, "model": "fmp"}, "model fmp has no residual; use model"),
        ({"residual": True, "model": "fmp-onsets"}, "fmp-onsets has no residual"),
    ],
)
def test_a_scores_settings_check_themselves(wrong, message):
    with pytest.raises(ParameterError, match=message):
        ScoreSettings(**wrong)


KINDS = [Settings, ScoreSettings, LayerSettings, LabelSettings]


@pytest.mark.parametrize(
    ("kind", "wrong", "message"),
    [
        (LayerSettings, {"ranks": ()}, "ranks"),
        (LayerSettings, {"ranks": (4, 8)}, "ranks"),
        (LayerSettings, {"ranks": (4, 4)}, "ranks"),
        (LayerSettings, {"ranks": (4, 0)}, "ranks?"),
        (LayerSettings, {"stems": (4,)}, "stems must lie between 1 and 3, got 4"),
        (LayerSettings, {"stems": (0,)}, "stems must lie between 1 and 3, got 0"),
        (LayerSettings, {"solver": "hals", "beta": 1.0}, "hals minimises only beta 2"),
        (LayerSettings, {"method": "deep"}, "method must be one of sequential, neural"),
        (LayerSettings, {"label_weight": -1.0}, "label_weight must be at least 0"),
        (LabelSettings, {"n_components": 0}, "n_components must be at least 1, got 0"),
        (LabelSettings, {"n_rest": -1}, "n_rest must be at least 0, got -1"),
        (LabelSettings, {"transpose": 25}, "transpose must lie between 0 and 24"),
        (LabelSettings, {"mask_power": 0.0}, "mask_power must be above 0, got 0.0"),
    ],
)
def test_settings_of_layers_and_labels_check_themselves(kind, wrong, message):
    with pytest.raises(ParameterError, match=message):
        kind(**wrong)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"max_iter": 0}, "max_iter must be at least 1, got 0"),
        ({"seed": -1}, "seed must be at least 0, got -1"),
        ({"n_fft": 15}, "n_fft must be even and at least 16, got 15"),
        ({"n_fft": 14}, "n_fft must be even and at least 16, got 14"),
        ({"n_fft": 512, "hop_length": 513}, "must not exceed n_fft"),
        ({"hop_length": 0}, "hop_length must be at least 1, got 0"),
        ({"start": -1.0}, "start must lie between 0 and 1000000000, got -1.0"),
        ({"duration": 0.0}, "duration must be above 0, got 0.0"),
        ({"duration": math.inf}, "duration must be above 0, got inf"),
        ({"mask": "soft"}, "mask must be one of ratio, binary, got 'soft'"),
        (
            {"format": "aac"},
            "format must be one of wav, flac, ogg, mp3, m4a, opus, got 'aac'",
        ),
        ({"subtype": "VORBIS"}, "subtype of wav must be one of PCM_24"),
        ({"figure_format": "gif"}, "figure_format must be one of png, svg, pdf"),
        ({"threads": 0}, "threads must be at least 1, got 0"),
    ],
)
def test_what_every_run_has_is_checked_for_every_run(kind, wrong, message):
    with pytest.raises(ParameterError, match=message):
        kind(**wrong)


SCORED = ScoreSettings(groups={"high": ("soprano", "alto*")}, transpose="auto", tol=0)


@pytest.mark.parametrize(
    "settings",
    [
        Settings(),
        Settings(n_components="auto", duration=3, seed=7),
        SCORED,
        LayerSettings(ranks=(5, 2), stems=[1]),
        LabelSettings(n_rest=0),
    ],
)
def test_settings_survive_json(settings):
    text = json.dumps(dataclasses.asdict(settings))
    again = from_plain(type(settings), json.loads(text))
    assert type(again) is type(settings)
    assert json.dumps(dataclasses.asdict(again)) == text


def test_runs_without_a_newer_option_have_what_was_done_then():
    content = dataclasses.asdict(ScoreSettings())
    assert content.pop("wiener") == "auto"
    assert from_plain(ScoreSettings, content).wiener == "never"
    assert content.pop("no_score") is False
    assert from_plain(ScoreSettings, content).no_score is False


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=4,
)


@given(
    kind=st.sampled_from(KINDS),
    changes=st.dictionaries(
        st.sampled_from(sorted({f.name for k in KINDS for f in dataclasses.fields(k)})),
        PLAIN | st.just(10**400),
        min_size=1,
    ),
)
def test_any_plain_values_are_settings_or_a_parameter_error_of_one_line(kind, changes):
    content = dataclasses.asdict(kind()) | changes
    try:
        said = dataclasses.asdict(from_plain(kind, content))
    except ParameterError as error:
        said = str(error)
    assert said == content or len(said.splitlines()) == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": True}, "seed must be a whole number, got true"),
        ({"seed": 3.0}, "seed must be a whole number, got 3.0"),
        ({"seed": None}, "seed must be a whole number, got null"),
        ({"sources": 1}, "sources must be true or false, got 1"),
        ({"n_fft": "512"}, 'n_fft must be a whole number or null, got "512"'),
        ({"tol": "0"}, 'tol must be a number, got "0"'),
        ({"tol": False}, "tol must be a number, got false"),
        ({"mask": "soft"}, 'mask must be one of ratio, binary, got "soft"'),
        ({"mask": ["ratio"]}, "mask must be one of ratio, binary, got a list"),
        ({"transpose": "up"}, 'transpose must be a whole number or auto, got "up"'),
        (
            {"groups": {"a": "b"}},
            "groups must be a table .* lists of text, got a table",
        ),
        (
            {"groups": {"a": [1]}},
            "groups must be a table .* lists of text, got a table",
        ),
        ({"groups": [["a"]]}, "groups must be a table .* lists of text, got a list"),
        ({"subtype": {}}, "subtype must be text or null, got a table"),
        ({"seed": -1}, "seed must be at least 0, got -1"),
        ({"sed": 1}, "there is no setting 'sed'; did you mean 'seed'?"),
        ({"x\ny": 1}, r"there is no setting 'x\\ny'$"),
    ],
)
def test_plain_values_of_another_type_are_refused(change, message):
    content = dataclasses.asdict(ScoreSettings()) | change
    with pytest.raises(ParameterError, match=f"^{message}"):
        from_plain(ScoreSettings, content)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ranks": 3}, "ranks must be a list of whole numbers, got 3"),
        ({"ranks": [3, 2.0]}, "ranks must be a list of whole numbers, got a list"),
        ({"ranks": [2, 3]}, "ranks must decrease from layer to layer, such as 32,8,3"),
        ({"stems": "all"}, 'stems must be a list of whole numbers or null, got "all"'),
    ],
)
def test_plain_values_that_are_no_ranks_are_refused(change, message):
    content = dataclasses.asdict(LayerSettings()) | change
    with pytest.raises(ParameterError, match=f"^{message}"):
        from_plain(LayerSettings, content)


def test_a_missing_setting_is_named():
    content = dataclasses.asdict(Settings())
    del content["memory"]
    with pytest.raises(ParameterError, match="the setting 'memory' is missing"):
        from_plain(Settings, content)


def test_a_number_beyond_all_floats_is_out_of_range():
    with pytest.raises(ParameterError, match="seed must be at least 0"):
        Settings(seed=10**400)
    with pytest.raises(ParameterError, match="beta must be euclidean"):
        Settings(beta=10**400)
