"""A page that all can read and use, wide and narrow, light and dark."""

import io

import made_stems
import pytest
from browsing import until
from looks import FAINT, SMALL, WIDE, controls

pytestmark = pytest.mark.slow  # a browser, many pages

#: Widths in CSS pixels: a window, and a telephone.
WIDTHS = (1000, 400)


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """A run of sixteen stems, some with long names."""
    return made_stems.clicks(
        tmp_path_factory.mktemp("many"), 16, title="A song with a rather long name" * 3
    )


@pytest.fixture(params=["band", "many"])
def folder(request):
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize("width", WIDTHS)
def test_pages_fit_show_rows_and_roll_and_have_text_that_stands_out(
    visit, folder, width, tmp_path
):
    page = visit(folder / "report.html", width=width).page
    page.screenshot(path=tmp_path / f"{folder.name}_{width}.png", full_page=True)
    assert all(row.is_visible() for row in page.locator(".stem").all())
    assert painted(page) > 100
    assert page.evaluate(WIDE) == []
    page.evaluate(
        "document.querySelectorAll('details').forEach(d => { d.open = true })"
    )
    for scheme in ("light", "dark"):
        turn(page, scheme)
        assert page.evaluate(FAINT) == [], scheme


def test_light_and_dark_follow_the_system(page):
    shades = {}
    for scheme in ("light", "dark"):
        turn(page, scheme)
        shades[scheme] = brightness(page.screenshot())
    assert shades["light"] > 0.7
    assert shades["dark"] < 0.3


def turn(page, scheme):
    """Let the system become light or dark, and its colours settle."""
    page.emulate_media(color_scheme=scheme)
    until(page, "document.getAnimations().length === 0")


def brightness(png):
    """The mean of a picture, from 0 to 1."""
    from matplotlib.image import imread

    return imread(io.BytesIO(png))[..., :3].mean()


def test_every_control_has_a_name_of_its_own(page):
    found = controls(page)
    assert [role for role, name in found if not name] == []
    acting = [each for each in found if each[0] != "link"]
    twice = {each for each in acting if acting.count(each) > 1}
    assert twice == set()


def test_controls_of_stems_name_the_stem(page):
    names = " ".join(name for _, name in controls(page))
    for stem in ("bass", "viola", "flute", "bell"):
        for action in ("mute", "solo", "level of", "pan of"):
            assert f"{action} {stem}" in names.lower()


def test_controls_are_large_enough_for_a_finger(visit, band):
    page = visit(band / "report.html", width=400).page
    small = page.evaluate(SMALL)
    assert small == [], "\n".join(small)


def test_the_page_says_its_language_title_and_one_heading(page):
    assert page.evaluate("document.documentElement.lang") == "en"
    assert page.title().startswith("song")
    assert page.locator("h1").count() == 1
    assert "song" in page.inner_text("h1")


def painted(page):
    """How many colours the roll has."""
    return page.evaluate("""() => {
      const canvas = specnmf.roll.canvas;
      const {data} = canvas.getContext('2d').getImageData(
        0, 0, canvas.width, canvas.height);
      return new Set(new Uint32Array(data.buffer)).size;
    }""")
