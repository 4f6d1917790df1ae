"""The documentation: what it shows is what happens."""

import importlib.util
import re
import shlex
import subprocess
import sys

import click
import pytest
from conftest import ROOT

from specnmf.cli import cli

README = (ROOT / "README.md").read_text(encoding="utf-8")
HOWTO = (ROOT / "docs" / "howto.md").read_text(encoding="utf-8")
PAGES = {
    page.name: page.read_text(encoding="utf-8")
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
}

#: The command, and what makes the how-tos quick.
SPECNMF = f"""
set -euo pipefail
specnmf() {{ {shlex.quote(sys.executable)} -m specnmf "$@"; }}
"""
QUICK = SPECNMF.replace(
    "specnmf() {",
    """specnmf() {
case $1 in
evaluate|rerun|edit|config|transcribe) ;;
*) set -- "$@" --no-figures --max-iter 5;;
esac
""",
)

DECIBELS = re.compile(r"-?\d+\.\d\d")

#: What another machine, or another day, gives other figures of.
CLOCK = re.compile(r"\d+:\d\d:\d\d")
SPEED = re.compile(r"\d+\.\d")


def blocks(language, text=README):
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def commands(page):
    """The calls of specnmf in a page's blocks and in its sentences."""
    blocks = re.findall(r"^```\w+\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    prose = re.sub(r"^```.*?^```", "", page, flags=re.MULTILINE | re.DOTALL)
    lines += [
        " ".join(code.split()) for code in re.findall(r"`(specnmf [^`]+)`", prose)
    ]
    calls = [line.strip().removeprefix("$ ") for line in lines]
    return [call for call in calls if re.match(r"specnmf (?!COMMAND)", call)]


def words(line):
    """What the command line makes of a call; files need not be there."""
    line = re.sub(r"--config \S+", "", line)
    command, (name, *arguments) = cli, shlex.split(line, comments=True)
    while isinstance(command, click.Group) and arguments != ["--help"] and arguments:
        name, *arguments = arguments
        command = command.get_command(click.Context(command), name)
        assert command is not None, line
    if not arguments or arguments == ["--help"]:
        return {}
    return command.make_context(name, arguments, **cli.context_settings).params


@pytest.fixture
def project(tmp_path):
    """A folder with the bundled recordings, to run the examples in."""
    (tmp_path / "audio_examples").symlink_to(ROOT / "audio_examples")
    return tmp_path


def run(script, cwd, start=SPECNMF):
    """Run lines as a shell runs them in a clone after the other lines."""
    return subprocess.run(
        ["bash", "-c", start + script],
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


def test_after_the_demo_the_readmes_commands_print_what_it_shows(project):
    makefile = (ROOT / "Makefile").read_text()
    (name,) = re.findall(r"^DEMO\s*:= (.*)$", makefile, re.MULTILINE)
    (demo,) = re.findall(r"^\t\$\(BIN\)/(specnmf .*)$", makefile, re.MULTILINE)
    demo = run(demo.replace("$(DEMO)", name), project)
    assert demo.returncode == 0, demo.stdout
    shown = [part for block in blocks("console") for part in block.split("$ ")[1:]]
    assert len(shown) >= 4
    for part in shown:
        command, _, expected = part.partition("\n")
        result = run(command, project)
        assert same(result.stdout.split(), expected.split()), result.stdout


def test_the_readmes_python_runs(project):
    (code,) = blocks("python")
    subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=project, check=True)


def test_the_how_tos_run_in_their_order(project):
    page = re.findall(r"^```(sh|python)\n(.*?)^```", HOWTO, re.MULTILINE | re.DOTALL)
    assert len(page) >= 4
    for language, code in page:
        if language == "sh":
            result = run(code, project, QUICK)
            assert result.returncode == 0, result.stdout
        else:
            python = [sys.executable, "-W", "error", "-c", code]
            subprocess.run(python, cwd=project, check=True)


def test_the_how_tos_write_where_the_readme_does_not():
    calls = re.findall(r"^specnmf .*", "".join(blocks("sh", HOWTO)), re.MULTILINE)
    written = [
        call for call in calls if not re.match(r"specnmf (config|evaluate)", call)
    ]
    assert all(re.search(r" -o out(/|$| )", call) for call in written), written
    assert "-o out" not in README


@pytest.mark.parametrize("page", PAGES)
def test_every_command_that_is_shown_is_understood(page):
    for line in commands(PAGES[page]):
        words(line)


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
