"""``--config`` and ``specnmf config``, as their user meets them."""

import json
import os
import tomllib

import click
import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from specnmf.cli import cli
from specnmf.cli.config import spell_toml
from specnmf.cli.config_file import MOST_CONFIG_BYTES, configurable

QUICK = ("-k", "2", "--max-iter", "3", "--no-figures", "--no-sources")


@pytest.fixture
def song(tmp_path):
    t = np.arange(4000) / 8000
    soundfile.write(tmp_path / "song.wav", 0.3 * np.sin(2764 * t), 8000, "PCM_16")
    return tmp_path / "song.wav"


@pytest.fixture
def config(tmp_path):
    """Write my.toml."""

    def write(text):
        (tmp_path / "my.toml").write_text(text, encoding="utf-8")

    return write


def settings_of(run, *args):
    status, out, err = run("decompose", "song.wav", *args, "--json", "--overwrite")
    assert (status, err) == (0, "")
    return json.loads(out)["runs"][0]["settings"]


def shown(run, *args):
    status, out, err = run("config", "show", *args, "--json")
    assert (status, err) == (0, "")
    return json.loads(out)


def test_a_commands_table_goes_before_what_stands_at_the_top(run, song, config):
    config(
        "[decompose]\nmax-iter = 4\nno_figures = true\n"
        '[separate]\nby = "hand"\nmax-iter = 9\n'
    )
    assert settings_of(run, "--config", "my.toml")["max_iter"] == 4
    config("max-iter = 7\nseed = 3\nfigures = false\n[decompose]\nmax_iter = 4\n")
    settings = settings_of(run, "--config", "my.toml", "-k", "2")
    assert (settings["max_iter"], settings["seed"]) == (4, 3)
    assert settings_of(run, "--config", "my.toml", "--max-iter", "2")["max_iter"] == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('by = "hand"', "by is an option of separate"),
        ("[separate]\nby='hand'\n[decompose]\nby = 'hand'", "put it under [separate]"),
        ("[decompose]\nmax_itr = 3", "unknown key 'max_itr'; did you mean 'max-iter'?"),
        ("[decompos]\nseed = 3", "unknown table 'decompos'; did you mean 'decompose'?"),
        ("[xyzzy]\nseed = 3", "unknown table 'xyzzy'"),
        ("decompose = 3", "unknown key 'decompose'"),
        ("[seed]\na = 3", "seed takes a value, got a table"),
        ("seed = true", "seed takes one string or number"),
        ("seed = [1]", "seed takes one string or number"),
        ("max-iter = 2.5", "'2.5' is not a valid integer"),
        ("tol = nan", "tol takes one string or number"),
        ("subtype = 2020-01-01", "subtype takes one string or number"),
        (f"seed = 0x{'f' * 4000}", "seed takes one string or number"),
        ("figures = 1", "figures takes true or false"),
        ("no-figures = 'yes'", "no-figures takes true or false"),
        (
            "a" + ".a" * 3000 + " = 1",
            "not valid TOML: a line is longer than 4096 bytes",
        ),
        ("#" * MOST_CONFIG_BYTES + "\n", "larger than 64 KB"),
        ('x = "\0"', "not valid TOML"),
    ],
)
def test_a_wrong_file_is_wrong_usage(run, song, config, text, message):
    config(text)
    status, out, err = run("decompose", "song.wav", "--config", "my.toml")
    assert (status, out) == (2, "")
    assert message in err.replace("\n", " ")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("high = 3", "group takes a name or a list of names"),
        ("high = [['a']]", "group takes a name or a list of names"),
        ("high.low = 'a'", "group takes a name or a list of names"),
        ("'' = 'a'", "a group must be"),
    ],
)
def test_a_wrong_group_is_wrong_usage(run, song, config, table, message):
    for head in ("[group]", "[separate.group]"):
        config(f"{head}\n{table}\n")
        status, _, err = run("separate", "song.wav", "--config", "my.toml")
        assert status == 2
        assert message in err


def test_a_key_of_many_parts_takes_no_time(run, song, config):
    """The parser's time is quadratic in them; unlimited, this one takes a minute."""
    config(("a." * 2000 + "a = 1\n") * 16)
    status, _, err = run("decompose", "song.wav", "--config", "my.toml")
    assert status == 2
    assert "my.toml: not valid TOML" in err


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs /dev")
def test_a_file_without_end_is_refused(run, song):
    status, _, err = run("decompose", "song.wav", "--config", "/dev/zero")
    assert status == 2
    assert "larger than 64 KB" in err


def test_show_prints_the_defaults_of_all_commands(run):
    status, out, err = run("config", "show")
    assert (status, err) == (0, "")
    content = tomllib.loads(out)
    names = [command.name for command in configurable()]
    assert list(content) == names
    assert {"decompose", "separate", "evaluate", "rerun"} <= set(names)
    assert content["decompose"]["beta"] == "kl"
    assert content["decompose"]["figures"] is True
    assert '\nsolver = "auto"  # default\n' in out
    assert "\n# Maximum number of iterations.\nmax-iter = 200  # default\n" in out
    assert "\n#n-fft =\n" in out


