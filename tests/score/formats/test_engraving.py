"""MEI and Humdrum, as Verovio plays them."""

import pytest

from specnmf.errors import ScoreError
from specnmf.score.formats import conversion

KERN = """**kern	**kern
*Ibass	*Isoprn
*clefF4	*clefG2
*k[]	*k[]
*M4/4	*M4/4
*MM100	*MM100
=1	=1
4C	4cc
2D	6dd
.	6ee
.	6ff
4E	4ff
=2:|!	=2:|!
2D	1cc
2C	.
==	==
*-	*-
"""

MEI = """<?xml version="1.0" encoding="UTF-8"?>
<mei xmlns="http://www.music-encoding.org/ns/mei" meiversion="5.0"><meiHead><fileDesc>
<titleStmt><title>One</title></titleStmt><pubStmt/></fileDesc></meiHead><music><body>
<mdiv><score><scoreDef meter.count="4" meter.unit="4" midi.bpm="120"><staffGrp>
{staves}</staffGrp></scoreDef><section>{measures}</section></score></mdiv>
</body></music></mei>
"""

FLUTE = '<staffDef n="1" lines="5" clef.shape="G" clef.line="2"><label>Flute</label>'
FLUTE += "</staffDef>"
PIANO = """<staffGrp symbol="brace"><label>Piano</label>
<staffDef n="1" lines="5" clef.shape="G" clef.line="2"/>
<staffDef n="2" lines="5" clef.shape="F" clef.line="4"/></staffGrp>"""


def note(name, octave, duration="4", more=""):
    return f'<note pname="{name}" oct="{octave}" dur="{duration}" {more}/>'


def staff(*notes, n=1):
    return f'<staff n="{n}"><layer n="1">{"".join(notes)}</layer></staff>'


def mei(*measures, staves=FLUTE):
    own = "".join(
        f'<measure n="{k}">{"".join(staves)}</measure>'
        for k, staves in enumerate(measures, 1)
    )
    return MEI.format(staves=staves, measures=own)


@pytest.fixture
def heard(read):
    pytest.importorskip("verovio")

    def heard(contents, name):
        score = read(contents, name)
        return score, [
            (round(n.start, 6), round(n.duration, 6), n.pitch) for n in score.notes
        ]

    return heard


def test_humdrum_is_read_with_its_repeats(heard):
    score, notes = heard(KERN, "song.krn")
    assert score.parts == ("Bass", "Soprano")
    once = [(0, 1, 48), (0, 1, 72), (1, 2 / 3, 74), (1, 2, 50), (5 / 3, 2 / 3, 76)]
    once += [(7 / 3, 2 / 3, 77), (3, 1, 52), (3, 1, 77)]
    again = [(start + 4, length, pitch) for start, length, pitch in once]
    last = [(8, 2, 50), (8, 4, 72), (10, 2, 48)]
    assert notes == [
        pytest.approx((0.6 * start, 0.6 * length, pitch), abs=0.002)
        for start, length, pitch in sorted([*once, *again, *last], key=_order)
    ]


def _order(note):
    start, _, pitch = note
    return start, pitch


def test_mei_is_read_with_the_names_of_its_staves(heard):
    music = staff(note("c", 5), note("d", 5), note("e", 5, "2"))
    score, notes = heard(mei([music]), "song.mei")
    assert score.parts == ("Flute",)
    assert notes == [
        pytest.approx(n, abs=0.002) for n in [(0, 0.5, 72), (0.5, 0.5, 74), (1, 1, 76)]
    ]


def test_the_staves_of_a_piano_are_one_part(heard):
    music = staff(note("c", 5, "1")), staff(note("c", 3, "1"), n=2)
    score, _ = heard(mei(music, staves=PIANO), "song.mei")
    assert score.parts == ("Piano",)
    assert [(n.pitch, n.staff) for n in score.notes] == [(48, 2), (72, 1)]


def test_unnamed_parts_are_numbered(heard):
    staves = FLUTE.replace("<label>Flute</label>", "")
    score, _ = heard(mei([staff(note("c", 5, "1"))], staves=staves), "song.mei")
    assert score.parts == ("Part 1",)


def test_tied_notes_are_one(heard):
    measures = (
        [staff(note("c", 5, "1", 'tie="i"'))],
        [staff(note("c", 5, "1", 'tie="t"'))],
    )
    _, notes = heard(mei(*measures), "song.mei")
    assert notes == [pytest.approx((0, 4, 72), abs=0.002)]


def whole(name, **signs):
    """A measure of one note, with its barlines."""
    return [staff(note(name, 5, "1"))], signs


