"""Guitar Pro files: of versions 3 to 5 against PyGuitarPro, of 6 to 8 as documents."""

import io
import struct
import zipfile

import pytest

from specnmf.errors import ScoreError
from specnmf.score.formats import conversion, gpx

GUITAR = "40 45 50 55 59 64"

TRACK = """<Track id="0"><Name>Guitar</Name><Staves><Staff><Properties>
<Property name="CapoFret"><Fret>{capo}</Fret></Property>
<Property name="Tuning"><Pitches>{tuning}</Pitches></Property>
</Properties></Staff></Staves></Track>"""

DRUMS = """<Track id="0"><Name>Drums</Name><InstrumentSet><Type>drumKit</Type><Elements>
<Element><Articulations><Articulation><OutputMidiNumber>36</OutputMidiNumber>
</Articulation></Articulations></Element><Element><Articulations><Articulation>
<OutputMidiNumber>42</OutputMidiNumber></Articulation></Articulations></Element>
</Elements></InstrumentSet></Track>"""

RHYTHMS = """<Rhythms><Rhythm id="0"><NoteValue>Quarter</NoteValue></Rhythm>
<Rhythm id="1"><NoteValue>Eighth</NoteValue>
<PrimaryTuplet><Num>3</Num></PrimaryTuplet></Rhythm>
<Rhythm id="2"><NoteValue>Half</NoteValue><AugmentationDot count="1"/></Rhythm>
<Rhythm id="3"><NoteValue>Whole</NoteValue></Rhythm></Rhythms>"""
RHYTHMS = RHYTHMS.replace(
    "<PrimaryTuplet><Num>3</Num></PrimaryTuplet>", '<PrimaryTuplet num="3" den="2"/>'
)


def note(string, fret, inside=""):
    return (
        f'{inside}<Properties><Property name="Fret"><Fret>{fret}</Fret></Property>'
        f'<Property name="String"><String>{string}</String></Property></Properties>'
    )


def gpif(bars, *, track=None, master=None, head="", tempo="120 2"):
    """A score of one track: of each bar the rhythm and notes of its beats."""
    track = track or TRACK.format(capo=0, tuning=GUITAR)
    master = master or [""] * len(bars)
    masters, voices, beats, notes = [], [], [], []
    for k, (bar, own) in enumerate(zip(bars, master, strict=True)):
        own = own if "<Time>" in own else f"{own}<Time>4/4</Time>"
        masters.append(f"<MasterBar>{own}<Bars>{k}</Bars></MasterBar>")
        keys = []
        for rhythm, own_notes, *more in bar:
            ids = range(len(notes), len(notes) + len(own_notes))
            notes += own_notes
            keys.append(len(beats))
            listed = " ".join(map(str, ids))
            beats.append(
                f'<Rhythm ref="{rhythm}"/><Notes>{listed}</Notes>{"".join(more)}'
            )
        voices.append(f"<Beats>{' '.join(map(str, keys))}</Beats>")
    many = {
        "Bar": [f"<Voices>{k} -1 -1 -1</Voices>" for k in range(len(bars))],
        "Voice": voices,
        "Beat": beats,
        "Note": notes,
    }
    stored = "".join(
        f"<{tag}s>"
        + "".join(f'<{tag} id="{k}">{own}</{tag}>' for k, own in enumerate(elements))
        + f"</{tag}s>"
        for tag, elements in many.items()
    )
    return f"""<?xml version="1.0" encoding="utf-8"?><GPIF><MasterTrack>{head}
    <Automations><Automation><Type>Tempo</Type><Bar>0</Bar><Position>0</Position>
    <Value>{tempo}</Value></Automation></Automations></MasterTrack>
    <Tracks>{track}</Tracks><MasterBars>{"".join(masters)}</MasterBars>
    {stored}{RHYTHMS}</GPIF>"""


def packed(document, name="Content/score.gpif"):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, document)
    return data.getvalue()


@pytest.fixture
def score(read):
    return lambda *args, **kwargs: read(packed(gpif(*args, **kwargs)), "song.gp")


def heard(score):
    return [(n.start, n.duration, n.pitch) for n in score.notes]


WHOLE = [(3, [note(0, 0)])]


def bars(*frets):
    return [[(3, [note(0, fret)])] for fret in frets]


def pitches(score):
    return [n.pitch for n in score.notes]


