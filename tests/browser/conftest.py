"""Pages in a browser, watched; skipped where there is none."""

import os
import shutil

import made_stems
import pytest
from browsing import LISTEN, Watched, until

#: A page is ready when its sound is.
READY = "window.specnmf?.player?.ready"

#: How long anything in a page may take, in milliseconds, on a busy machine.
PATIENCE = 30_000


@pytest.fixture(scope="package")
def chromium():
    """The browser, closed after the last of these tests: its loop disturbs others."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="needs Playwright")
    path = shutil.which("chromium") or os.environ.get("CHROMIUM")
    if path is None:
        pytest.skip("needs Chromium: chromium on the PATH, or its path in CHROMIUM")
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    args = ["--no-sandbox"] if root else []
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=args)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium):
    """Open a page, from a file or a URL; at the end nothing may have gone wrong in it.

    What a test expects to go wrong it takes out of `Watched.problems`.
    """
    contexts, opened = [], []

    def visit(place, *, own=None, width=1000, height=800, scheme="light", ready=True):
        url = place if isinstance(place, str) else place.as_uri()
        context = chromium.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme
        )
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        context.set_offline(url.startswith("file:"))
        context.add_init_script(LISTEN)
        own = (own or url.rpartition("/")[0] + "/",)
        watched = Watched(context.new_page(), own)
        opened.append(watched)
        watched.page.goto(url)
        if ready:
            until(watched.page, READY)
        return watched

    yield visit
    for context in contexts:
        context.close()
    assert [problem for each in opened for problem in each.problems] == []


@pytest.fixture(scope="package")
def band(tmp_path_factory):
    """The run folder of four stems, each a sine."""
    return made_stems.band(tmp_path_factory.mktemp("band"))


@pytest.fixture
def page(visit, band):
    """The page of `band`, ready to play."""
    return visit(band / "report.html").page