def piece(*measures):
    """A score of measures with barlines, some under brackets."""
    own = ""
    for k, (staves, signs) in enumerate(measures, 1):
        sides = "".join(
            f' {side}="{signs[side]}"' for side in ("left", "right") if side in signs
        )
        inside = "".join(staves) + signs.get("inside", "")
        text = f'<measure n="{k}"{sides}>{inside}</measure>'
        if "ending" in signs:
            text = f'<ending n="{signs["ending"]}">{text}</ending>'
        own += text
    return MEI.format(staves=FLUTE, measures=own)


@pytest.mark.parametrize(
    ("measures", "pitches"),
    [
        ([whole("c"), whole("d", left="rptstart", right="rptend")], "cdd"),
        ([whole("c", right="rptboth"), whole("d", right="rptend")], "ccdd"),
        (
            [
                whole("c"),
                whole("d", ending="1", right="rptend"),
                whole("e", ending="2"),
                whole("f"),
            ],
            "cdcef",
        ),
        (
            [
                whole("c"),
                whole("d", inside='<dir tstamp="4" staff="1">Fine</dir>'),
                whole("e", inside='<dir tstamp="4" staff="1">D.C. al Fine</dir>'),
            ],
            "cdecd",
        ),
    ],
    ids=["repeat", "both", "endings", "da capo"],
)
def test_repeats_and_jumps_are_played(heard, measures, pitches):
    score, _ = heard(piece(*measures), "song.mei")
    names = dict(zip((72, 74, 76, 77), "cdef", strict=True))
    assert "".join(names[note.pitch] for note in score.notes) == pitches
    assert [note.start for note in score.notes] == pytest.approx(
        [2.0 * k for k in range(len(pitches))], abs=0.002
    )


def test_a_tempo_holds_in_each_pass_of_a_repeat(heard):
    slow = '<tempo tstamp="1" staff="1" mm="60" mm.unit="4" midi.bpm="60">slow</tempo>'
    measures = whole("c"), whole("d", right="rptend", inside=slow)
    score, _ = heard(piece(*measures), "song.mei")
    durations = [note.duration for note in score.notes]
    assert durations == pytest.approx([2, 4, 2, 4], abs=0.005)


def test_an_order_of_sections_that_is_not_played_is_said(heard):
    document = piece(whole("c"), whole("d"))
    order = '<expansion plist="#a #a"/>'
    score, _ = heard(document.replace("<section>", f"<section>{order}"), "song.mei")
    assert score.remarks == ("not played: the order of its sections",)
    plain = document.replace("<section>", '<section><expansion plist="#a #b"/>')
    assert heard(plain, "song.mei")[0].remarks == ()


def test_movements_are_played_one_after_the_other(heard):
    document = mei([staff(note("c", 5, "1"))])
    mdiv = document[document.index("<mdiv>") : document.index("</body>")]
    score, notes = heard(document.replace(mdiv, 2 * mdiv), "song.mei")
    assert [n[0] for n in notes] == pytest.approx([0, 2], abs=0.002)
    assert score.remarks == ("2 movements, one after the other",)


@pytest.mark.parametrize("name", ["song.mei", "song.krn"])
def test_other_text_is_refused(read, name):
    pytest.importorskip("verovio")
    with pytest.raises(
        ScoreError, match=r"damaged, or not what Verovio reads|no notes"
    ):
        read("no music at all\n", name)


def test_without_the_library_the_message_says_how_to_install_it(
    read, monkeypatch, tmp_path
):
    (tmp_path / "engraving.py").write_text("import sys\nsys.exit(3)\n")
    monkeypatch.setattr(conversion, "_FOLDER", tmp_path)
    with pytest.raises(ScoreError, match=r"Humdrum is read by Verovio, which is not"):
        read(KERN, "song.krn")


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("import os\nos.abort()\n", "damaged, or not what Verovio reads; export"),
        ("while True:\n    pass\n", "takes more than 1 s to read"),
        ("import sys\nopen(sys.argv[2], 'w').write(40 * ' ')\n", "larger than scores"),
        ("", "damaged, or not what Verovio reads; export"),
        ("import sys\nsys.exit('odd\\nreason')\n", "not what Verovio reads; export"),
    ],
    ids=["crash", "hang", "large", "nothing", "error"],
)
def test_a_converter_that_fails_is_told_in_a_line(
    read, monkeypatch, tmp_path, program, message
):
    (tmp_path / "engraving.py").write_text(program)
    monkeypatch.setattr(conversion, "_FOLDER", tmp_path)
    monkeypatch.setattr(conversion, "MOST_SECONDS", 1)
    monkeypatch.setattr(conversion, "MOST_BYTES", 39)
    with pytest.raises(ScoreError, match=message) as failed:
        read(KERN, "song.krn")
    assert "\n" not in str(failed.value)
