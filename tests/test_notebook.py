"""docs/notebook.ipynb: it runs as it stands, and shows what it says."""

import json
import os
import shutil
from importlib.util import find_spec

import pytest
from conftest import ROOT

NOTEBOOK = ROOT / "docs" / "notebook.ipynb"
#: Seconds that a cell may take.
TIMEOUT = 120

needs_jupyter = pytest.mark.skipif(
    not all(map(find_spec, ("nbclient", "nbformat", "ipykernel"))),
    reason="nbclient, nbformat and ipykernel run notebooks; pip install them",
)


def written():
    return json.loads(NOTEBOOK.read_text("utf-8"))


def code(notebook):
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def test_the_notebook_is_stored_without_outputs_and_paths():
    notebook = written()
    for cell in code(notebook):
        assert cell["outputs"] == []
        assert cell["execution_count"] is None
    assert all(cell["metadata"] == {} for cell in notebook["cells"])
    assert set(notebook["metadata"]) == {"kernelspec", "language_info"}
    assert "/home" not in NOTEBOOK.read_text("utf-8")


def test_its_first_cell_is_the_five_lines_that_one_needs():
    lines = [line for line in code(written())[0]["source"] if line.strip()]
    assert len(lines) == 5


def executed(root):
    """The notebook after it was executed, in a folder like the repository's."""
    import nbformat
    from nbclient import NotebookClient

    (root / "docs").mkdir()
    shutil.copytree(ROOT / "audio_examples", root / "audio_examples")
    client = NotebookClient(
        nbformat.reads(NOTEBOOK.read_text("utf-8"), as_version=4),
        timeout=TIMEOUT,
        kernel_name="python3",
        resources={"metadata": {"path": str(root / "docs")}},
    )
    return client.execute(env=environment())


def environment():
    """Kernels find this package, wherever they are started, and no user's settings."""
    places = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    kept = {k: v for k, v in os.environ.items() if k != "MPLBACKEND"}
    return {**kept, "PYTHONPATH": os.pathsep.join(places), "IPYTHONDIR": ""}


def shown(cell):
    """The kinds of what a cell shows, and the HTML in it."""
    outputs = [out["data"] for out in cell["outputs"] if "data" in out]
    kinds = {kind for data in outputs for kind in data}
    return kinds, "".join(data.get("text/html", "") for data in outputs)


@pytest.mark.slow  # runs the notebook
@needs_jupyter
def test_the_notebook_shows_players_pictures_and_lines_and_no_warnings(tmp_path):
    cells = code(executed(tmp_path))
    for cell in cells:
        assert all("data" in out for out in cell["outputs"]), cell["outputs"]
        for out in cell["outputs"]:
            assert "\n" not in out["data"]["text/plain"]
    players = [cell for cell in cells if "<iframe" in shown(cell)[1]]
    pictures = [cell for cell in cells if "image/png" in shown(cell)[0]]
    assert len(players) == 4
    assert len(pictures) == 3
    assert all(len(cell["outputs"]) == 1 for cell in pictures)
