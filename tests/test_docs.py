"""The documentation: what it shows is what happens."""

import importlib.util
import json
import re
import shlex
import subprocess
import sys

import pytest
from conftest import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
HOWTO = (ROOT / "docs" / "howto.md").read_text(encoding="utf-8")

#: What makes a command quick.
QUICK = {
    "decompose": " --overwrite --no-figures --max-iter 5",
    "separate": " --overwrite --no-figures --max-iter 5",
    "batch": " --no-figures --max-iter 5",
    "label": " --overwrite --no-figures --max-iter 5",
    "layers": " --overwrite --no-figures --max-iter 5",
}

DECIBELS = re.compile(r"-?\d+\.\d\d")

#: What another machine, or another day, gives other figures of.
CLOCK = re.compile(r"\d+:\d\d:\d\d")
SPEED = re.compile(r"\d+\.\d")


def blocks(language, text=README):
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


@pytest.fixture
def project(tmp_path):
    """A folder with the bundled recordings, to run the examples in."""
    (tmp_path / "audio_examples").symlink_to(ROOT / "audio_examples")
    return tmp_path


def run(command, cwd):
    words = shlex.split(command)
    assert words[0] == "specnmf"
    return subprocess.run(
        [sys.executable, "-m", "specnmf", *words[1:]],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def same(words, expected):
    """Whether two texts agree: decibels to a tenth, times and speeds as far as they are
    some."""
    return len(words) == len(expected) and all(map(_agree, words, expected))


def _agree(word, expected):
    for kind in (CLOCK, SPEED):
        if kind.fullmatch(expected):
            return kind.fullmatch(word) is not None
    if DECIBELS.fullmatch(expected):  # the last digit may differ
        return abs(float(word) - float(expected)) <= 0.1
    return word == expected


def test_the_readmes_commands_print_what_it_shows(project):
    shown = [part for block in blocks("console") for part in block.split("$ ")[1:]]
    assert len(shown) >= 4
    for part in shown:
        command, _, expected = part.partition("\n")
        result = run(command, project)
        assert same(result.stdout.split(), expected.split()), result.stdout


def test_the_readmes_python_runs(project):
    (code,) = blocks("python")
    subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=project, check=True)


def test_the_how_tos_run(project):
    commands = [
        line
        for block in blocks("text", HOWTO)
        for line in block.splitlines()
        if "song.wav" not in line
    ]
    assert len(commands) >= 4
    for command in commands:
        result = run(command + QUICK.get(command.split()[1], ""), project)
        assert result.returncode == 0, result.stdout
    for code in blocks("python", HOWTO):
        subprocess.run(
            [sys.executable, "-W", "error", "-c", code], cwd=project, check=True
        )


def test_the_how_tos_configuration_is_understood(project):
    (toml,) = blocks("toml", HOWTO)
    (project / "my.toml").write_text(toml)
    clip = "audio_examples/drums/drums.flac"
    command = f"specnmf decompose {clip} --config my.toml --max-iter 5 --json"
    result = run(command, project)
    settings = json.loads(result.stdout)["runs"][0]["settings"]
    assert (settings["n_components"], settings["n_fft"]) == (12, 4096)
    assert (settings["beta"], settings["figures"]) == (0, False)


def test_the_readmes_files_are_there():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        if not target.startswith("http"):
            assert (ROOT / target).exists(), target


def test_the_readmes_make_targets_exist():
    makefile = (ROOT / "Makefile").read_text()
    targets = re.findall(r"^make (\w+)", README, re.MULTILINE)
    assert set(targets) >= {"demo", "test"}
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


def test_the_page_of_the_command_line_is_up_to_date():
    spec = importlib.util.spec_from_file_location(
        "make_cli", ROOT / "docs" / "make_cli.py"
    )
    make_cli = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make_cli)
    page = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    assert page == make_cli.page(), "run: make docs"
