"""The site: pages in Markdown, the API by numpydoc, the gallery by sphinx-gallery.

``make docs`` builds it. Its pages fetch nothing: they can be read from a folder.
"""

from __future__ import annotations

import os
import re
import sys
from importlib.util import find_spec
from pathlib import Path

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

import specnmf

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))  # options_table.py, gallery_place.py

# What they are called in public, for autodoc imports modules by name.
sys.modules |= {
    f"specnmf.{name}": getattr(specnmf, name) for name in ("figures", "starts")
}

REPOSITORY = "https://github.com/specnmf/specnmf"

project = "specnmf"
author = "The specnmf developers"
copyright = author
version = release = specnmf.__version__
language = "en"

extensions = [
    "myst_parser",
    "numpydoc",
    "options_table",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = [
    "_build",
    "examples",  # the gallery is made of them
    "gallery/backreferences",
    "**/sg_execution_times.rst",
    "sg_execution_times.rst",
]
templates_path = ["_templates"]

# Markdown, as GitHub reads it.
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
myst_links_external_new_tab = False

# Docstrings: a name in single backticks is a link if it is a public one.
smartquotes = False  # they would change --options
default_role = "py:obj"
autodoc_typehints = "none"  # the tables of parameters tell types, shapes and units
autosummary_generate = True
numpydoc_show_class_members = False  # the template lists the members
nitpicky = True

html_theme = "furo"
pygments_dark_style = "github-dark"  # underlines nothing that is no link
html_title = f"specnmf {version}"
html_copy_source = False
html_show_search_summary = False  # it asks for pages, which a browser denies to files
html_show_sphinx = False
html_extra_path = ["formats"]
html_css_files = ["specnmf.css"]

# MathJax in one file, which draws formulas as SVG and needs no fonts.
_mathjax = find_spec("sphinx-mathjax-offline")
assert _mathjax is not None
assert _mathjax.origin is not None
html_static_path = [
    "_static",
    str(Path(_mathjax.origin).parent / "static" / "mathjax" / "tex-svg.js"),
]
mathjax_path = "tex-svg.js"
mathjax3_config = {
    "options": {"enableMenu": False},  # it would fetch scripts
    "svg": {"scale": 0.88},  # as high as the text, and most formulas fit the column
}

copybutton_exclude = ".linenos, .gp, .go"
copybutton_prompt_text = r"\$ |>>> |\.\.\. "
copybutton_prompt_is_regexp = True

sphinx_gallery_conf = {
    "examples_dirs": "examples",
    "gallery_dirs": "gallery",
    "filename_pattern": "/plot_",
    "within_subsection_order": "gallery_place.in_order",
    "reset_argv": "gallery_place.reset_argv",
    "capture_repr": ("_repr_html_", "__repr__"),
    "ignore_repr_types": "matplotlib|NoneType",
    "doc_module": ("specnmf",),
    "reference_url": {"specnmf": None},
    "backreferences_dir": "gallery/backreferences",
    "download_all_examples": False,
    "remove_config_comments": True,
    "min_reported_time": 3600,  # how long an example took depends on the machine
    "show_memory": False,
    "show_signature": False,
}

#: Files elsewhere in the repository that are pages of the site.
PAGES = {
    "audio_examples/README.md": "audio_examples.md",
    "benchmarks/README.md": "benchmarks.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "README.md": "index.md",
}

#: A link to a file in Markdown: its path, and its anchor.
LINK = re.compile(r"(?<=\]\()([^)#:\s]+)(#[^)\s]*)?(?=\))")


def with_links(text: str, beside: Path, page: Path) -> str:
    """Markdown whose links lead to pages of the site, or else to the repository.

    Parameters
    ----------
    text : str
        The Markdown.
    beside : path
        The folder that its links start from.
    page : path
        The folder of the page that it becomes.
    """

    def led(link: re.Match[str]) -> str:
        target = (beside / link[1]).resolve()
        if not target.exists():
            return link[0]
        inside = target.relative_to(HERE.parent).as_posix()
        if inside in PAGES:
            target = HERE / PAGES[inside]
        if target.is_relative_to(HERE):
            path = os.path.relpath(target, page)
        else:
            path = f"{REPOSITORY}/{'tree' if target.is_dir() else 'blob'}/main/{inside}"
        return path + (link[2] or "")

    return LINK.sub(led, text)


def read_page(app: Sphinx, name: str, source: list[str]) -> None:
    """Lead the links of a page."""
    folder = (HERE / name).parent
    source[0] = with_links(source[0], folder, folder)


def read_included(app: Sphinx, path: Path, name: str, source: list[str]) -> None:
    """Lead the links of a file that a page of docs/ includes."""
    source[0] = with_links(source[0], (HERE / path).parent, HERE)


def keep_tags(app: Sphinx, document: nodes.document) -> None:
    """Give numbered formulas to MathJax as they are: Sphinx would wrap their lines."""
    for formula in document.findall(nodes.math_block):
        if r"\tag{" in formula.astext():
            formula["no-wrap"] = True
            formula.children = [nodes.Text(rf"\[{formula.astext()}\]")]


def find_public(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, text: nodes.Element
) -> nodes.reference | None:
    """Lead a bare name to `specnmf`, from docstrings of the modules in it too."""
    name = node["reftarget"]
    if node["refdomain"] != "py" or name not in specnmf.__all__:
        return None
    return env.domains.python_domain.resolve_xref(
        env, node["refdoc"], app.builder, node["reftype"], f"specnmf.{name}", node, text
    )


def setup(app: Sphinx) -> None:
    """Connect what is above."""
    app.connect("source-read", read_page)
    app.connect("include-read", read_included)
    app.connect("doctree-read", keep_tags)
    app.connect("missing-reference", find_public)
