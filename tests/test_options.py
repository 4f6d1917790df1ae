"""Options of one's own: declared, inherited, checked, and shown under headings."""

from typing import Literal

import click
import pytest

from specnmf import LabelSettings, ParameterError, ScoreSettings, Settings
from specnmf.cli.options import Command, options_of
from specnmf.options import Options, changed, option


class Gate(Options, group="Gate"):
    """How a gate works."""

    threshold: float = option(-40.0, "Level in dB.", most=0)
    ratio: float = option(2.0, "Ratio.", above=1, most=20)
    hold: int | Literal["auto"] = option(3, "Frames.", least=0)
    names: dict[str, str] = option({"a": "b"}, "Names.")


class Wide(Gate):
    """A gate with other defaults."""

    threshold: float = changed(Gate, "threshold", default=-60.0)
    names: dict[str, str] = changed(Gate, "names", help="Other names.")


def test_each_object_has_defaults_of_its_own():
    one, other = Wide(), Wide()
    assert (one.threshold, one.names) == (-60, {"a": "b"})
    assert one.names is not other.names
    assert one == other


def test_docstrings_list_the_options():
    assert "threshold : float\n    Level in dB." in Wide.__doc__


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"threshold": 1}, "threshold must be at most 0, got 1"),
        ({"threshold": float("nan")}, "threshold must be at most 0, got nan"),
        ({"ratio": 1}, "ratio must be above 1, got 1"),
        ({"ratio": 21}, "ratio must be at most 20, got 21"),
        ({"hold": -1}, "hold must be at least 0, got -1"),
    ],
)
def test_each_bound_is_checked(wrong, message):
    with pytest.raises(ParameterError, match=message):
        Gate(**wrong)


def test_auto_and_none_are_values_only_where_the_type_has_them():
    assert Gate(hold="auto").hold == "auto"
    assert ScoreSettings(transpose="auto", mask_power=None).power == 2
    with pytest.raises(ParameterError, match="must lie between 0 and 24, got auto"):
        LabelSettings(transpose="auto")
    with pytest.raises(TypeError):
        Settings(max_iter=None)


def test_a_heading_of_ones_own_follows_the_others():
    class Both(Gate):
        """A gate, with an option of the usual kind."""

        names: str = option("", "Names.")
        quiet: bool = option(False, "Say nothing.")

    command = Command("gate", params=options_of(Both))
    out = command.get_help(click.Context(command))
    assert out.index("What to do:\n") < out.index("Gate:\n  --threshold FLOAT")
