"""MusicXML: what is written, and how it sounds."""

import io
import warnings
import zipfile

import pytest
from documents import (
    DOCTYPE,
    REPEAT,
    TIE_BACK,
    TIE_ON,
    document,
    note,
    rest,
    sound,
    spans,
)

from specnmf import ScoreError
from specnmf.score import musicxml_document
from specnmf.score.musicxml import GRACE

# ------------------------------------------------------------------- reference


@pytest.mark.slow  # partitura takes long
def test_notes_are_those_of_partitura(read, rng):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        partitura = pytest.importorskip("partitura")
    measures = [[], []]
    for number in range(40):
        for part in measures:
            lengths = rng.choice([0.25, 0.5, 1 / 3, 1], 12)
            music = [note(f"{rng.choice(list('CDEFGAB'))}{rng.integers(1, 8)}", q)
                     for q in lengths]  # fmt: skip
            fill = 12 - round(sum(lengths), 6)
            mark = REPEAT if number in (7, 30) else ""
            part.append("".join(music) + rest(fill) + mark)
    text = document(*measures)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peer = partitura.load_musicxml(io.BytesIO(text.encode()))
        parts = [partitura.score.unfold_part_maximal(part) for part in peer.parts]
        expected = sorted(
            (round(float(part.quarter_map(n.start.t)) / 2, 6), n.midi_pitch)
            for part in parts
            for n in part.notes_tied
        )
    assert sorted((start, pitch) for start, _, pitch in spans(read(text))) == expected


# ---------------------------------------------------------------------- pitches


@pytest.mark.parametrize(
    ("pitch", "expected"),
    [("C4", 60), ("A4", 69), ("F14", 66), ("B-23", 57), ("C0", 12), ("E0.54", 64)],
)
def test_pitches_are_midi_numbers(read, pitch, expected):
    assert read(document([note(pitch)])).notes[0].pitch == expected


def test_transposing_instruments_sound_as_they_do(read):
    clarinet = (
        "<attributes><transpose><chromatic>-2</chromatic></transpose></attributes>"
    )
    bass = (
        "<attributes><transpose><chromatic>0</chromatic><octave-change>-1"
        "</octave-change></transpose></attributes>"
    )
    score = read(document([note("C4"), clarinet + note("C4"), bass + note("C4")]))
    assert [n.pitch for n in score.notes] == [60, 58, 48]


def test_drums_are_those_of_general_midi(read):
    definitions = (
        '<midi-instrument id="P0-I36"><midi-unpitched>37</midi-unpitched>'
        "</midi-instrument>"
    )
    hit = "<note><unpitched/><duration>12</duration>{}</note>"
    kick, unnamed = hit.format('<instrument id="P0-I36"/>'), hit.format("")
    score = read(document([kick + unnamed + note("C4")], definitions=definitions))
    heard = [(n.pitch, n.percussion) for n in score.notes]
    assert heard == [(36, True), (36, True), (60, False)]
    assert score.remarks == ()


# ------------------------------------------------------------------------ times


def test_chords_voices_and_rests_are_placed(read):
    chord = note("C4", 2) + note("E4", 2, before="<chord/>") + note("G4", 1)
    below = "<backup><duration>36</duration></backup>" + rest(1) + note("C3", 2)
    ahead = "<forward><duration>12</duration></forward>" + note("D5")
    assert spans(read(document([chord + below + ahead]))) == [
        (0, 1, 60), (0, 1, 64), (0.5, 1.5, 48), (1, 1.5, 67), (2, 2.5, 74),
    ]  # fmt: skip


def test_tied_notes_are_one(read):
    first = note("C4", 1, TIE_ON) + note("E4", 1, TIE_ON)
    second = note("E4", 1, TIE_BACK + TIE_ON) + note("C4", 1, TIE_BACK)
    third = note("E4", 1, TIE_BACK)
    # the C's do not touch, the last E comes too late
    assert spans(read(document([first, second, third]))) == [
        (0, 0.5, 60), (0.5, 1.5, 64), (1.5, 2, 60), (2, 2.5, 64),
    ]  # fmt: skip


