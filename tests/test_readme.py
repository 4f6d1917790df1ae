"""The README and the tutorial: what they show is what happens."""

import re
import subprocess
import sys

import pytest
from conftest import ROOT
from shown import blocks, page, run, run_consoles

README = page("README.md")
TUTORIAL = page("docs", "tutorial.md")
MAKEFILE = page("Makefile")


@pytest.fixture
def project(tmp_path):
    """A folder with the bundled recordings, to run the examples in."""
    (tmp_path / "audio_examples").symlink_to(ROOT / "audio_examples")
    return tmp_path


def test_the_readme_begins_with_what_it_is():
    sentence = re.search(r"^specnmf is .*?\.\n", README, re.MULTILINE | re.DOTALL)
    words = " ".join(sentence.group().split())
    assert words.startswith("specnmf is a command-line tool and Python library for")
    assert "audio source separation" in words
    assert "non-negative matrix factorisation (NMF)" in words


def test_the_readme_is_short():
    assert len(README.splitlines()) <= 165


@pytest.mark.slow  # the demo, and all commands
def test_after_the_demo_the_readmes_commands_print_what_it_shows(project):
    (name,) = re.findall(r"^DEMO\s*:= (.*)$", MAKEFILE, re.MULTILINE)
    (demo,) = re.findall(r"^\t\$\(BIN\)/(specnmf .*)$", MAKEFILE, re.MULTILINE)
    demo = run(demo.replace("$(DEMO)", name), project)
    assert demo.returncode == 0, demo.stdout
    assert len(blocks("console", README)) >= 4
    run_consoles(README, project)


def test_the_readmes_python_runs(project):
    (code,) = blocks("python", README)
    audioread = "ignore::DeprecationWarning:audioread.rawread"  # librosa.load's
    python = [sys.executable, "-W", "error", "-W", audioread, "-c", code]
    assert subprocess.run(python, cwd=project, check=False).returncode == 0


def test_the_readmes_make_targets_exist():
    targets = re.findall(r"^make (\w+)", README, re.MULTILINE)
    assert set(targets) >= {"demo", "test"}
    for target in targets:
        assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE)


@pytest.mark.slow  # the tutorial's runs
def test_the_tutorials_commands_print_what_it_shows(project):
    run_consoles(TUTORIAL, project)
