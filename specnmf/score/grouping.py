"""Stems: which notes make one, and what its file is called."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import get_args

from specnmf.checks import check_choice
from specnmf.errors import ParameterError
from specnmf.notation import drum_name, note_name
from specnmf.score.hands import hand_labels
from specnmf.score.notes import Note, Score, numbered
from specnmf.score.options import By, Groups, StemOptions

#: What a part without a name is called.
UNNAMED = "part"

#: The longest name of a stem, in bytes of UTF-8.
MAX_BYTES = 100

#: Names that Windows keeps for its devices, whatever follows after a dot.
RESERVED = frozenset(
    ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"]
    + [f"{port}{digit}" for port in ("COM", "LPT") for digit in "0123456789¹²³"]
)

#: How many names an error lists.
LISTED = 12


def stem_labels(
    score: Score,
    by: By = "part",
    *,
    groups: Groups | None = None,
    split: int = StemOptions.split,
) -> tuple[str, ...]:
    """The stem that each note belongs to.

    Parameters
    ----------
    score : Score
        The notes.
    by : {"part", "hand", "pitch", "note"}
        ``"part"``: the part's name. ``"pitch"``: the note's name, such as ``C#4``,
        of percussion the drum's. ``"note"``: a number in order of time, name and
        part, such as ``0001_C#4_violin``.

        ``"hand"``: ``right`` or ``left``, after the keyboard's name if there are
        more. A part on two staves is a keyboard's, the upper one its right hand.
        Else the parts' names tell: *right*, *lh*, *droite* and the like. Of two
        parts of one keyboard, or the only two of a score if their names are alike,
        the right hand is the upper or treble one, or else the one with the higher
        mean. What is left of keyboards is parted at ``split``, and so are all parts
        where no keyboard is to be found. Other instruments and percussion keep
        their parts' names.
    groups : mapping of str to sequence of str, optional
        Labels to join in one stem, by the stem's name. Upper and lower case are the
        same, and ``*``, ``?`` and ``[abc]`` stand for any, one and some characters.
        What is named in full goes before what is matched, and ``*`` alone takes
        what no other group does. Labels in no group keep their names.
    split : int
        The lowest MIDI pitch of the right hand where nothing else tells.

    Returns
    -------
    tuple of str
        A label for each of ``score.notes``, in their order.

    Raises
    ------
    ParameterError
        If ``by`` or ``split`` is out of range, or a group names what there is not,
        shares a label with another, or is called like a label outside it.
    """
    check_choice("by", by, get_args(By))
    if not 0 <= split <= 128:
        raise ParameterError(f"split is a MIDI pitch from 0 to 128, got {split}")
    if by == "hand":
        labels = hand_labels(score, _part_labels(score), split)
    elif by == "pitch":
        labels = [_pitch_label(note) for note in score.notes]
    elif by == "note":
        labels = _note_labels(score)
    else:
        labels = _part_labels(score)
    return _grouped(labels, groups) if groups else tuple(labels)


def stem_order(score: Score, labels: Sequence[str], *, by: By) -> tuple[str, ...]:
    """The stems in the order to show them.

    Pitches rise, and drums follow; all else comes in order of its first note. The
    labels are those that `stem_labels` gives.
    """
    first: dict[str, tuple[bool, int]] = {}
    for note, label in zip(score.notes, labels, strict=True):
        place = note.percussion, note.pitch
        first[label] = min(place, first.get(label, place))
    return tuple(sorted(first, key=first.__getitem__) if by == "pitch" else first)


def safe_names(labels: Iterable[str]) -> dict[str, str]:
    """A file name, without ending, for each label: safe on every system.

    Separators, control characters and what else Linux, macOS or Windows refuse
    become underscores, dots and spaces at the ends go, Windows' device names get an
    underscore in front, and long names are cut to MAX_BYTES. Of names that a file
    system takes for one another, for it ignores case or how accents are spelt, the
    first stays and the others are numbered: ``violin``, ``Violin_2``. Names that
    are safe as they are go first. Names are in NFC.
    """
    wanted = {label: _safe(label) for label in labels}
    safe_first = sorted(wanted, key=lambda label: wanted[label] != label)
    own = (wanted[label] for label in safe_first)
    different = numbered(own, spell=_with_number, identity=_identity)
    names = dict(zip(safe_first, different, strict=True))
    return {label: names[label] for label in wanted}


def _part_labels(score: Score) -> list[str]:
    unnamed = numbered([*score.parts, UNNAMED])[-1]
    return [note.part or unnamed for note in score.notes]


def _pitch_label(note: Note) -> str:
    return drum_name(note.pitch) if note.percussion else note_name(note.pitch)


def _note_labels(score: Score) -> list[str]:
    digits = max(4, len(str(len(score.notes))))
    return [
        "_".join(filter(None, (f"{number:0{digits}}", _pitch_label(note), note.part)))
        for number, note in enumerate(score.notes, start=1)
    ]


def _grouped(labels: Sequence[str], groups: Groups) -> tuple[str, ...]:
    names = dict.fromkeys(labels)
    claims: dict[str, dict[str, int]] = {name: {} for name in names}
    for stem, patterns in groups.items():
        for pattern in patterns:
            matched = [name for name in names if _matches(name, pattern)]
            if not matched:
                raise ParameterError(
                    f"group {stem} asks for {pattern!r}, but there is only "
                    f"{_listed(names)}"
                )
            for name in matched:
                rank = _rank(name, pattern)
                claims[name][stem] = min(rank, claims[name].get(stem, rank))
    stems = {name: _winner(name, claims[name]) for name in names}
    _check_outside(stems, groups)
    return tuple(stems[label] for label in labels)


def _matches(name: str, pattern: str) -> bool:
    name, pattern = name.casefold(), pattern.casefold()
    return name == pattern or fnmatchcase(name, pattern)


def _rank(name: str, pattern: str) -> int:
    """How little a pattern tells of a name: in full, in part, or nothing."""
    if name.casefold() == pattern.casefold():
        return 0
    return 2 if pattern == "*" else 1


def _winner(name: str, claims: Mapping[str, int]) -> str:
    """The group that a label goes to, or its own name."""
    if not claims:
        return name
    first, *others = [s for s in claims if claims[s] == min(claims.values())]
    if others:
        raise ParameterError(
            f"{name} is in the groups {first} and {others[0]}; leave it in one"
        )
    return first


def _check_outside(stems: Mapping[str, str], groups: Groups) -> None:
    """Raise ParameterError if a label outside a group has the group's name."""
    for name, stem in stems.items():
        patterns = groups.get(name, ())
        is_in_it = any(_matches(name, pattern) for pattern in patterns)
        if name == stem and patterns and not is_in_it:
            raise ParameterError(
                f"group {name} is called like {name}, which is not in it; "
                "add it, or call the group something else"
            )


def _listed(names: Iterable[str]) -> str:
    names = list(names)
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return ", ".join(names[:LISTED]) + more


def _safe(label: str) -> str:
    characters = map(_safe_character, unicodedata.normalize("NFC", label))
    name = _cut("".join(characters).lstrip(" ."), MAX_BYTES)
    if name.split(".")[0].rstrip().upper() in RESERVED:
        name = _cut(f"_{name}", MAX_BYTES)
    return name or UNNAMED


def _safe_character(character: str) -> str:
    category = unicodedata.category(character)
    if character in '/\\:*?"<>|' or category[0] == "C" or category in ("Zl", "Zp"):
        return "_"
    return " " if category == "Zs" else character


def _cut(name: str, n_bytes: int) -> str:
    """The beginning of a name, of whole characters, fit to end a file's name."""
    return name.encode()[:n_bytes].decode(errors="ignore").rstrip(" .")


def _with_number(name: str, number: int) -> str:
    ending = f"_{number}"
    return _cut(name, MAX_BYTES - len(ending)) + ending


def _identity(name: str) -> str:
    """Alike for names that a file system may take for one another."""
    folded = unicodedata.normalize("NFD", name).casefold()
    return unicodedata.normalize("NFD", folded)