def test_a_tie_from_before_a_repeat_is_not_taken_for_one_from_its_end(read):
    measures = [note("C4", 1, TIE_ON)]
    measures += [
        '<barline><repeat direction="forward"/></barline>' + note("C4", 1, TIE_BACK),
        note("C4") + REPEAT,
    ]
    assert spans(read(document(measures))) == [
        (0, 1, 60), (1, 1.5, 60), (1.5, 2, 60), (2, 2.5, 60),
    ]  # fmt: skip


def test_grace_notes_sound_shortly_before_the_beat(read):
    grace = "<note><grace/><pitch><step>D</step><octave>4</octave></pitch></note>"
    score = read(document([grace + note("C4") + grace + note("E4")]))
    assert spans(score) == [
        (0, 0.5, 60), (0, GRACE, 62), (0.5 - GRACE, 0.5, 62), (0.5, 1, 64),
    ]  # fmt: skip


def test_cue_notes_are_silent(read):
    score = read(document([note("C4", 1, "<cue/>") + note("E4")]))
    assert spans(score) == [(0.5, 1, 64)]


def test_tempo_marks_count_for_all_parts(read):
    fast = sound(tempo=240)
    score = read(
        document([note("C4", 2), fast + note("C4", 2)], [note("C3"), note("C3")])
    )
    assert spans(score) == [(0, 0.5, 48), (0, 1, 60), (1, 1.25, 48), (1, 1.5, 60)]


@pytest.mark.parametrize(
    ("mark", "seconds"),
    [
        ("<beat-unit>quarter</beat-unit><per-minute>60</per-minute>", 1),
        ("<beat-unit>half</beat-unit><per-minute>60</per-minute>", 0.5),
        ("<beat-unit>quarter</beat-unit><beat-unit-dot/>"
         "<per-minute>60</per-minute>", 2 / 3),
        ("<beat-unit>16th</beat-unit><per-minute>240</per-minute>", 1),
        ("<beat-unit>32nd</beat-unit><per-minute>240</per-minute>", 2),
        ("<beat-unit>long</beat-unit><per-minute>15</per-minute>", 0.25),
        ("<beat-unit>quarter</beat-unit><beat-unit-tied><beat-unit>eighth</beat-unit>"
         "</beat-unit-tied><per-minute>40</per-minute>", 1),
        ("<beat-unit>quarter</beat-unit><per-minute>ca. 60</per-minute>", 1),
        ("<beat-unit>quarter</beat-unit><per-minute>50-70</per-minute>", 1),
        ("<beat-unit>quarter</beat-unit><per-minute>62,5</per-minute>", 0.96),
        ("<beat-unit>quarter</beat-unit><per-minute>slow</per-minute>", 0.5),
        ("<beat-unit>quarter</beat-unit><beat-unit>half</beat-unit>", 0.25),
    ],
)  # fmt: skip
def test_a_metronome_mark_is_a_tempo_where_nothing_else_is(read, mark, seconds):
    kind = f"<direction-type><metronome>{mark}</metronome></direction-type>"
    (alone,) = read(document([f"<direction>{kind}</direction>" + note("C4")])).notes
    assert alone.duration == pytest.approx(seconds)
    both = f'<direction>{kind}<sound tempo="30"/></direction>'
    assert read(document([both + note("C4")])).notes[0].duration == pytest.approx(2)


def test_a_measure_played_again_has_the_tempo_that_it_had(read):
    slow = sound(tempo=60) + note("D4")
    score = read(document([note("C4"), slow + REPEAT, note("E4")]))
    assert spans(score) == [
        (0, 0.5, 60), (0.5, 1.5, 62), (1.5, 2, 60), (2, 3, 62), (3, 4, 64),
    ]  # fmt: skip


