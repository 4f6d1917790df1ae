"""ABC fields: key, metre, unit of length, tempo, and voices."""

from __future__ import annotations

import re

from specnmf.score.musicxml_tempo import whole

#: Fifths of each key, from C, by the name of its mode.
_MODES = {
    "": 0, "maj": 0, "ion": 0, "mix": -1, "dor": -2, "m": -3, "min": -3, "aeo": -3,
    "phr": -4, "loc": -5, "lyd": 1,
}  # fmt: skip

_ORDER = "FCGDAEB"

_KEY = re.compile(
    r"([A-G])([#b]?)\s*(maj|min|mix|dor|aeo|ion|phr|lyd|loc|m)?[a-z]*\b", re.I
)

#: Letters with accidentals, as keys and notes have them.
_ACCIDENTAL = re.compile(r"(\^{1,2}|_{1,2}|=)([A-Ga-g])")

ALTERATIONS = {"^": 1, "^^": 2, "_": -1, "__": -2, "=": 0}

_PIPES = {"HP": {}, "Hp": {"F": 1, "C": 1}}

_FRACTION = re.compile(r"(\d{1,4})\s*/\s*(\d{1,4})")

_SETTING = re.compile(r"(?<!\w)(\w{1,20})\s{0,9}=\s{0,9}(\"[^\"]*\"|\S+)")


def key(text: str) -> dict[str, int]:
    """The alterations of letters in a key, such as ``D``, ``Am`` or ``G dor ^c``."""
    text = text.split("%")[0].strip()
    for name, alterations in _PIPES.items():
        if text.split()[:1] == [name]:
            return dict(alterations)
    found: dict[str, int] = {}
    tonic = _KEY.match(text)
    if tonic and tonic[1].isupper():
        mode = (tonic[3] or "").lower()
        fifths = _ORDER.index(tonic[1]) - 1 + 7 * {"#": 1, "b": -1, "": 0}[tonic[2]]
        fifths += _MODES.get(mode, 0)
        letters = _ORDER[:fifths] if fifths > 0 else _ORDER[::-1][: -fifths or 0]
        found = dict.fromkeys(letters if fifths else "", 1 if fifths > 0 else -1)
    if re.search(r"\bexp\b", text):
        found = {}
    for sign, letter in _ACCIDENTAL.findall(text):
        found[letter.upper()] = ALTERATIONS[sign]
    return found


def metre(text: str) -> float | None:
    """The whole notes in a measure; None if it is free."""
    text = text.strip()
    if text.startswith("C"):
        return 1.0
    sums = re.match(r"\(?\s*(\d[\d+ ]*)\)?\s*/\s*(\d{1,4})", text)
    if sums is None:
        return None
    beats = sum(whole(part.strip(), 0) for part in sums[1].split("+"))
    unit = whole(sums[2], 0)
    return beats / unit if beats and unit else None


def is_compound(text: str) -> bool:
    """Whether a metre is of three beats, such as 6/8, which some tuplets ask for."""
    found = _FRACTION.search(text)
    return found is not None and int(found[1]) in (6, 9, 12)


def fraction(text: str) -> float | None:
    """A fraction such as 1/8; None if it is none."""
    found = _FRACTION.search(text)
    if found is not None and int(found[2]) and int(found[1]):
        return int(found[1]) / int(found[2])
    return 1.0 if text.strip() == "1" else None


def tempo(text: str, unit: float) -> float | None:
    """The quarter notes per minute of a tempo; None if it is only words."""
    plain = re.sub(r'"[^"]*"', " ", text)
    beats, _, rate = plain.rpartition("=")
    number = re.search(r"\d{1,5}(?:\.\d{1,3})?", rate)
    if number is None:
        return None
    lengths = [int(a) / int(b) for a, b in _FRACTION.findall(beats) if int(b)]
    length = sum(lengths) or unit
    return float(number[0]) * 4 * length or None


def settings(text: str) -> dict[str, str]:
    """Settings such as ``name="Fiddle" clef=bass``, in lower case."""
    found = {name.lower(): value.strip('"') for name, value in _SETTING.findall(text)}
    if "nm" in found:
        found.setdefault("name", found["nm"])
    return found


def shift(own: dict[str, str]) -> int:
    """The semitones by which a voice sounds higher than it is written."""
    semitones = _signed(own.get("transpose", "0")) + 12 * _signed(
        own.get("octave", "0")
    )
    clef = own.get("clef", "")
    for sign, octaves in (("+15", 2), ("-15", -2), ("+8", 1), ("-8", -1)):
        if clef.endswith(sign):
            return semitones + 12 * octaves
    return semitones


def _signed(text: str) -> int:
    number = whole(text.lstrip("+-"), 0)
    return -number if text.startswith("-") else number
