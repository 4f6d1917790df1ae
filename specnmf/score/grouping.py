"""Stems: the notes that form each stem, and the name of its file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import get_args

from specnmf.checks import check_choice
from specnmf.errors import ParameterError
from specnmf.filenames import MAX_BYTES, UNNAMED, cut, identity, safe_name
from specnmf.notation import drum_name, note_name
from specnmf.score.hands import hand_labels
from specnmf.score.notes import Note, Score, numbered
from specnmf.score.options import By, Groups, StemOptions

#: How many names an error lists.
LISTED = 12


def stem_labels(
    score: Score,
    by: By = "part",
    *,
    groups: Groups | None = None,
    split: int = StemOptions.split,
) -> tuple[str, ...]:
    """The stem of each note of a score.

    Parameters
    ----------
    score : Score
        The notes.
    by : {"part", "hand", "pitch", "note"}
        What makes a stem.

        ``"part"``: the name of the part. ``"pitch"``: the name of the note, such as
        ``C#4``, or of the drum. ``"note"``: a number in order of time, the name and the
        part, such as ``0001_C#4_violin``.

        ``"hand"``: ``right`` or ``left``, after the name of the keyboard if there are
        several. A part on two staves is a keyboard, and the right hand is the upper
        staff. Otherwise the names of the parts decide: *right*, *lh*, *droite* and the
        like. Of two parts of one keyboard, or the only two parts of a score if their
        names are alike, the right hand is the one named upper or treble, or the one
        with the higher mean pitch. Other keyboards are divided at ``split``, and so are
        all parts if there is no keyboard. Other instruments and percussion keep the
        names of their parts.
    groups : mapping of str to sequence of str, optional
        Labels to join, by the name of the new stem. Upper and lower case are the same;
        ``*``, ``?`` and ``[abc]`` match any characters, one, and one of some. A full
        name takes precedence over a pattern, and ``*`` alone matches the labels that
        are in no other group. Labels in no group keep their names.
    split : int
        The lowest MIDI pitch of the right hand, where nothing else decides.

    Returns
    -------
    tuple of str
        One label for each of ``score.notes``, in their order.

    Raises
    ------
    ParameterError
        If ``by`` or ``split`` is out of range, or a group matches no label, shares a
        label with another group, or has the name of a label outside it.

    Examples
    --------
    >>> import specnmf
    >>> score = specnmf.Score(
    ...     [
    ...         specnmf.Note(0.0, 1.0, 67, part="violin"),
    ...         specnmf.Note(0.5, 1.0, 48, part="cello"),
    ...         specnmf.Note(1.0, 1.0, 67, part="viola"),
    ...     ]
    ... )
    >>> specnmf.stem_labels(score)
    ('violin', 'cello', 'viola')
    >>> specnmf.stem_labels(score, "pitch")
    ('G4', 'C3', 'G4')
    >>> specnmf.stem_labels(score, groups={"upper": ["viol*"]})
    ('upper', 'cello', 'upper')
    """
    check_choice("by", by, get_args(By))
    if not 0 <= split <= 128:
        raise ParameterError(f"split must be a MIDI pitch from 0 to 128, got {split}")
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
    """The stems in the order of display.

    Pitches rise, followed by drums; other stems are in the order of their first notes.
    The labels are those of `stem_labels`.
    """
    first: dict[str, tuple[bool, int]] = {}
    for note, label in zip(score.notes, labels, strict=True):
        place = note.percussion, note.pitch
        first[label] = min(place, first.get(label, place))
    return tuple(sorted(first, key=first.__getitem__) if by == "pitch" else first)


def safe_names(labels: Iterable[str]) -> dict[str, str]:
    """A file name without suffix for each label, safe on every system.

    Separators, control characters and all that Linux, macOS or Windows refuse become
    underscores; dots and spaces at the ends are removed, device names of Windows get an
    underscore in front, and long names are cut to MAX_BYTES. If a file system would
    confuse names, because it ignores case or the encoding of accents, the first stays
    and the others are numbered: ``violin``, ``Violin_2``. Names that are already safe
    come first. Names are in NFC.
    """
    wanted = {label: safe_name(label) for label in labels}
    safe_first = sorted(wanted, key=lambda label: wanted[label] != label)
    own = (wanted[label] for label in safe_first)
    different = numbered(own, spell=_with_number, identity=identity)
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
                    f"group {stem}: no stem matches {pattern!r}; the stems are "
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
    """How specific a pattern is for a name: 0 is a full match, 2 matches all."""
    if name.casefold() == pattern.casefold():
        return 0
    return 2 if pattern == "*" else 1


def _winner(name: str, claims: Mapping[str, int]) -> str:
    """The group of a label, or its own name."""
    if not claims:
        return name
    first, *others = [s for s in claims if claims[s] == min(claims.values())]
    if others:
        raise ParameterError(
            f"{name} is in the groups {first} and {others[0]}; keep it in one"
        )
    return first


def _check_outside(stems: Mapping[str, str], groups: Groups) -> None:
    """Raise ParameterError if a label outside a group has the name of the group."""
    for name, stem in stems.items():
        patterns = groups.get(name, ())
        is_in_it = any(_matches(name, pattern) for pattern in patterns)
        if name == stem and patterns and not is_in_it:
            raise ParameterError(
                f"group {name} has the name of a stem that is not in it; "
                f"add {name} to the group, or rename the group"
            )


def _listed(names: Iterable[str]) -> str:
    names = list(names)
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return ", ".join(names[:LISTED]) + more


def _with_number(name: str, number: int) -> str:
    ending = f"_{number}"
    return cut(name, MAX_BYTES - len(ending)) + ending