def test_frets_are_pitches_by_the_tuning_and_the_capo(score):
    music = [[(0, [note(0, 0), note(5, 3)]), (2, [note(1, 2)])]]
    assert heard(score(music)) == [(0, 0.5, 40), (0, 0.5, 67), (0.5, 1.5, 47)]
    capo = TRACK.format(capo=2, tuning=GUITAR)
    assert pitches(score(music, track=capo)) == [42, 69, 49]
    assert score(music).parts == ("Guitar",)


def test_a_note_without_a_string_has_the_pitch_it_says(score):
    midi = (
        '<Properties><Property name="Midi"><Number>61</Number></Property></Properties>'
    )
    tone = (
        '<Properties><Property name="Tone"><Step>2</Step></Property>'
        '<Property name="Octave"><Number>5</Number></Property></Properties>'
    )
    assert pitches(score([[(0, [midi]), (2, [tone])]])) == [61, 62]


def test_tuplets_and_rests_take_their_time(score):
    triplet = [(1, [note(0, k)]) for k in range(3)]
    found = score([[*triplet, (0, []), (0, [note(0, 5)])]])
    assert [n.start for n in found.notes] == pytest.approx([0, 1 / 6, 1 / 3, 1.0])


def test_tied_notes_are_one_over_the_barline_as_well(score):
    tie = '<Tie origin="false" destination="true"/>'
    music = [[(2, []), (0, [note(2, 2)])], [(3, [note(2, 2, tie)])]]
    assert heard(score(music)) == [(1.5, 2.5, 52)]


def test_grace_notes_sound_before_the_beat(score):
    grace = (0, [note(0, 1)], "<GraceNotes>BeforeBeat</GraceNotes>")
    found = score([[(0, []), grace, (2, [note(0, 2)])]])
    assert heard(found)[1] == (0.5, 1.5, 42)
    assert found.notes[0].start == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("code", "seconds"), [(1, 1.0), (2, 0.5), (3, 1 / 3), (4, 0.25)]
)
def test_a_tempo_counts_the_beats_of_its_code(score, code, seconds):
    found = score([[(0, [note(0, 0)])]], tempo=f"120 {code}")
    assert found.notes[0].duration == pytest.approx(seconds)


def test_a_bar_lasts_as_long_as_its_time_signature(score):
    short, long = [(0, [note(0, 0)])], [(3, [note(0, 0)]), (3, [note(0, 0)])]
    found = score([short, long, WHOLE])
    assert [n.start for n in found.notes] == [0, 2.0, 4.0, 4.0]
    assert found.remarks == (
        "1 measure with more than the time signature: the next begins on time",
    )


def test_an_upbeat_is_as_long_as_its_notes(score):
    found = score([[(0, [note(0, 0)])], WHOLE], head="<Anacrusis/>")
    assert [n.start for n in found.notes] == [0, 0.5]


def test_repeats_and_endings_are_played(score):
    master = [
        '<Repeat start="true" end="false" count="0"/>',
        '<AlternateEndings>1</AlternateEndings><Repeat end="true" count="2"/>',
        "<AlternateEndings>2</AlternateEndings>",
    ]
    assert pitches(score(bars(0, 1, 2), master=master)) == [40, 41, 40, 42]


def directions(*elements):
    return f"<Directions>{''.join(elements)}</Directions>"


@pytest.mark.parametrize(
    ("signs", "frets"),
    [
        ({1: "<Target>Fine</Target>", 2: "<Jump>DaCapoAlFine</Jump>"}, [0, 1, 2, 0, 1]),
        ({1: "<Target>Segno</Target>", 2: "<Jump>DaSegno</Jump>"}, [0, 1, 2, 1, 2]),
        (
            {
                0: "<Jump>DaCoda</Jump>",
                1: "<Jump>DaCapoAlCoda</Jump>",
                2: "<Target>Coda</Target>",
            },
            [0, 1, 0, 2],
        ),
        ({1: "<Target>Fine</Target>", 2: "<Jump>DaCapo</Jump>"}, [0, 1, 2, 0, 1, 2]),
    ],
    ids=["al fine", "dal segno", "al coda", "a fine that nothing asks for"],
)
def test_jumps_are_followed(score, signs, frets):
    master = [directions(signs[k]) if k in signs else "" for k in range(3)]
    found = score(bars(0, 1, 2), master=master)
    assert [pitch - 40 for pitch in pitches(found)] == frets


