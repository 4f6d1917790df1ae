"""MusicXML text: the characters of a document, whatever encoding it declares."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

from specnmf.errors import ScoreError
from specnmf.score.loading import label

#: What a text in Unicode may begin with: its byte order mark, or its first tag.
_BEGINNINGS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"<\0\0\0", "utf-32-le"),
    (b"\0\0\0<", "utf-32-be"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
)

#: How Python calls the encodings that leave ASCII as it is. Others cannot be declared
#: in their own text, or are no encodings of characters.
_LIKE_ASCII = (
    *("utf-8", "ascii", "iso8859", "cp", "mac", "koi8", "shift_jis", "euc_", "gb"),
    *("big5", "johab", "tis-620", "kz1048", "ptcp154"),
)

_DECLARED = re.compile(rb"""<\?xml[^>]{0,200}?encoding\s*=\s*["']([^"'>]{1,40})["']""")


def utf8(data: bytes, remarks: list[str]) -> bytes:
    """The text of a document in UTF-8.

    A byte order mark, or zeros between the letters, determine the encoding; otherwise
    it is the declared one if the text is valid in it, otherwise UTF-8, otherwise
    Windows-1252 with a remark. Raises ScoreError if the text is cut short.
    """
    told = [name for mark, name in _BEGINNINGS if data.startswith(mark)]
    if told:
        try:
            return data.decode(told[0]).encode()
        except UnicodeError as error:
            raise ScoreError(f"not XML, or damaged: not {told[0].upper()}") from error
    found = _DECLARED.match(data.lstrip())
    declared = found[1].decode("ascii", "replace") if found else ""
    for encoding in _likely(declared):
        try:
            text = data.decode(encoding)
        except UnicodeError:
            continue
        if encoding in ("cp1252", "latin-1") and not _is_latin(declared):
            expected = label(declared) or "UTF-8"
            remarks.append(f"its text is not {expected}: read as Windows-1252")
        return text.encode()
    raise AssertionError("any bytes are Latin-1")


def _likely(declared: str) -> Iterator[str]:
    """The encodings that a text may be in, the likeliest first."""
    if _is_latin(declared):
        yield from ("cp1252", "latin-1")  # as browsers read it
    try:
        name = codecs.lookup(declared).name
    except (LookupError, ValueError):
        name = ""
    if name.startswith(_LIKE_ASCII):
        yield name
    yield from ("utf-8", "cp1252", "latin-1")


def _is_latin(declared: str) -> bool:
    names = "iso-8859-1", "iso8859-1", "iso_8859-1", "latin1", "latin-1"
    return declared.lower() in (*names, "windows-1252", "cp1252")
