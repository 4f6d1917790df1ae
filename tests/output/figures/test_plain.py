"""Figures are the same, whatever settings of matplotlib a user has."""

import os
import subprocess
import sys

import pytest
from conftest import ROOT

#: Draws a figure into the folder that it is given.
DRAW = """
import sys
from pathlib import Path
from specnmf.output.figures import canvas

def draw(title):
    figure = canvas.new_figure(title, "its subtitle", 1, [("one", "red")])
    canvas.panel(figure, (1, 0.6, 9, 1)).plot([1, 2, -3])
    return figure

for kind in ("png", "svg"):
    canvas.write(Path(sys.argv[1]), "A title", {"figure": draw}, kind)
"""

STYLE = "text.usetex: True\nfont.size: 40\nfont.family: serif\naxes.facecolor: red\n"


def draw(folder, place, program=DRAW, **environment):
    """The bytes of a figure that is drawn by a process of such an environment."""
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", program, folder],
        cwd=place,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return [(folder / f"figure.{kind}").read_bytes() for kind in ("png", "svg")]


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    place = tmp_path_factory.mktemp("plain")
    return draw(place / "out", place)


@pytest.mark.slow  # processes that draw every figure
@pytest.mark.parametrize("backend", ["nope", "module://nope.nope", "pdf"])
def test_no_backend_matters(tmp_path, expected, backend):
    assert draw(tmp_path / "out", tmp_path, MPLBACKEND=backend) == expected


@pytest.mark.slow  # processes that draw every figure
@pytest.mark.parametrize(
    "content", [STYLE.encode(), b"\xff\xfe\x00", b"font.size: large?\nno colon\n"]
)
def test_no_matplotlibrc_matters(tmp_path, expected, content):
    (tmp_path / "matplotlibrc").write_bytes(content)
    assert draw(tmp_path / "here", tmp_path) == expected
    named = {"MATPLOTLIBRC": str(tmp_path / "matplotlibrc"), "MPLBACKEND": "nope"}
    assert draw(tmp_path / "there", tmp_path.parent, **named) == expected


def test_a_folder_of_settings_that_cannot_be_made_is_not_told_of(tmp_path, expected):
    (tmp_path / "file").touch()
    settings = {"MPLCONFIGDIR": str(tmp_path / "file")}
    assert draw(tmp_path / "out", tmp_path, **settings) == expected


def test_the_settings_of_a_program_stay_its_own_and_do_not_matter(tmp_path, expected):
    before = "import matplotlib\nmatplotlib.rcParams['font.size'] = 33\n"
    after = "assert matplotlib.rcParams['font.size'] == 33\n"
    program = before + DRAW + after
    assert draw(tmp_path / "out", tmp_path, program=program) == expected