def test_bars_may_repeat_those_before(read):
    document = gpif([*bars(0, 1), []])
    document = document.replace(
        "<Voices>2 -1 -1 -1</Voices>",
        "<Voices>2 -1 -1 -1</Voices><SimileMark>Simple</SimileMark>",
    )
    assert pitches(read(packed(document), "song.gp")) == [40, 41, 41]


def test_drums_are_those_of_their_kit(score):
    music = [
        [(0, [f"<InstrumentArticulation>{k}</InstrumentArticulation>"]) for k in (0, 1)]
    ]
    found = score(music, track=DRUMS)
    assert [(n.pitch, n.percussion) for n in found.notes] == [(36, True), (42, True)]


def test_drums_of_version_6_are_elements_with_variations(score):
    own = (
        '<Properties><Property name="Element"><Element>{}</Element></Property>'
        '<Property name="Variation"><Variation>{}</Variation></Property></Properties>'
    )
    track = '<Track id="0"><Name>Kit</Name><GeneralMidi table="Percussion"/></Track>'
    elements = [own.format(*pair) for pair in ((0, 0), (1, 2), (10, 2), (99, 0))]
    found = score([[(0, [element]) for element in elements]], track=track)
    assert pitches(found) == [36, 37, 46, 38]


def test_swing_is_said_not_to_be_played(score):
    found = score(bars(0), master=["<TripletFeel>Triplet8th</TripletFeel>"])
    assert found.remarks == ("not played: its swing; notes are where they are written",)


# the containers of version 6


def bits(*numbers):
    """Bytes of numbers, each with its width; the highest bit first."""
    text = "".join(f"{number:0{width}b}" for number, width in numbers)
    text += "0" * (-len(text) % 8)
    return int(text, 2).to_bytes(len(text) // 8, "big")


def container(document, name="score.gpif"):
    """A container whose only file begins in its third sector."""
    sectors = -(-len(document) // 0x1000)
    entry = bytearray(0x1000)
    entry[:4] = struct.pack("<I", 2)
    entry[4 : 4 + len(name)] = name.encode()
    entry[0x8C:0x90] = struct.pack("<I", len(document))
    listed = struct.pack(f"<{sectors + 1}I", *range(2, 2 + sectors), 0)
    entry[0x94 : 0x94 + len(listed)] = listed
    return b"\xff" * 0x1000 + bytes(entry) + document.ljust(sectors * 0x1000, b"\0")


def test_a_container_is_read_whether_compressed_or_not(read):
    plain = b"BCFS" + container(gpif(bars(0, 3)).encode())
    assert pitches(read(plain, "song.gpx")) == [40, 43]
    raw = []
    for start in range(0, len(plain), 3):
        piece = plain[start : start + 3]
        raw += [(0, 1), (int(f"{len(piece):02b}"[::-1], 2), 2)]
        raw += [(byte, 8) for byte in piece]
    zipped = b"BCFZ" + struct.pack("<I", len(plain)) + bits(*raw)
    assert pitches(read(zipped, "song.gpx")) == [40, 43]


def test_compressed_bytes_may_refer_back():
    # abc, then three bytes from three back, then two from four back
    numbers = [(0, 1), (3, 2), *((ord(c), 8) for c in "abc")]
    numbers += [(1, 1), (2, 4), (3, 2), (3, 2)]
    numbers += [(1, 1), (3, 4), (0b001, 3), (0b010, 3)]
    data = struct.pack("<I", 8) + bits(*numbers)
    assert gpx.decompressed(data) == b"abcabcca"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"BCFZ", "ends too early"),
        (b"BCFZ\xff\xff\xff\x7f", "unpacks to more than 64 MB"),
        (b"BCFZ\4\0\0\0" + bits((1, 1), (2, 4), (3, 2), (3, 2)), "what is not there"),
        (b"BCFZ\4\0\0\0abcd", "no Guitar Pro 6 file"),
        (b"BCFS" + bytes(0x3000), "holds no score.gpif"),
        (b"BCFS" + container(b"<GPIF/>", "other"), "holds no score.gpif"),
        (b"BCFS" + container(b"<gpx/>"), "expected a Guitar Pro file, found gpx"),
        (b"BCFS" + container(b"<GPIF/>"), "holds no notes"),
        (b"something else", "expected a file of Guitar Pro 3 to 8"),
        (packed("<GPIF/>", "other"), "There is no item named"),
    ],
)
def test_damaged_files_are_refused(read, data, message):
    with pytest.raises(ScoreError, match=message):
        read(data, "song.gpx")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("<NoteValue>Whole", "<NoteValue>Some", "a note of value 'some'"),
        ('<Rhythm ref="3"/>', "", "a beat without a length"),
        ("120 2", "0 2", "a tempo of 0"),
    ],
)
def test_documents_that_make_no_sense_are_refused(read, old, new, message):
    document = gpif(bars(0)).replace(old, new)
    with pytest.raises(ScoreError, match=message):
        read(packed(document), "song.gp")


