"""Lettering: names in any script, by whatever font on this machine has it.

The font of the figures has Latin, Greek, Cyrillic, Arabic and Hebrew. For the rest a
name takes further fonts along, and where there is none, boxes stand for what cannot be
drawn and a remark says so.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import cache
from typing import Any

import matplotlib as mpl
from matplotlib.font_manager import (
    FontEntry,
    FontProperties,
    findfont,
    findSystemFonts,
    fontManager,
    get_font,
)
from matplotlib.text import Text

#: Stands for a character that no font has, and for what is none.
BOX, NO_CHARACTER = "□", "�"

#: Characters that a remark quotes.
MOST_QUOTED = 12

#: What joins letters, or keeps them apart; no other invisible sign is drawn.
_JOINERS = "\u200c\u200d"
#: With what the names of families begin that are of one file.
_OURS = "specnmf"
#: Has a picture of its own kind of box for every character there is.
_NO_FONT = "lastresort"


def printable(text: str, most: int, *, widest: float | None = None) -> str:
    """The text on one line, with boxes, cut to so many characters.

    ``widest`` is in widths of an n; by default as many as characters.
    """
    drawn = (c if _drawable(c) else BOX for c in _cleaned(text))
    line, widest = "".join(drawn), most if widest is None else widest
    if _fitting(line, most, widest) == len(line):
        return line
    return line[: _fitting(line, most - 1, widest - _width("…"))] + "…"


def letter(artist: Text) -> None:
    """Give a text that holds a name the fonts it needs, and take no mathematics of it.

    ``artist`` holds what `printable` returned.
    """
    artist.set_parse_math(False)
    others = _others(artist.get_text())
    if others:
        artist.set_fontfamily([*mpl.rcParams["font.family"], *others])


def remarks(names: Iterable[str]) -> list[str]:
    """What a user should know of names that no font on this machine can draw."""
    every = dict.fromkeys(c for name in names for c in _cleaned(name))
    missing = [c for c in every if not _drawable(c)]
    if not missing:
        return []
    quoted = "".join(missing[:MOST_QUOTED])
    more = " and others" if len(missing) > MOST_QUOTED else ""
    return [
        f"figures: no installed font has {quoted}{more}, so boxes are drawn; install "
        "a font with these characters, such as Noto"
    ]


def _cleaned(text: str) -> str:
    """The text on one line, without signs that steer how others are drawn."""
    # Accents that macOS stores apart from their letters are joined to them.
    line = " ".join(unicodedata.normalize("NFC", text).split())
    return "".join(_clean(c) for c in line)


def _clean(character: str) -> str:
    kind = unicodedata.category(character)
    if kind in ("Cc", "Cs"):
        return NO_CHARACTER
    steers = kind == "Cf" and character not in _JOINERS
    return "" if steers or "\ufe00" <= character <= "\ufe0f" else character


def _fitting(text: str, most: int, widest: float) -> int:
    """How many of the first characters are at most so many, and so wide."""
    width = 0.0
    for number, character in enumerate(text[:most]):
        width += _width(character)
        if width > widest:
            return number
    return min(len(text), most)


@cache
def _width(character: str) -> float:
    """How wide a character is, in widths of an n."""
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0.0
    bold = _usual()[-1]
    own = bold if _in_usual(character) else _file(character) or bold
    return _advance(own, character) / _advance(bold, "n")


def _advance(path: str, character: str) -> float:
    font = get_font(path)
    font.set_size(100, 72)  # large, for advances are whole numbers
    return float(font.load_char(ord(character)).horiAdvance)


def _drawable(character: str) -> bool:
    if character in _JOINERS or _in_usual(character):
        return True
    return _file(character) is not None


def _others(text: str) -> list[str]:
    """The families that a text needs beside the usual one."""
    files = dict.fromkeys(_file(c) for c in text if not _in_usual(c))
    return [_registered(path) for path in files if path is not None]


@cache
def _usual() -> tuple[str, ...]:
    """The files of the figures' own font, plain and bold."""
    return tuple(findfont(FontProperties(weight=w)) for w in ("normal", "bold"))


@cache
def _in_usual(character: str) -> bool:
    return all(get_font(path).get_char_index(ord(character)) for path in _usual())


@cache
def _file(character: str) -> str | None:
    """The file of a font that has a character, None if there is none."""
    for path in _installed():
        font = _opened(path)
        if font is not None and _has(font, character):
            return path
    return None


@cache
def _registered(path: str) -> str:
    """The family of one file, plain and bold alike: findfont asks for both."""
    name = f"{_OURS} {path}"
    fontManager.ttflist += [
        FontEntry(fname=path, name=name, weight=w, size="scalable") for w in (400, 700)
    ]
    return name


@cache
def _installed() -> tuple[str, ...]:
    """The files of the fonts on this machine: upright ones without serifs first.

    Looked for anew in each process: matplotlib's list is older than a new font.
    """

    def unlike(path: str) -> tuple[bool, bool, str]:
        name = path.lower()
        plain = not any(style in name for style in ("bold", "italic", "oblique"))
        return "sans" not in name, not plain, path

    return tuple(sorted(findSystemFonts(), key=unlike))


def _opened(path: str) -> Any:
    """A font, or None where it has no outlines, or cannot be read."""
    try:
        font = get_font(path)
    except (OSError, RuntimeError):  # damaged, or of a kind that FreeType knows not
        return None
    return font if font.scalable and _NO_FONT not in path.lower() else None


def _has(font: Any, character: str) -> bool:
    """Whether a font has an outline for a character: some only have coloured ones."""
    if not font.get_char_index(ord(character)):
        return False
    glyph = font.load_char(ord(character))
    return bool(glyph.width > 0 and glyph.height > 0)