def test_every_option_is_shown(run):
    content = shown(run)
    for command in configurable():
        flags = {
            flag
            for param in command.params
            if isinstance(param, click.Option) and param.name != "config"
            for flag in param.opts
        }
        assert {f"--{name}" for name in content[command.name]} <= flags
        assert len(content[command.name]) == len(
            [flag for flag in flags if flag.startswith("--")]
        )


def test_show_says_where_values_come_from(run, config):
    config('seed = 3\n[decompose]\nno-figures = true\nbeta = "is"\n[evaluate]\nv4=true')
    content = shown(run, "--config", "my.toml")
    assert content["decompose"]["seed"] == {"value": 3, "from": "my.toml"}
    assert content["decompose"]["figures"] == {"value": False, "from": "my.toml"}
    assert content["decompose"]["tol"] == {"value": 1e-4, "from": "default"}
    assert content["decompose"]["n-fft"] == {"value": None, "from": None}
    assert content["separate"]["seed"] == {"value": 3, "from": "my.toml"}
    assert content["separate"]["group"] == {"value": None, "from": None}
    assert content["evaluate"]["v4"] == {"value": True, "from": "my.toml"}
    assert list(shown(run, "evaluate")) == ["evaluate"]


def test_what_is_shown_makes_the_same_run(run, song, config, tmp_path):
    config('[decompose]\ncomponents = 2\nmax-iter = 3\nbeta = "is"\nfigures = false\n')
    (tmp_path / "all.toml").write_text(run("config", "show", "--config", "my.toml")[1])
    assert settings_of(run, "--config", "all.toml") == settings_of(
        run, "--config", "my.toml"
    )
    before = shown(run, "--config", "my.toml")
    after = shown(run, "--config", "all.toml")
    for command, options in before.items():
        for name, option in options.items():
            assert after[command][name]["value"] == option["value"]


def test_the_defaults_that_are_shown_are_those_of_a_run(run, song, tmp_path):
    for command in (each.name for each in configurable()):
        (tmp_path / "all.toml").write_text(run("config", "show", command)[1])
        more = {"evaluate": ["b"], "label": ["--labels", "b"]}
        args = ["a", *more.get(command, [])]
        root = click.Context(cli, **cli.context_settings)
        made = [
            cli.get_command(root, command).make_context(command, given, root).params
            for given in (args.copy(), [*args, "--config", "all.toml"])
        ]
        assert made[0] == made[1]


def test_groups_are_shown_as_they_are_read(run, config, tmp_path):
    config('[separate.group]\n"höhe \\"1\\"" = ["a*", "b"]\nlow = "*"\n')
    out = run("config", "show", "separate", "--config", "my.toml")[1]
    expected = {'höhe "1"': ["a*", "b"], "low": "*"}
    assert tomllib.loads(out)["separate"]["group"] == expected
    (tmp_path / "all.toml").write_text(out, encoding="utf-8")
    again = run("config", "show", "separate", "--config", "all.toml")[1]
    assert again == out.replace("# my.toml", "# all.toml").replace(
        "# default", "# all.toml"
    )


def test_the_name_of_the_file_cannot_break_out_of_its_comment(run, tmp_path):
    name = 'a\nseed = 9 \u2028\x1b"\U0001f600.toml'
    (tmp_path / name).write_text("seed = 3\n")
    out = run("config", "show", "decompose", "--config", name)[1]
    assert tomllib.loads(out)["decompose"]["seed"] == 3
    assert "\x1b" not in out


TEXT = st.text(st.characters(exclude_categories=["Cs"]))
SCALARS = TEXT | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False)


@given(
    value=SCALARS
    | st.booleans()
    | st.lists(SCALARS)
    | st.dictionaries(TEXT, TEXT | st.lists(TEXT))
)
def test_what_is_spelled_in_toml_is_read_again(value):
    assert tomllib.loads(f"key = {spell_toml(value)}  # default") == {"key": value}


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("decompse",), "no command 'decompse' with options; did you mean 'decomp"),
        (("config",), "no command 'config' with options; one of decompose, sep"),
        (("--config", "none.toml"), "none.toml: No such file"),
    ],
)
def test_show_of_nothing_is_wrong_usage(run, args, message):
    status, out, err = run("config", "show", *args)
    assert (status, out) == (2, "")
    assert message in err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[evaluate]\nmask = 'ratio'", "mask is an option of decompose"),
        (
            "[config]\njson = true",
            "[config]: this command takes no options from a file",
        ),
        ("xyzzy = 3", "unknown key 'xyzzy'"),
        ("[decompose]\nbeta = 'x'", "beta must be euclidean, kl, is or a number"),
        ("[separate]\ntranspose = 'up'", "expected auto or a whole number"),
    ],
)
def test_show_checks_all_tables(run, config, text, message):
    config(text)
    status, out, err = run("config", "show", "--config", "my.toml")
    assert (status, out) == (2, "")
    assert message in err
    if text.startswith("[e"):
        assert message in run("config", "show", "rerun", "--config", "my.toml")[2]


def test_help_of_the_group_ends_with_an_example(run):
    for args in (("config",), ("config", "show")):
        out = run(*args, "--help")[1]
        assert out.splitlines()[-1].strip().startswith("Example: specnmf config show")
