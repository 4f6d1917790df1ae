"""MusicXML text: whatever a document says of its encoding, its characters are read."""

import codecs

import pytest
from documents import document, note

from specnmf import ScoreError
from specnmf.score.musicxml_text import utf8

NAME = "Flöte – 1"
TEXT = document([note("C4")], names=[NAME])


def declared(encoding):
    if not encoding:
        return TEXT.partition("?>")[2]
    return TEXT.replace("UTF-8", encoding)


@pytest.mark.parametrize(
    ("encoding", "data"),
    [
        ("UTF-8", TEXT.encode()),
        ("UTF-8", TEXT.encode("utf-8-sig")),
        ("UTF-16", declared("UTF-16").encode()),  # it is UTF-8
        ("UTF-16", codecs.BOM_UTF8 + declared("UTF-16").encode()),
        ("UTF-8", TEXT.encode("utf-16")),
        ("UTF-16", declared("UTF-16").encode("utf-16")),
        ("UTF-16", declared("UTF-16").encode("utf-16-be")),  # without a mark
        ("UTF-16LE", declared("UTF-16LE").encode("utf-16-le")),
        ("ISO-8859-1", declared("ISO-8859-1").encode("utf-16")),
        ("UTF-8", TEXT.encode("utf-32")),
        ("windows-1252", declared("windows-1252").encode("cp1252")),
        ("ISO-8859-1", declared("ISO-8859-1").encode("cp1252")),
        ("macintosh", declared("macintosh").encode("mac-roman")),
        ("GB18030", declared("GB18030").encode("gb18030")),
        ("x-odd", declared("x-odd").encode()),
        ("none", declared("").encode()),
        ("none", declared("").encode("utf-16")),
    ],
)
def test_names_are_read_in_any_encoding(read, encoding, data):
    score = read(data)
    assert score.parts == (NAME,)
    assert score.remarks == ()


def test_japanese_and_russian_names_are_read(read):
    for encoding, name in (("Shift_JIS", "尺八"), ("KOI8-R", "Скрипка")):
        text = declared(encoding).replace(NAME, name)
        assert read(text.encode(encoding)).parts == (name,)


@pytest.mark.parametrize("encoding", ["UTF-8", "x-odd", ""])
def test_what_is_no_utf8_is_read_with_a_remark(read, encoding):
    score = read(declared(encoding).encode("cp1252"))
    assert score.parts == (NAME,)
    expected = encoding or "UTF-8"
    assert score.remarks == (f"its text is not {expected}: read as Windows-1252",)


def test_a_codec_of_no_characters_is_not_used():
    for name in ("punycode", "idna", "unicode_escape", "zip", "rot13", "utf-7"):
        data = f'<?xml version="1.0" encoding="{name}"?><a>+AGE-</a>'.encode()
        assert utf8(data, []) == data


def test_text_that_is_broken_off_is_refused():
    with pytest.raises(ScoreError, match="not XML, or damaged: not UTF-16"):
        utf8("<a/>".encode("utf-16")[:-1], [])
