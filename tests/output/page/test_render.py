import hashlib
import json
import re
from base64 import b64encode
from importlib.resources import files

import pytest

from specnmf.output.page import render as module
from specnmf.output.page.render import as_script, render

HOSTILE = "<img src=x onerror=alert(1)></script><!--\u2028&amp;{{script}}"


def contents_in(page):
    (text,) = re.findall(
        r'<script type="application/json" id="contents">(.*?)</script>', page, re.S
    )
    return json.loads(text)


def test_the_contents_come_out_as_they_went_in():
    contents = {"title": HOSTILE, "list": [HOSTILE, 1.5, None, "é日本"]}
    page = render(contents).html
    assert contents_in(page) == contents


def test_no_data_becomes_markup():
    page = render({"title": HOSTILE}).html
    assert "<img" not in page
    assert "<!--" not in page
    assert "&lt;img src=x" in page.partition("</title>")[0]
    assert page.count("</script>") == render({"title": ""}).html.count("</script>")


def test_json_that_stands_in_a_script_holds_no_markup():
    text = as_script({"a": "<>&\u2028\u2029"})
    assert text == '{"a":"\\u003c\\u003e\\u0026\\u2028\\u2029"}'
    with pytest.raises(ValueError, match="not JSON compliant"):
        as_script({"a": float("nan")})


def test_sounds_have_elements_of_their_own():
    page = render({"title": ""}, {"sound-0": "AAAA", "sound-1": "BBBB"}).html
    for line in ('id="sound-0">AAAA<', 'id="sound-1">BBBB<'):
        assert f'<script type="text/plain" {line}/script>' in page


@pytest.mark.parametrize("studio", [False, True])
def test_the_policy_allows_the_one_script_and_the_one_style(studio):
    page, policy = render({"title": HOSTILE}, studio=studio)
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.S)
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.S)
    for kind, text in (("script", script), ("style", style)):
        digest = b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert ("connect-src 'self'" in policy) == studio
    (told,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
    assert told.replace("&#x27;", "'") == policy


def test_nothing_comes_from_elsewhere():
    page = render({"title": ""}).html
    assert not re.search(r"""(src|href)\s*=\s*["']?(https?:)?//""", page)
    assert " style=" not in page
    assert not re.search(r"\son\w+=", page.partition("<script>")[0])


def test_every_script_and_style_is_in_a_page():
    assets = files("specnmf.output.page").joinpath("assets")
    there = {each.name for each in assets.iterdir() if not each.name.startswith(".")}
    known = (
        *(module.PAGE_SCRIPTS + module.PAGE_STYLES),
        *(module.STUDIO_SCRIPTS + module.STUDIO_STYLES),
        "page.html",
    )
    assert there == {*known}


def test_only_the_studio_has_the_studio():
    page, studio = (render({"title": ""}, studio=each).html for each in (False, True))
    assert "class Studio " not in page
    assert "class Studio " in studio
