"""The page as text: the filled template, with no data interpreted as markup.

The page's Content Security Policy (level 3) allows its one script and one style sheet,
by their SHA-256, embedded audio and audio files beside it, and nothing else: injected
markup would have no effect.
"""

from __future__ import annotations

import hashlib
import html
import json
from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

#: The scripts of the page, in the order of their dependencies.
PAGE_SCRIPTS = (
    *("sound.js", "player.js", "pictures.js", "drawing.js", "pianoroll.js"),
    *("rows.js", "info.js", "page.js", "keys.js"),
)
PAGE_STYLES = ("page.css",)

#: The scripts of the studio.
STUDIO_SCRIPTS = (
    *("studio-dom.js", "studio-client.js", "studio-mix.js", "studio-stems.js"),
    *("studio-notes.js", "studio-hand.js", "studio-roll.js", "studio-regions.js"),
    *("studio-save.js", "studio.js"),
)
STUDIO_STYLES = ("studio.css",)

#: Characters that could end or change a script element, and JavaScript's line ends.
_ESCAPES = {each: f"\\u{ord(each):04x}" for each in "<>&\u2028\u2029"}

#: A sound's element.
ELEMENT = "sound-{}"


class Rendered(NamedTuple):
    """A page."""

    html: str  #: Its text.
    policy: str  #: Its Content Security Policy.


def render(
    contents: Mapping[str, Any],
    sounds: Mapping[str, str] | None = None,
    *,
    studio: bool = False,
) -> Rendered:
    """The page that shows some contents.

    Parameters
    ----------
    contents : mapping
        As `specnmf.output.page.contents` makes them.
    sounds : mapping of str to str, optional
        Sound in base64, by the names of its elements.
    studio : bool
        With what it takes to change the run, on the server that it comes from.
    """
    script, style = _scripts(studio), _styles(studio)
    rules = policy(script, style, studio=studio)
    values = {
        "policy": html.escape(rules),
        "title": html.escape(str(contents["title"])),
        "style": style,
        "contents": as_script(contents),
        "sounds": "\n".join(_element(*each) for each in (sounds or {}).items()),
        "script": script,
    }
    return Rendered(_filled(_asset("page.html"), values), rules)


def policy(script: str, style: str, *, studio: bool = False) -> str:
    """The rules for a page with one script and one style sheet."""
    rules = [
        "default-src 'none'",
        f"script-src '{_sha256(script)}'",
        f"style-src '{_sha256(style)}'",
        "img-src data: blob:",
        f"media-src data: blob: 'self'{'' if studio else ' file:'}",
        *(["connect-src 'self'"] if studio else []),
        "base-uri 'none'",
        "form-action 'none'",
    ]
    return "; ".join(rules)


def as_script(contents: Mapping[str, Any]) -> str:
    """JSON that may stand in a script element: no markup in it, whatever the data."""
    text = json.dumps(
        contents, ensure_ascii=False, allow_nan=False, separators=(",", ":")
    )
    for each, escape in _ESCAPES.items():
        text = text.replace(each, escape)
    return text


def _element(name: str, data: str) -> str:
    """A script element with sound; base64 needs no escapes."""
    return f'<script type="text/plain" id="{name}">{data}</script>'


def _filled(template: str, values: Mapping[str, str]) -> str:
    """A template with its placeholders filled, none of those in the values."""
    pieces, rest = [], template
    while True:
        before, found, rest = rest.partition("{{")
        pieces.append(before)
        if not found:
            return "".join(pieces)
        name, _, rest = rest.partition("}}")
        pieces.append(values[name])


def _sha256(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{b64encode(digest).decode('ascii')}"


def _scripts(studio: bool) -> str:
    return "\n".join(map(_asset, PAGE_SCRIPTS + (STUDIO_SCRIPTS if studio else ())))


def _styles(studio: bool) -> str:
    return "\n".join(map(_asset, PAGE_STYLES + (STUDIO_STYLES if studio else ())))


@cache
def _asset(name: str) -> str:
    """A file of the page's."""
    return files(__package__).joinpath("assets", name).read_text("utf-8")
