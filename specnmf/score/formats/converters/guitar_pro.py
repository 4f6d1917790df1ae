"""Print the beats of a file of Guitar Pro 3 to 5, which PyGuitarPro reads."""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path
from typing import Any

MISSING, DAMAGED = 3, 4


def main(score: str, found: str) -> int:
    """Write what is in a score into a file, and return the exit status."""
    try:
        import guitarpro
    except ImportError:
        return MISSING
    try:
        song = guitarpro.parse(score)
        result = {
            "tempo": song.tempo,
            "headers": [_header(header) for header in song.measureHeaders],
            "tracks": [_track(track) for track in song.tracks],
        }
    except Exception as error:  # it raises whatever its reading meets
        print(type(error).__name__, error, file=sys.stderr)
        return DAMAGED
    Path(found).write_text(json.dumps(result), encoding="utf-8")
    return 0


def _header(header: Any) -> dict[str, Any]:
    signature = header.timeSignature
    bits = max(header.repeatAlternative, 0)
    return {
        "time": [signature.numerator, signature.denominator.value],
        "opens": header.isRepeatOpen,
        "times": header.repeatClose + 1,
        "endings": [k + 1 for k in range(8) if bits >> k & 1],
        "places": [header.direction.name] if header.direction else [],
        "jumps": [header.fromDirection.name] if header.fromDirection else [],
        "swings": header.tripletFeel.value != 0,
    }


def _track(track: Any) -> dict[str, Any]:
    return {
        "name": track.name,
        "is_kit": track.isPercussionTrack,
        "measures": [
            [[_beat(beat, track) for beat in voice.beats if beat.status.value]
             for voice in measure.voices]
            for measure in track.measures
        ],
    }  # fmt: skip


def _beat(beat: Any, track: Any) -> dict[str, Any]:
    """A beat: its length in quarter notes, and pitch, string and tie of its notes."""
    found: dict[str, Any] = {"quarters": beat.duration.time / 960, "notes": []}
    change = beat.effect.mixTableChange
    if change is not None and change.tempo is not None:
        found["tempo"] = change.tempo.value
    graces = []
    for note in beat.notes:
        if note.type.name == "rest":
            continue
        pitch = _pitch(note, note.value, track)
        found["notes"].append([pitch, note.string, note.type.name == "tie"])
        if note.effect.grace is not None:
            graces.append(_pitch(note, note.effect.grace.fret, track))
    if graces:
        found["graces"] = graces
    return found


def _pitch(note: Any, fret: int, track: Any) -> int:
    """The pitch of a fret; kits have the number of their drum as fret."""
    if track.isPercussionTrack:
        return int(fret)
    return int(track.strings[note.string - 1].value + track.offset + fret)


if __name__ == "__main__":
    runpy.run_path(str(Path(__file__).with_name("bounds.py")))
    sys.exit(main(*sys.argv[1:]))
