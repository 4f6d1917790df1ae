"""MusicXML signs: the barlines and directions that send a player elsewhere."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree.ElementTree import Element

from specnmf.score.musicxml_tempo import number
from specnmf.score.repeats import MAX_PASSES, RepeatMarks

#: The most characters of words in a remark.
_MOST_SHOWN = 40

_NUMBERS = re.compile(r"(\d+)(?:\s*[-\u2013]\s*(\d+))?")

_DA_CAPO = r"(?:d ?c|da ?capo)"
_DAL_SEGNO = r"(?:d ?s|dal ?segno)"
_JUMP = re.compile(rf"(?:({_DA_CAPO})|{_DAL_SEGNO})(?: al? (?:(fine)|(coda)))?")
_LIKE_JUMP = re.compile(r"\bd\. ?[cs]\b|\bda ?capo\b|\bdal ?segno\b")


def barline(element: Element, around: Sequence[RepeatMarks], *, at_end: bool) -> None:
    """Add the repeats and endings of a barline to the marks of the measures beside it.

    ``around`` are the marks of the measure before, its own and the next; ``at_end`` is
    the side of its measure, if the barline does not state it.
    """
    location = element.get("location")
    is_right = at_end if location is None else location != "left"
    ending, begun = (around[1], around[2]) if is_right else (around[0], around[1])
    for repeat in element.iterfind("repeat"):
        if repeat.get("direction") == "forward":
            begun.forward = True
        else:
            times = round(number(repeat.get("times") or "2", "times"))
            ending.backward = max(ending.backward, times)
            ending.after_jump |= repeat.get("after-jump") == "yes"
    for sign in element.iterfind("ending"):
        numbers = passes(sign.get("number", "")), passes(sign.text or "")
        if sign.get("type") == "start":
            if not begun.begins or not any(begun.begins):
                begun.begins = numbers
        elif not ending.ends or not any(ending.ends):
            ending.ends = numbers


def passes(text: str) -> frozenset[int]:
    """The passes of an ending, from text such as 1, 2 or 1-3."""
    found: set[int] = set()
    for first, last in _NUMBERS.findall(text):
        until = int((last or first)[:9])
        if until <= MAX_PASSES:
            found |= set(range(int(first[:9]), until + 1))
    return frozenset(found - {0})


def sound(element: Element, marks: RepeatMarks) -> None:
    """Add the jumps of a ``sound``, and their targets."""
    marks.forward |= element.get("forward-repeat") == "yes"
    marks.dacapo |= element.get("dacapo", "no") != "no"
    marks.fine |= element.get("fine", "no") != "no"
    for name in ("segno", "coda"):
        if element.get(name, "no") != "no":
            getattr(marks, name).add(element.get(name))
    for name in ("dalsegno", "tocoda"):
        if element.get(name, "no") != "no":
            setattr(marks, name, element.get(name))


def direction(element: Element, marks: RepeatMarks) -> None:
    """Add the jumps that a direction shows: words, and signs of segno and coda."""
    for kind in element.iterfind("direction-type"):
        marks.signs |= {
            sign for sign in ("segno", "coda") if kind.find(sign) is not None
        }
        words = " ".join(part.text or "" for part in kind.iterfind("words"))
        if words.strip():
            marks.words.append(" ".join(words.split()))


def obey_words(written: Sequence[RepeatMarks], names: Sequence[str]) -> list[str]:
    """Add the jumps that are only words and signs, as in old files; return remarks.

    Words count if no element gives their sound: *D.C.* or *D.S.*, alone or *al Fine* or
    *al Coda*, if there is such a place. *D.C.* without a coda must be at the end:
    elsewhere, the beginning may be that of a movement.
    """
    _point(written)
    if any(marks.dacapo or marks.dalsegno is not None for marks in written):
        return []
    remarks: dict[str, None] = {}  # a direction may stand in each part
    for marks, name in zip(written, names, strict=True):
        for words in marks.words:
            if _jump(written, marks, words) or not _LIKE_JUMP.search(words.casefold()):
                continue
            shown = words if len(words) < _MOST_SHOWN else f"{words[:_MOST_SHOWN]} ..."
            remarks[
                f"{shown!r} in measure {name} is ignored: the score does not mark "
                "where it leads and ends"
            ] = None
    return list(remarks)


def _point(written: Sequence[RepeatMarks]) -> None:
    """Add the targets and ends of jumps that are only words and signs."""
    said = [{_plain(words) for words in marks.words} for marks in written]
    if not any(marks.fine for marks in written):
        for marks, words in zip(written, said, strict=True):
            marks.fine = "fine" in words
    if not any(marks.segno for marks in written):
        for marks in written:
            marks.segno |= {""} if "segno" in marks.signs else set()
    if not any(marks.coda or marks.tocoda is not None for marks in written):
        codas = [k for k, marks in enumerate(written) if "coda" in marks.signs]
        to_codas = [k for k, words in enumerate(said) if "to coda" in words]
        to_codas = to_codas or codas[:-1][:1]
        for k in to_codas:
            written[k].tocoda = ""
        codas = [k for k in codas if k not in to_codas]
        codas = codas or [k for k, words in enumerate(said) if "coda" in words]
        for k in codas:
            written[k].coda.add("")


def _jump(written: Sequence[RepeatMarks], marks: RepeatMarks, words: str) -> bool:
    """Add the jump of some words, if it is possible."""
    asked = _JUMP.fullmatch(_plain(words))
    if asked is None:
        return False
    da_capo, _, coda = asked.groups()
    ends = [m.coda if coda else m.fine for m in written]
    is_led = coda or marks is written[-1] if da_capo else any(m.segno for m in written)
    if not any(ends) or not is_led:
        return False
    if da_capo:
        marks.dacapo = True
    else:
        marks.dalsegno = ""
    return True


def _plain(words: str) -> str:
    """Words in lower case, without points."""
    return " ".join(words.casefold().replace(".", " ").split())
