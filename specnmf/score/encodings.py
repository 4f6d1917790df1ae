"""Encodings of the names in MIDI files, and of tables.

MIDI does not define the encoding of text, and tables come from programs older than
Unicode. chardet knows the languages: of the detectors that were tried, only chardet is
right on single words such as ピアノ, 钢琴 and Скрипка.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Sequence

from specnmf.errors import ScoreError

#: The encodings that are guessed, and what people call them.
GUESSED = {
    "cp932": "Shift-JIS",
    "gb18030": "GBK",
    "big5hkscs": "Big5",
    "cp949": "EUC-KR",
    "euc_jis_2004": "EUC-JP",
    "cp1251": "Windows-1251",
    "koi8-r": "KOI8-R",
    "cp1252": "Latin-1",
    "cp1250": "Windows-1250",
}

#: Those whose letters may look like UTF-8.
_OF_SEVERAL_BYTES = frozenset(("cp932", "gb18030", "big5hkscs", "cp949"))

_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}

#: A guess is made from so many words, of so many bytes: more make no difference.
_MOST_WORDS, _LONGEST = 32, 200

#: What parts words: no letter of any of the encodings contains one of these.
_BETWEEN = re.compile(rb'[\x00-\x1f",;]+')

#: Letters without an agreed meaning.
_PRIVATE = re.compile("[\ue000-\uf8ff]")

#: Words with letters that have accents, one at a time, or a degree sign at the end.
_WESTERN = re.compile(
    rb"(?:[\x00-\x7f]|[\xc0-\xff](?![\x80-\xff])|[\xa9\xaa\xae\xb0\xba](?![\x40-\xff]))*"
)

_BEYOND_ASCII = re.compile(rb"[\x80-\xff]+")

#: Kana of half width, sound marks only after those that can have them.
_HALF_WIDTH = re.compile(rb"(?:[\xb3\xb6-\xc4]\xde|[\xca-\xce][\xde\xdf]|[\xa6-\xdd])+")

#: chardet does not know words in such kana, and is less sure of them than this.
_UNSURE = 0.05

#: How much likelier than Latin-1 Windows-1250 must be, which has most of its letters.
_LIKELIER = 1.5


def decoded(
    texts: Sequence[bytes], others: Iterable[bytes] = ()
) -> tuple[list[str], str | None]:
    """The texts of a file, and their common encoding if it had to be guessed.

    Texts are UTF-8, or UTF-16 with a byte order mark or ASCII letters; otherwise the
    encoding of `GUESSED` that fits best, or Latin-1. A guess also looks at ``others``
    of the file.

    Raises ScoreError if UTF-16 is damaged.
    """
    names = [_unicode(text) for text in texts]
    if None not in names:
        return list(map(_decode, texts, names)), None
    # what is no UTF-8 may look so in one word or another
    marked = {"utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"}
    legacy = [t for t, name in zip(texts, names, strict=True) if name not in marked]
    guess = _guess(legacy, others)
    if guess in _OF_SEVERAL_BYTES:
        names = [name if name in marked else None for name in names]
    else:
        rest = [t for t, name in zip(texts, names, strict=True) if not name]
        guess = _guess(rest, others)
    called = GUESSED[guess] if guess else "Latin-1"
    names = [name or guess for name in names]
    return list(map(_decode, texts, names)), called


def _unicode(text: bytes) -> str | None:
    """The Unicode encoding of a text; None if it has none."""
    for mark, name in _MARKS.items():
        if text.startswith(mark):
            return name
    most = len(text) // 4  # letters of ASCII have a zero before or behind
    zeros = text[::2].count(0), text[1::2].count(0)
    if len(text) % 2 == 0 and min(zeros) == 0 and max(zeros) > most:
        return "utf-16-le" if zeros[1] else "utf-16-be"
    try:
        text.decode()
    except UnicodeDecodeError:
        return None
    return "utf-8"


def _decode(text: bytes, encoding: str | None) -> str:
    try:
        return text.decode(encoding or "latin-1")
    except UnicodeDecodeError as error:
        if encoding in GUESSED or encoding == "utf-8-sig":
            return text.decode("latin-1")
        raise ScoreError("damaged text in UTF-16") from error


def _guess(texts: Iterable[bytes], others: Iterable[bytes]) -> str | None:
    """The likeliest encoding in `GUESSED`; None if no encoding fits all texts."""
    data = b"\n".join(texts)
    words = _words(data)
    all_votes = _votes([*words, *_words(b"\n".join(others))])
    votes = {name: vote for name, vote in all_votes.items() if _has(name, data)}
    runs = _BEYOND_ASCII.findall(b"\n".join(words))
    marks = [run for run in runs if b"\xde" in run or b"\xdf" in run]
    is_unsure = max(votes.values(), default=0.0) < _UNSURE * len(words)
    if is_unsure and marks and all(map(_HALF_WIDTH.fullmatch, runs)):
        return "cp932"
    best = max(votes, key=votes.__getitem__, default="cp1252")
    if best in ("cp1250", "cp1252") or all(map(_WESTERN.fullmatch, words)):
        central = votes.get("cp1250", 0.0) > _LIKELIER * votes.get("cp1252", 0.0)
        best = "cp1250" if central else "cp1252"
    return next((name for name in (best, *GUESSED) if _has(name, data)), None)


def _words(data: bytes) -> list[bytes]:
    """Different words that are not pure ASCII."""
    words: dict[bytes, None] = {}
    for word in _BETWEEN.split(data[: 1 << 20]):
        if not word.isascii():
            words[word[:_LONGEST]] = None
        if len(words) == _MOST_WORDS:
            break
    return list(words)


def _votes(words: Sequence[bytes]) -> dict[str, float]:
    """The likelihood of each encoding, over the words and all of them together."""
    import chardet

    votes: dict[str, float] = {}
    # chardet knows Cyrillic words in small letters
    cyrillic = [word.decode("cp1251", "ignore") for word in words]
    small = [w.lower().encode("cp1251") for w in cyrillic if w.isupper() and w[2:]]
    for text in (*words, b"\n".join(words), *small):
        found = chardet.detect_all(
            text, ignore_threshold=True, compat_names=False, include_encodings=GUESSED
        )
        for each in found:
            if each["encoding"] in GUESSED:
                name, more = each["encoding"], each["confidence"]
                votes[name] = votes.get(name, 0.0) + more
    return votes


def _has(encoding: str, data: bytes) -> bool:
    """Whether bytes are valid text in an encoding."""
    try:
        return not _PRIVATE.search(data.decode(encoding))
    except UnicodeDecodeError:
        return False
