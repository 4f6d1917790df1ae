"""What the package says of itself agrees with what it is."""

import re
import tomllib

import pytest
import yaml
from conftest import ROOT

import specnmf
from specnmf.score import loading, midi_reading, musicxml_document, notelist

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def text(name):
    return (ROOT / name).read_text(encoding="utf-8")


def test_there_is_one_version():
    citation = yaml.safe_load(text("CITATION.cff"))
    released = re.findall(r"^## (\d+\.\d+\.\d+) \((\S+)\)$", text("CHANGELOG.md"), re.M)
    assert specnmf.__version__ == PROJECT["version"] == citation["version"]
    assert released[0] == (citation["version"], str(citation["date-released"]))


def test_pythons_of_classifiers_are_tested():
    named = [
        each.rpartition(" :: ")[2]
        for each in PROJECT["classifiers"]
        if re.search(r"Python :: 3\.\d+$", each)
    ]
    workflow = yaml.safe_load(text(".github/workflows/ci.yml"))
    job = workflow["jobs"]["ci"]
    assert job["strategy"]["matrix"]["python"] == named
    assert job["steps"][-1]["run"] == ".ci/run"
    assert PROJECT["requires-python"] == f">={named[0]}"


def test_hooks_run_what_make_runs():
    hooks = yaml.safe_load(text(".pre-commit-config.yaml"))["repos"][0]["hooks"]
    makefile = text("Makefile").replace("$(BIN)", ".venv/bin")
    for hook in hooks:
        program = hook["entry"].replace(" --force-exclude", "")
        assert f"\t{program}" in makefile, program


@pytest.mark.parametrize("name", ["bug.yml", "idea.yml", "config.yml"])
def test_issue_templates_are_yaml(name):
    template = yaml.safe_load(text(f".github/ISSUE_TEMPLATE/{name}"))
    assert {"body", "contact_links"} & set(template)


def test_security_note_names_the_limits_of_the_code():
    note = text("SECURITY.md")
    assert f"{midi_reading.MAX_BYTES >> 20} MB, a million notes" in note
    assert f"{musicxml_document.MAX_BYTES >> 20} MB unpacked" in note
    assert f"{musicxml_document.MAX_ELEMENTS // 1_000_000} million elements" in note
    assert f"depth {musicxml_document.MAX_DEPTH}" in note
    assert f"{notelist.MAX_BYTES >> 20} MB, a million notes" in note
    assert loading.MAX_NOTES == 1_000_000


def test_container_runs_the_commands_of_the_readme():
    container = text("Dockerfile")
    for command in ("make demo", "make test"):
        assert f"RUN {command}\n" in container
        assert command in text("README.md")


def test_readme_on_pypi_links_to_the_repository():
    hook = tomllib.loads(text("pyproject.toml"))["tool"]["hatch"]["metadata"]["hooks"]
    page = text("README.md")
    for each in hook["fancy-pypi-readme"]["substitutions"]:
        page = re.sub(each["pattern"], each["replacement"], page)
    links = re.findall(r"\]\(([^)]+)\)", page)
    assert links
    assert all(link.startswith(("https://", "#")) for link in links)
