"""The site: every public name has its place, and no page refers to another host."""

import inspect
import re
from dataclasses import fields

import pytest
from conftest import ROOT

import specnmf
from specnmf.options import Options

DOCS, SITE = ROOT / "docs", ROOT / "docs" / "_build" / "html"

#: What a page loads by itself, and where it is not the site's own.
LOADED = re.compile(
    r"<(?:script|img|iframe|source|audio|video|embed|object)\b[^>]*"
    r"\b(?:src|data|poster)\s*=\s*[\"']?((?:https?:)?//[^\"'\s>]*)"
    r"|<link\b[^>]*\bhref\s*=\s*[\"']?((?:https?:)?//[^\"'\s>]*)",
    re.I,
)
FETCHED = re.compile(r"(?:@import|url\()\s*[\"']?((?:https?:)?//[^\"')\s]*)", re.I)

built = pytest.mark.skipif(
    not (SITE / "index.html").is_file(), reason="needs the site: make docs"
)


def documented():
    """The full names that the pages of the API list, and their modules."""
    for page in (DOCS / "api").glob("*.md"):
        module = ""
        for line in page.read_text(encoding="utf-8").splitlines():
            if found := re.match(r"\.\. automodule:: (\S+)", line):
                yield found[1]
            if found := re.match(r"\.\. (?:current|auto)module:: (\S+)", line):
                module = found[1]
            elif found := re.match(r"(?:   |\.\. autoexception:: )(\w+)$", line):
                yield f"{module}.{found[1]}"


def public():
    """The full names of all that is public."""
    yield from (f"specnmf.{name}" for name in specnmf.__all__)
    yield from (f"specnmf.figures.{name}" for name in specnmf.figures.__all__)
    starts = specnmf.starts
    for name, each in inspect.getmembers(starts, inspect.isfunction):
        if each.__module__ == starts.__name__ and not name.startswith("_"):
            yield f"specnmf.starts.{name}"


def test_every_public_name_is_in_the_api_reference_once():
    assert sorted(documented()) == sorted(public())


@built
def test_every_public_name_has_a_page_or_a_place_in_one():
    index = (SITE / "genindex.html").read_text(encoding="utf-8")
    for name in public():
        assert f'html#{name}"' in index or f'html#module-{name}"' in index, name


@built
@pytest.mark.parametrize(
    "name", [each for each in specnmf.__all__ if each.endswith("Settings")]
)
def test_the_page_of_settings_has_a_row_for_each_option(name):
    page = (SITE / "api" / "generated" / f"specnmf.{name}.html").read_text("utf-8")
    rows = re.findall(
        r"<tr class=\"row-(?:even|odd)\"><td><p><code.*?</tr>", page, re.S
    )
    text = [re.sub(r"<[^>]*>", " ", row).split() for row in rows]
    kind = getattr(specnmf, name)
    assert issubclass(kind, Options)
    assert {row[0] for row in text} == {field.name for field in fields(kind)}


@built
def test_no_page_or_style_loads_anything_from_another_host():
    loaded = {}
    for path in SITE.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        loaded[path] = LOADED.findall(text) + FETCHED.findall(text)
    for path in SITE.rglob("*.css"):
        loaded[path] = FETCHED.findall(path.read_text(encoding="utf-8"))
    assert len(loaded) > 50
    assert {path: found for path, found in loaded.items() if found} == {}
