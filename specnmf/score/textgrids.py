"""TextGrids of Praat: tiers of labelled intervals, and of points.

Of a text file, Praat reads numbers, texts in quotes and flags such as ``<exists>`` that
stand alone, in their order; all else is for people, and comments begin with ``!``. So
the long and the short form are read in the same way. Praat's manual, "TextGrid file
formats".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from specnmf.errors import ScoreError
from specnmf.score.loading import label
from specnmf.score.tables import Cells
from specnmf.score.tiers import Tiers

_BEGINNING = re.compile(r'\s*(?:File type\s*=\s*)?"ooTextFile')

_BINARY = b"ooBinaryFile"

_CHRONOLOGICAL = re.compile(r'\s*"Praat chronological TextGrid text file"')

#: A text whose quotes are doubled, a comment, or a word; an open text ends the file.
_TOKEN = re.compile(r'"(?P<text>(?:[^"]|"")*+)(?P<end>"?)|![^\n]*|(?P<word>[^\s"]+)')

_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,4})?", re.ASCII)

_FLAG = re.compile(r"<\w+>")

_SAVE = "in Praat, use Save > Save as text file"

#: What tiers of intervals and of points are called.
_INTERVALS, _POINTS = "IntervalTier", "TextTier"


def is_one(text: str) -> bool:
    """Whether a text is of Praat."""
    return bool(_BEGINNING.match(text) or _CHRONOLOGICAL.match(text))


def check_text(data: bytes) -> None:
    """Raise ScoreError if a file is a binary one of Praat."""
    if data.startswith(_BINARY):
        raise ScoreError(f"a binary file of Praat; {_SAVE}")


def rows(text: str, tiers: Tiers) -> Iterator[tuple[int, Cells]]:
    """Yield the line and the cells of each interval that has a label.

    Raises ScoreError if it is another object of Praat, chronological or damaged.
    """
    if _CHRONOLOGICAL.match(text):
        raise ScoreError(f"a chronological TextGrid; {_SAVE}")
    tokens = _Tokens(text)
    tokens.text()  # ooTextFile
    kind = tokens.text()
    if kind != "TextGrid":
        raise ScoreError(f"expected a TextGrid of Praat, found a {label(kind)!r}")
    tokens.number(), tokens.number()  # the time that it spans
    if tokens.flag() != "<exists>":
        return
    for _ in range(tokens.count()):
        yield from _tier(tokens, tiers)


def _tier(tokens: _Tokens, tiers: Tiers) -> Iterator[tuple[int, Cells]]:
    """Yield the labelled intervals of a tier, if it is asked for."""
    kind, name = tokens.text(), tokens.text()
    if kind not in (_INTERVALS, _POINTS):
        raise tokens.damaged("a tier of intervals or points", kind)
    tokens.number(), tokens.number()
    count = tokens.count()
    has_points = kind == _POINTS
    is_taken = tiers.takes(name, n_points=count if has_points else None)
    for _ in range(count):
        times = [tokens.number() for _ in range(1 if has_points else 2)]
        line, said = tokens.line, tokens.text()
        if is_taken and said.strip():
            yield line, {"start": times[0], "end": times[1], "name": said}


class _Token(NamedTuple):
    kind: str
    value: str


class _Tokens:
    """The numbers, texts and flags of a file, in order."""

    def __init__(self, text: str) -> None:
        self._all = text
        self._found = self._read()
        self._at = 0
        self.line = 1  #: Of the last token.

    def number(self) -> str:
        """The next token, which is a number."""
        return self._next("number", "a number")

    def text(self) -> str:
        """The next token, which is a text, without its quotes."""
        return self._next("text", "a text in quotes")

    def flag(self) -> str:
        """The next token, which is a flag."""
        return self._next("flag", "<exists>")

    def count(self) -> int:
        """The next token, which is a number of things; no more than there are letters.

        So a file that states billions of things costs no more than its own size.
        """
        text = self.number()
        if not text.isdigit() or len(text) > 9 or int(text) > len(self._all):
            raise self.damaged("a number of tiers, intervals or points", text)
        return int(text)

    def damaged(self, expected: str, found: str) -> ScoreError:
        """The error for a token that is another one."""
        return ScoreError(
            f"line {self.line}: a damaged TextGrid: expected {expected}, found "
            f"{label(found, longest=40)!r}"
        )

    def _next(self, kind: str, expected: str) -> str:
        token = next(self._found, None)
        if token is None:
            raise ScoreError(f"a damaged TextGrid: it ends before {expected}")
        if token.kind != kind:
            raise self.damaged(expected, token.value)
        return token.value

    def _read(self) -> Iterator[_Token]:
        for match in _TOKEN.finditer(self._all):
            word, said = match["word"], match["text"]
            self.line += self._all.count("\n", self._at, match.start())
            self._at = match.start()
            if said is not None:
                if not match["end"]:
                    raise ScoreError(f"line {self.line}: a text without its last quote")
                yield _Token("text", said.replace('""', '"'))
            elif word is not None and _NUMBER.fullmatch(word):
                yield _Token("number", word)
            elif word is not None and _FLAG.fullmatch(word):
                yield _Token("flag", word)
