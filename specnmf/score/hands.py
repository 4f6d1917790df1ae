"""Hands: the notes of a keyboard that each hand plays."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import Literal, NamedTuple

from specnmf.score.notes import Note, Score, pitched_parts

#: Words in the name of a part that make it a hand's.
RIGHT = frozenset({
    "derecha", "destra", "droite", "md", "rechte", "rechts", "rh", "right",
    "righthand",
})  # fmt: skip

LEFT = frozenset({
    "gauche", "izquierda", "left", "lefthand", "lh", "linke", "links", "mg",
    "sinistra",
})  # fmt: skip

#: Words that tell two parts of one instrument apart. Alone they make no hand: a
#: bass is one of a choir.
UPPER, LOWER = frozenset({"treble", "upper", "r"}), frozenset({"bass", "lower", "l"})

#: Words in the name of a part that name no instrument.
FILLERS = frozenset({
    "channel", "clef", "hand", "i", "ii", "instrument", "main", "mano", "midi",
    "part", "staff", "track", "untitled",
})  # fmt: skip

#: The beginnings of the names of instruments for two hands.
KEYBOARDS = (
    "accordion", "celesta", "cembalo", "clavecin", "clavichord", "clavier",
    "fortepiano", "harmonium", "harp", "keyboard", "keys", "klavier", "organ",
    "orgel", "orgue", "piano", "pno", "spinet",
)  # fmt: skip


class _Hand(NamedTuple):
    """The hand of a part: a side, or how to decide for each note."""

    keyboard: str
    side: Literal["right", "left", "by staff", "by pitch"]


def hand_labels(score: Score, labels: Sequence[str], split: int) -> list[str]:
    """The hand of each note that a hand plays; other notes keep their labels.

    `specnmf.score.grouping.stem_labels` describes the rules. If none applies, ``split``
    is the lowest MIDI pitch of the right hand.
    """
    hands = _hands(score)
    several = len({hand.keyboard for hand in hands.values()}) > 1
    found = list(labels)
    for index, note in enumerate(score.notes):
        if not note.percussion and note.part in hands:
            keyboard, side = hands[note.part]
            if side in ("by staff", "by pitch"):
                side = _side(note, split, by_staff=side == "by staff")
            found[index] = f"{keyboard} {side}".strip() if several else side
    return found


def _side(note: Note, split: int, *, by_staff: bool) -> Literal["right", "left"]:
    if by_staff and note.staff:
        return "right" if note.staff == 1 else "left"
    return "right" if note.pitch >= split else "left"


def _hands(score: Score) -> dict[str, _Hand]:
    """The parts that hands play, with their hands."""
    parts = pitched_parts(score)
    hands = {name: _hand(name, notes) for name, notes in parts.items()}
    unclear = {name: parts[name] for name, hand in hands.items() if hand is None}
    found = {name: hand for name, hand in hands.items() if hand is not None}
    found |= _pairs(unclear, alone=len(parts) == 2)
    for name in unclear.keys() - found.keys():
        if _is_keyboard(_instrument(name)):
            found[name] = _Hand(name.lower(), "by pitch")
    return found or dict.fromkeys(parts, _Hand("", "by pitch"))


def _hand(name: str, notes: Iterable[Note]) -> _Hand | None:
    """The hand of a part, from its own staves and name."""
    if {1, 2} <= {note.staff for note in notes}:
        return _Hand(name.lower(), "by staff")
    words = _words(name)
    right, left = RIGHT.intersection(words), LEFT.intersection(words)
    if bool(right) == bool(left):
        return None
    keyboard = [word for word in words if word not in RIGHT | LEFT | FILLERS]
    return _Hand(" ".join(keyboard), "right" if right else "left")


def _pairs(parts: Mapping[str, Sequence[Note]], *, alone: bool) -> dict[str, _Hand]:
    """The hands of instruments that are two parts."""
    instruments: dict[str, list[str]] = {}
    for name in parts:
        instruments.setdefault(_instrument(name), []).append(name)

    def height(name: str) -> tuple[int, float]:
        words = set(_words(name))
        told = bool(words & UPPER) - bool(words & LOWER)
        return told, fmean(note.pitch for note in parts[name])

    hands = {}
    for instrument, names in instruments.items():
        if len(names) == 2 and (alone or _is_keyboard(instrument)):
            lower, upper = sorted(names, key=height)
            hands[lower] = _Hand(instrument, "left")
            hands[upper] = _Hand(instrument, "right")
    return hands


def _instrument(name: str) -> str:
    """The name of a part without numbers, clefs and the like."""
    words = (word.rstrip("0123456789") for word in _words(name))
    known = UPPER | LOWER | FILLERS
    return " ".join(word for word in words if word and word not in known)


def _is_keyboard(instrument: str) -> bool:
    return any(word.startswith(KEYBOARDS) for word in instrument.split())


def _words(name: str) -> list[str]:
    """The words of a name in lower case; R.H. is one."""
    return re.findall(r"[^\W_]+", name.lower().replace(".", ""))