def test_repeats_endings_and_jumps_are_played(read):
    def ending(number, kind, inside=""):
        return f'<barline><ending number="{number}" type="{kind}"/>{inside}</barline>'

    back = '<repeat direction="backward"/>'
    measures = [
        note("C4"),
        ending("1, 2", "start") + note("D4") + ending("1, 2", "stop", back),
        ending("3", "start") + note("E4"),
        note("F4") + ending("3", "discontinue"),
        note("G4") + sound(dacapo="yes"),
    ]
    pitches = [n.pitch for n in read(document(measures)).notes]
    assert pitches == [60, 62, 60, 62, 60, 64, 65, 67, 60, 64, 65, 67]


def test_repeats_marked_in_one_part_hold_for_all(read):
    score = read(document([note("C4") + REPEAT, note("D4")], [note("E4"), note("F4")]))
    assert [n.pitch for n in score.notes] == [60, 64, 60, 64, 62, 65]


def test_a_part_that_miscounts_a_measure_does_not_drift(read):
    right = [note("C4", 4), note("D4", 4)]
    short = [note("E4", 3), note("F4", 4)]
    score = read(document(right, right, short))
    assert {n.start for n in score.notes} == {0, 2}
    assert {n.start for n in read(document(right, short)).notes} == {0, 2}


# ------------------------------------------------------------------------ parts


def test_parts_have_their_names_and_staves(read):
    hands = note("C5", 1, "<staff>1</staff>")
    hands += "<backup><duration>12</duration></backup>" + note(
        "C3", 1, "<staff>2</staff>"
    )
    score = read(
        document([hands], [note("C4")], [note("D4")], names=["Piano", "", "Piano"])
    )
    heard = [(n.pitch, n.part, n.staff) for n in score.notes]
    assert heard == [
        (48, "Piano", 2), (60, "P1", 0), (62, "Piano 2", 0), (72, "Piano", 1),
    ]  # fmt: skip


# ------------------------------------------------------------------------ files


def packed(text, name="music/score.xml", container=None, **options):
    container = container or f'<rootfiles><rootfile full-path="{name}"/></rootfiles>'
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", **options) as archive:
        archive.writestr(
            "META-INF/container.xml", f"<container>{container}</container>"
        )
        archive.writestr(name, text)
    return data.getvalue()


