"""Pages of the site in a browser without a network, from files."""

import pytest
from browsing import until
from conftest import ROOT
from looks import WIDE

SITE = ROOT / "docs" / "_build" / "html"

pytestmark = pytest.mark.skipif(
    not (SITE / "index.html").is_file(), reason="needs the site: make docs"
)


@pytest.fixture
def site(visit):
    """Open a page of the site; at the end no request may have left it."""

    def site(name, **options):
        own = f"{SITE.as_uri()}/"
        return visit(SITE / name, own=own, ready=False, **options).page

    return site


def test_formulas_are_typeset_and_keep_their_numbers(site):
    page = site("theory/multiplicative_updates.html")
    until(page, "document.querySelectorAll('mjx-container svg').length > 10")
    assert page.locator("mjx-container [data-mml-node=merror]").count() == 0
    assert page.locator("mjx-container [data-mml-node=mlabeledtr]").count() > 3


def test_the_search_finds_a_function(site):
    page = site("index.html")
    page.locator("input[name=q]").first.fill("beta_divergence")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    until(page, "document.querySelector('#search-results li a')")
    links = page.locator("#search-results li a").evaluate_all(
        "links => links.map((link) => link.getAttribute('href'))"
    )
    assert any("specnmf.beta_divergence.html" in link for link in links)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "name", ["index.html", "formats.html", "api/generated/specnmf.Settings.html"]
)
def test_pages_fit_a_telephone(site, name, scheme):
    page = site(name, width=390, scheme=scheme)
    assert page.evaluate(WIDE) == []
