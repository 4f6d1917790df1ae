"""The documentation: what it shows is what happens, and its links lead somewhere."""

import importlib.util
import re
import subprocess
import sys
from collections import Counter

import pytest
from conftest import ROOT
from shown import SPECNMF, blocks, commands, run, run_consoles, words

DOCS = ROOT / "docs"

#: Folders of docs/ that a build writes.
BUILT = {"_build", "gallery", "generated"}

PAGES = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for path in [
        *ROOT.glob("*.md"),
        *ROOT.glob("benchmarks/*.md"),
        *ROOT.glob("audio_examples/*.md"),
        *ROOT.glob("training/*.md"),
        *sorted(DOCS.glob("**/*.md")),
    ]
    if not BUILT & set(path.relative_to(ROOT).parts)
}

#: Those whose commands are whole ones of today.
SHOWING = [name for name in PAGES if name.startswith(("README", "docs/"))]

#: Those with commands to run; tests/test_mir.py runs mir.md.
HOWTOS = sorted(
    path.stem for path in (DOCS / "howto").glob("*.md") if path.stem != "mir"
)
HOWTOS.remove("index")

#: What is run each time; the others are slow.
AT_ONCE = {"rerun"}

THEORY = "".join(text for name, text in PAGES.items() if "/theory/" in name)

#: The command in a hurry.
QUICK = SPECNMF.replace(
    "specnmf() {",
    """specnmf() {
case $1 in
evaluate|config) ;;
rerun) set -- "$@" --no-figures;;
edit|transcribe) set -- "$@" --no-figures --no-report;;
learn) set -- "$@" --no-figures;;
*) set -- "$@" --no-figures --no-report --max-iter 5;;
esac
""",
)

#: Python in which warnings are errors, but for one that librosa's own readers give.
PYTHON = [sys.executable, "-W", "error"]
PYTHON += ["-W", "ignore::DeprecationWarning:audioread.rawread"]


@pytest.fixture
def project(tmp_path):
    """A folder with the bundled recordings, to run the examples in."""
    (tmp_path / "audio_examples").symlink_to(ROOT / "audio_examples")
    return tmp_path


def marked(name):
    return pytest.param(name, marks=[] if name in AT_ONCE else [pytest.mark.slow])


@pytest.mark.parametrize("name", [marked(each) for each in HOWTOS])
def test_a_how_to_runs_from_top_to_bottom(name, project):
    text = PAGES[f"docs/howto/{name}.md"]
    fences = re.findall(r"^```(\w+)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    parts = [part for part in fences if part[0] in ("sh", "console", "python")]
    assert parts, "nothing to run"
    for language, code in parts:
        if language == "console":
            run_consoles(f"```console\n{code}```", project)
        elif language == "sh":
            result = run(code, project, QUICK)
            assert result.returncode == 0, result.stdout
        else:
            subprocess.run([*PYTHON, "-c", code], cwd=project, check=True)


@pytest.mark.parametrize("name", HOWTOS)
def test_the_how_tos_write_into_out(name):
    text = PAGES[f"docs/howto/{name}.md"]
    calls = commands("".join(f"```sh\n{code}```\n" for code in blocks("sh", text)))
    for call in calls:
        if not re.match(r"specnmf (config|evaluate)", call):
            assert re.search(r" -o out(/|$| )", call), call


@pytest.mark.parametrize("folder", ["howto", "theory"])
def test_the_index_of_a_manual_names_every_page_twice(folder):
    index = PAGES[f"docs/{folder}/index.md"]
    (tree,) = re.findall(r"^```\{toctree\}\n:hidden:\n\n(.*?)^```", index, re.M | re.S)
    linked = re.findall(r"\]\((\w+)\.md\)", index)
    assert sorted(tree.split()) == sorted(linked)
    there = {name for name in PAGES if name.startswith(f"docs/{folder}/")}
    assert there <= {f"docs/{folder}/{name}.md" for name in [*linked, "index"]}


def test_the_equations_are_numbered_once_over_all_pages():
    numbers = sorted(map(int, re.findall(r"\\tag\{(\d+)\}", THEORY)))
    assert numbers == list(range(1, len(numbers) + 1))


def test_the_sections_are_numbered_once_over_all_pages():
    numbers = sorted(map(int, re.findall(r"^# (\d+)\. ", THEORY, re.MULTILINE)))
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("page", SHOWING)
def test_every_command_that_is_shown_is_understood(page):
    for line in commands(PAGES[page]):
        words(line)


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page):
    for target in links(PAGES[page]):
        path, _, anchor = target.partition("#")
        file = (ROOT / page).parent.joinpath(path).resolve() if path else ROOT / page
        if BUILT & set(file.relative_to(ROOT).parts):
            continue
        assert file.exists(), target
        if anchor:
            assert anchor in anchors(file.read_text(encoding="utf-8")), target


def test_every_script_that_is_named_is_there():
    sources = [
        path.read_text(encoding="utf-8")
        for folder in ("specnmf", "benchmarks", "training")
        for path in (ROOT / folder).rglob("*.*")
        if path.suffix in (".py", ".txt")
    ]
    named = {
        name
        for text in (*PAGES.values(), *sources)
        for name in re.findall(
            r"\b(?:audio_examples|benchmarks|training)/\w+\.py", text
        )
    }
    assert "training/train_drums.py" in named
    assert {name for name in named if not (ROOT / name).is_file()} == set()


def test_links_in_code_are_none_and_headings_have_githubs_anchors():
    text = "# What `--it` does, in [short](a.md)\n[b](c.md#d)\n```sh\n[e](f.md)\n```\n"
    assert links(text) == ["a.md", "c.md#d"]
    assert anchors(text + "## Twice\n## Twice\n#### Too deep\n") == {
        "what---it-does-in-short",
        "twice",
        "twice-1",
    }


def links(text):
    """The targets of a page's links and images that are files of the project."""
    prose = re.sub(r"^ *```.*?^ *```", "", text, flags=re.MULTILINE | re.DOTALL)
    prose = re.sub(r"`[^`]*`", "", prose)
    targets = re.findall(r"\]\(([^)\s]+)\)", prose)
    return [target for target in targets if not re.match(r"\w+:", target)]


def anchors(text):
    """GitHub's anchors of the headings, down to the depth that the site has."""
    prose = re.sub(r"^ *```.*?^ *```", "", text, flags=re.MULTILINE | re.DOTALL)
    seen = Counter()
    for heading in re.findall(r"^#{1,3} (.*)$", prose, re.MULTILINE):
        words = re.sub(r"\[(.*?)\]\(.*?\)", r"\1", heading).lower()
        seen[re.sub(r"[^\w\- ]", "", words).replace(" ", "-")] += 1
    return set(seen) | {f"{a}-{i}" for a in seen for i in range(1, seen[a])}


def test_the_page_of_the_command_line_is_up_to_date():
    spec = importlib.util.spec_from_file_location("make_cli", DOCS / "make_cli.py")
    make_cli = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make_cli)
    page = (DOCS / "cli.md").read_text(encoding="utf-8")
    assert page == make_cli.page(), "run: make generated"