@pytest.mark.parametrize("how", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_packed_file_is_read_whatever_its_name(read, how):
    data = packed(document([note("C4")]), compression=how)
    assert (
        spans(read(data, "score.mxl")) == spans(read(data, "odd.xml")) == [(0, 0.5, 60)]
    )


@pytest.mark.parametrize("encoding", ["UTF-16", "ISO-8859-1", "UTF-8"])
def test_documents_are_read_in_their_encoding(read, encoding):
    text = document([note("C4")], names=["Flöte"]).replace("UTF-8", encoding)
    assert read(text.encode(encoding)).parts == ("Flöte",)


BOMB = "".join(
    f'<!ENTITY {new} "{f"&{old};" * 10}">'
    for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    "declaration",
    [
        f'<!DOCTYPE score-partwise [<!ENTITY a "ha">{BOMB}]>',
        '<!DOCTYPE score-partwise [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        DOCTYPE.replace(">", ' [<!ENTITY a "b">]>'),
    ],
)
@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16"])
def test_a_document_with_entities_is_refused(read, declaration, encoding):
    text = document([note("C4")]).replace(DOCTYPE, declaration)
    text = text.replace("UTF-8", encoding).replace("part 0", "&a;")
    with pytest.raises(
        ScoreError, match=r"score.musicxml: defines its own XML entities"
    ):
        read(text.encode(encoding))


def test_a_document_type_elsewhere_is_not_looked_for(read, tmp_path):
    external = tmp_path / "other.dtd"
    external.write_text('<!ENTITY a "b">')
    text = document([note("C4")], names=["&a;"])
    text = text.replace(DOCTYPE, f'<!DOCTYPE score-partwise SYSTEM "{external}">')
    assert read(text).parts == ("P0",)


def test_a_zip_bomb_is_refused(read, monkeypatch):
    monkeypatch.setattr(musicxml_document, "MAX_BYTES", 1 << 20)
    data = packed(" " * (2 << 20), compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(ScoreError, match=r"score.mxl: unpacks to more than 1 MB"):
        read(data, "score.mxl")


def test_a_packed_file_names_only_what_it_holds(read):
    outside = '<rootfiles><rootfile full-path="../../../../etc/passwd"/></rootfiles>'
    data = packed(document([note("C4")]), container=outside)
    with pytest.raises(ScoreError, match="damaged: .*There is no item named"):
        read(data, "score.mxl")


def test_too_large_a_packed_file_is_refused_unopened(read, monkeypatch):
    monkeypatch.setattr(musicxml_document, "MAX_PACKED_BYTES", 0)
    with pytest.raises(ScoreError, match="the limit for .mxl"):
        read(packed(document([note("C4")])), "score.mxl")


def test_a_file_packed_otherwise_is_refused(read):
    data = packed(document([note("C4")]), compression=zipfile.ZIP_LZMA)
    with pytest.raises(
        ScoreError, match="compressed in another way than .mxl files are"
    ):
        read(data, "score.mxl")


def test_too_many_elements_are_refused(read, monkeypatch):
    monkeypatch.setattr(musicxml_document, "MAX_ELEMENTS", 100)
    with pytest.raises(ScoreError, match="larger than scores are; export it as MIDI"):
        read(document([note("C4") * 30]))


@pytest.mark.parametrize("tag", ["part", "lyric"])
def test_too_deep_elements_are_refused(read, tag):
    with pytest.raises(ScoreError, match="nested too deeply for a score"):
        read("<score-partwise>" + f"<{tag}>" * 100_000)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<html><note/></html>", "expected MusicXML, found html; export the score"),
        ("<score-timewise/>", "holds no notes"),
        ("<score-partwise>", "not XML, or damaged: no element found"),
        ("words", "not XML, or damaged"),
        ('<?xml version="1.0" encoding="UTF-7"?><a/>', "found a"),
        ('<?xml version="1.0" encoding="x-odd"?><a/>', "found a"),
        ("<a/>".encode("utf-16")[:-1], "not XML, or damaged: not UTF-16"),
        ("<score-partwise/>", "holds no notes"),
        (document([rest(4)]), "holds no notes"),
        (document([note("H4")]), "a note 'H'"),
        (document([note("C9").replace("9", "99")]), "between 0 and 127, got 1200"),
        (document([note("C4", -1)]), "a duration of -12"),
        (document([note("C4")]).replace("12</dur", "x</dur"), "a duration of 'x'"),
        (document([note("C4")]).replace(">12</div", ">0</div"), "0 divisions"),
        (document([sound(tempo="inf") + note("C4")]), "a tempo of 'inf'"),
        (document([sound(tempo=0) + note("C4")]), "a tempo of 0"),
        (document([sound(tempo=1e-9) + note("C4")]), "hours, expected at most a day"),
        (document([note("C4") + REPEAT.replace("/>", ' times="999999999"/>')]),
         "more than 200000 measures"),
        (b"PK\x03\x04 and no more", "damaged: File is not a zip file"),
        (packed("x", container="<rootfiles/>"), "its container names no score"),
    ],
)  # fmt: skip
def test_what_is_no_score_is_refused_in_one_line(read, text, message):
    with pytest.raises(ScoreError, match=message) as caught:
        read(text)
    assert "\n" not in str(caught.value)


@pytest.mark.slow  # a large score
def test_a_large_score_is_read_whole(read):
    measures = [note("C4", 0.25) * 16] * 1000
    assert len(read(document(measures)).notes) == 16_000