def test_few_bars_cannot_stand_for_millions_of_notes(read, monkeypatch):
    monkeypatch.setattr("specnmf.score.formats.gpif.MAX_NOTES", 1000)
    document = gpif([[(3, 20 * [note(0, 0)])]])
    listed = " ".join(101 * ["0"])
    document = document.replace("<Beats>0</Beats>", f"<Beats>{listed}</Beats>")
    with pytest.raises(ScoreError, match="holds more than 1000 notes"):
        read(packed(document), "song.gp")


# versions 3 to 5


def song(guitarpro):
    """A song with all that is read, as PyGuitarPro makes it."""
    models = guitarpro.models
    song = models.Song(tempo=100)
    song.tracks[0].name = "Guitar"
    song.tracks[0].offset = 2
    song.measureHeaders = [models.MeasureHeader(number=k + 1) for k in range(3)]
    song.measureHeaders[0].isRepeatOpen = True
    song.measureHeaders[1].repeatClose = 1
    track = song.tracks[0]
    track.measures = [models.Measure(track, header) for header in song.measureHeaders]

    def beat(voice, value, *notes, is_dotted=False):
        new = models.Beat(voice, status=models.BeatStatus.normal)
        new.duration = models.Duration(value=value, isDotted=is_dotted)
        for string, fret, kind in notes:
            new.notes.append(models.Note(new, value=fret, string=string, type=kind))
        voice.beats.append(new)
        return new

    normal, tie = models.NoteType.normal, models.NoteType.tie
    first, second, third = (measure.voices[0] for measure in track.measures)
    beat(first, 4, (1, 0, normal), (6, 3, normal))
    beat(first, 2, (2, 1, normal), is_dotted=True)
    grace = beat(second, 2, (1, 5, normal))
    grace.notes[0].effect.grace = models.GraceEffect(fret=4)
    beat(second, 2, (3, 2, normal))
    beat(third, 1, (3, 2, tie))
    return song


@pytest.mark.parametrize("version", ["gp3", "gp4", "gp5"])
def test_old_versions_are_read_as_pyguitarpro_writes_them(read, version, tmp_path):
    guitarpro = pytest.importorskip("guitarpro")
    path = tmp_path / f"made.{version}"
    guitarpro.write(song(guitarpro), str(path))
    found = read(path.read_bytes(), f"song.{version}")
    quarter, capo = 0.6, 2
    assert found.parts == ("Guitar",)
    main = [n for n in found.notes if n.duration > 0.2]
    expected = [(0, 1, 43), (0, 1, 64), (1, 3, 60), (4, 2, 69), (6, 2, 57)]
    again = [(start + 8, length, pitch) for start, length, pitch in expected]
    again[-1] = 14, 6, 57  # the tie leads to the third measure
    assert [(n.start, n.duration, n.pitch) for n in main] == [
        pytest.approx((quarter * start, quarter * length, pitch + capo))
        for start, length, pitch in [*expected, *again]
    ]
    graces = [n for n in found.notes if n.duration < 0.2]
    assert [n.pitch for n in graces] == [70, 70]


def test_damaged_old_files_are_refused(read):
    pytest.importorskip("guitarpro")
    data = b"\x18FICHIER GUITAR PRO v5.10" + bytes(100)
    with pytest.raises(ScoreError, match="damaged, or not what PyGuitarPro reads"):
        read(data, "song.gp5")


def test_without_the_library_the_message_says_how_to_install_it(read, monkeypatch):
    monkeypatch.setattr(conversion, "MISSING", 4)  # as a damaged file ends
    data = b"\x18FICHIER GUITAR PRO v5.10" + bytes(100)
    with pytest.raises(ScoreError, match=r"not installed; pip install 'specnmf\[sc"):
        read(data, "song.gp5")
