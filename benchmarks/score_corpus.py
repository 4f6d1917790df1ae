"""Read MusicXML scores, and compare what is read with what other programs read.

    python benchmarks/score_corpus.py FOLDER [--peers partitura music21] [--limit 60]

Reads each .xml, .musicxml and .mxl in a folder, such as music21's corpus, and compares
which pitches begin when, in quarter notes, repeats played, with what peers find. Tempo
marks, drums, grace and cue notes are taken out first: each program has its own idea of
when those sound. Prints the files that differ, and a table.
"""

from __future__ import annotations

import argparse
import signal
import tempfile
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree

from tables import table

import specnmf

#: Pitches, and when they begin, in twenty-fourths of a quarter note.
Onsets = Counter[tuple[int, int]]

_SUFFIXES = {".xml", ".musicxml", ".mxl"}


def onsets(pairs: Iterator[tuple[float, int]]) -> Onsets:
    return Counter((round(24 * start), int(pitch)) for start, pitch in pairs)


def ours(path: str) -> Onsets:
    notes = specnmf.read_score(path).notes
    return onsets((2 * n.start, n.pitch) for n in notes if not n.percussion)


def partitura(path: str) -> Onsets:
    import partitura

    parts = partitura.load_musicxml(path).parts
    unfolded = [partitura.score.unfold_part_maximal(part) for part in parts]
    return onsets(
        (float(part.quarter_map(n.start.t) - part.quarter_map(0)), n.midi_pitch)
        for part in unfolded
        for n in part.notes_tied
    )


def music21(path: str) -> Onsets:
    from music21 import converter

    score = converter.parse(path, forceSource=True, format="musicxml").expandRepeats()
    return onsets(
        (float(note.getOffsetInHierarchy(part)), pitch.midi)
        for part in (p.toSoundingPitch().stripTies() for p in score.parts)
        for note in part.recurse().notes
        for pitch in note.pitches
        if not note.duration.isGrace
    )


READERS: dict[str, Callable[[str], Onsets]] = {
    "partitura": partitura,
    "music21": music21,
}


def plain(path: Path, into: Path) -> str:
    """Write a score with nothing in it that programs may sound in their own ways."""
    data = path.read_bytes()
    if data.startswith(b"PK"):
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if "META-INF" not in name]
            data = archive.read(next(name for name in names if name.endswith("xml")))
    root = ElementTree.fromstring(data)
    for parent in root.iter():
        parent.attrib.pop("tempo", None)
        for child in list(parent):
            is_own = any(
                child.find(t) is not None for t in ("grace", "cue", "unpitched")
            )
            if is_own or child.find("direction-type/metronome") is not None:
                parent.remove(child)
    file = into / "plain.musicxml"
    ElementTree.ElementTree(root).write(file, encoding="utf-8", xml_declaration=True)
    return str(file)


def within(seconds: int, read: Callable[[str], Onsets], path: str) -> Onsets | str:
    """What a program reads, or why it does not."""

    def stop(*_: object) -> None:
        raise TimeoutError

    signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return read(path)
    except TimeoutError:
        return "too slow"
    except Exception as error:  # whatever a peer raises is its answer
        return f"fails: {type(error).__name__}"
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def verdict(own: Onsets | str, other: Onsets | str) -> str:
    if isinstance(own, str):
        return f"specnmf {own}"
    if isinstance(other, str):
        return other
    if own == other:
        return "the same"
    pitches, others = (Counter(p for _, p in each.elements()) for each in (own, other))
    if pitches == others:
        return "same pitches, other onsets"
    return "other pitches"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--peers", nargs="+", choices=READERS, default=list(READERS))
    parser.add_argument(
        "--limit", type=int, default=60, help="seconds of the processor for a file"
    )
    args = parser.parse_args()
    files = sorted(f for f in args.folder.rglob("*") if f.suffix.lower() in _SUFFIXES)
    counts: dict[str, Counter[str]] = {peer: Counter() for peer in args.peers}
    with tempfile.TemporaryDirectory() as folder:
        for file in files:
            path = plain(file, Path(folder))
            own = within(args.limit, ours, path)
            for peer in args.peers:
                other = within(args.limit, READERS[peer], path)
                found = verdict(own, other)
                counts[peer][found] += 1
                if found != "the same":
                    sizes = [len(list(o.elements())) if isinstance(o, Counter) else 0
                             for o in (own, other)]  # fmt: skip
                    print(
                        peer, file.relative_to(args.folder), found, *sizes, flush=True
                    )
    rows = [
        (p, found, str(n)) for p, c in counts.items() for found, n in c.most_common()
    ]
    print(table(("peer", "what it reads", "scores"), rows))


if __name__ == "__main__":
    main()
