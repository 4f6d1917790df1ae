"""Scores of other programs to fuzz: each holds all that its reader knows."""

from __future__ import annotations

import io
import struct
import tempfile
import zipfile
from pathlib import Path

MSCX = """<?xml version="1.0" encoding="UTF-8"?><museScore version="4.20"><Score>
<Part><Staff id="1"/><Staff id="2"/><trackName>P</trackName><Instrument>
<longName>Piano</longName><useDrumset>0</useDrumset></Instrument></Part>
<Staff id="1"><Measure len="1/4"><startRepeat/><Marker><label>segno</label></Marker>
<voice><TimeSig><sigN>4</sigN><sigD>4</sigD><stretchN>3</stretchN><stretchD>2</stretchD>
</TimeSig><Tempo><tempo>1.5</tempo></Tempo><Chord><durationType>eighth</durationType>
<acciaccatura/><Note><pitch>60</pitch></Note></Chord><Chord><dots>1</dots>
<durationType>quarter</durationType><Note><Spanner type="Tie"><next><location>
<measures>1</measures></location></next></Spanner><pitch>62</pitch><play>0</play></Note>
</Chord></voice><voice><location><fractions>1/8</fractions></location><Rest>
<durationType>measure</durationType><duration>1/4</duration></Rest></voice></Measure>
<Measure><endRepeat>2</endRepeat><voice><Spanner type="Volta"><Volta><endings>1, 2
</endings></Volta><next><location><measures>1</measures></location></next></Spanner>
<Spanner type="Ottava"><Ottava><subtype>8va</subtype></Ottava><next><location>
<fractions>1/2</fractions></location></next></Spanner><Tuplet><normalNotes>2
</normalNotes><actualNotes>3</actualNotes></Tuplet><Chord><durationType>quarter
</durationType><Note><Spanner type="Tie"><prev><location/></prev></Spanner><pitch>62
</pitch></Note></Chord><endTuplet/><Chord><durationType>16th</durationType>
<grace16after/><Note><pitch>70</pitch></Note></Chord><Chord><durationType>half
</durationType><move>1</move><Note><pitch>64</pitch></Note></Chord></voice></Measure>
<Measure><measureRepeatCount>1</measureRepeatCount><Jump><jumpTo>segno</jumpTo>
<playUntil>
coda</playUntil><continueAt>codab</continueAt></Jump><voice><MeasureRepeat><subtype>2
</subtype><durationType>measure</durationType></MeasureRepeat></voice></Measure></Staff>
<Staff id="2"><Measure><voice><Chord><durationType>whole</durationType><Note><pitch>40
</pitch></Note></Chord></voice></Measure></Staff></Score></museScore>"""

GPIF = """<?xml version="1.0" encoding="utf-8"?><GPIF><MasterTrack><Automations>
<Automation><Type>Tempo</Type><Bar>0</Bar><Position>0.5</Position><Value>120 3</Value>
</Automation></Automations></MasterTrack><Tracks><Track id="0"><Name>Guitar</Name>
<Staves><Staff><Properties><Property name="CapoFret"><Fret>2</Fret></Property>
<Property name="Tuning"><Pitches>40 45 50 55 59 64</Pitches></Property></Properties>
</Staff></Staves></Track><Track id="1"><Name>Kit</Name><GeneralMidi table="Percussion"/>
<InstrumentSet><Type>drumKit</Type><Elements><Element><Articulations><Articulation>
<OutputMidiNumber>36</OutputMidiNumber></Articulation></Articulations></Element>
</Elements></InstrumentSet></Track></Tracks><MasterBars><MasterBar><Time>4/4</Time>
<Repeat start="true" end="false" count="0"/><Directions><Target>Segno</Target>
</Directions><Bars>0 1</Bars></MasterBar><MasterBar><Time>3/4</Time><AlternateEndings>1
2
</AlternateEndings><Repeat start="false" end="true" count="3"/><Directions><Jump>DaSegno
</Jump></Directions><TripletFeel>Triplet8th</TripletFeel><Bars>2 1</Bars></MasterBar>
</MasterBars><Bars><Bar id="0"><Voices>0 1 -1 -1</Voices></Bar><Bar id="1"><Voices>2
</Voices></Bar><Bar id="2"><Voices>-1</Voices><SimileMark>Simple</SimileMark></Bar>
</Bars>
<Voices><Voice id="0"><Beats>0 1 2</Beats></Voice><Voice id="1"><Beats>3</Beats></Voice>
<Voice id="2"><Beats>4</Beats></Voice></Voices><Beats><Beat id="0"><Rhythm ref="0"/>
<GraceNotes>BeforeBeat</GraceNotes><Notes>0</Notes></Beat><Beat id="1"><Rhythm ref="1"/>
<Notes>0 1</Notes></Beat><Beat id="2"><Rhythm ref="1"/></Beat><Beat id="3"><Rhythm
ref="2"/><Notes>1 2</Notes></Beat><Beat id="4"><Rhythm ref="1"/><Notes>3 4</Notes>
</Beat>
</Beats><Notes><Note id="0"><Properties><Property name="Fret"><Fret>3</Fret></Property>
<Property name="String"><String>2</String></Property></Properties></Note><Note id="1">
<Tie
origin="true" destination="true"/><Properties><Property name="Midi"><Number>60</Number>
</Property></Properties></Note><Note id="2"><Properties><Property name="Tone"><Step>2
</Step></Property><Property name="Octave"><Number>5</Number></Property></Properties>
</Note>
<Note id="3"><InstrumentArticulation>0</InstrumentArticulation></Note><Note id="4">
<Properties><Property name="Element"><Element>10</Element></Property><Property
name="Variation"><Variation>2</Variation></Property></Properties></Note></Notes>
<Rhythms>
<Rhythm id="0"><NoteValue>32nd</NoteValue></Rhythm><Rhythm id="1"><NoteValue>Quarter
</NoteValue><PrimaryTuplet num="3" den="2"/></Rhythm><Rhythm id="2"><NoteValue>Half
</NoteValue><AugmentationDot count="1"/></Rhythm></Rhythms></GPIF>"""

ABC = r"""X:1
T:Tune
M:6/8
L:1/8
Q:3/8=80
P:AAB
V:1 name="Fiddle" transpose=-2
V:2 clef=bass octave=-1
%%MIDI channel 10
K:Gm exp ^f _b
[V:1] |: ^f2 "Am"f>g F2 d | {ag}f3 (2ab | (3abc d2- d |1 [GB-]3 [G3B3]z :|2 a6 |]
[V:2] |: F,6 & C6 | x6 | Z2 | G//_/A/4^/B [M:4/4][L:1/4] a b c' d' :|
[Q:1/4=60] [K:Ador ^c] f !trill!g a' ,b "^text" .c ~d [I:propagate-accidentals not] \
e f g | X2 | [1,3 a4 :| ["last" g4 |]
w: words
"""

SVL = """<sv><data><model id="2" sampleRate="44100" type="sparse" dimensions="3"
dataset="1" subtype="note" units="Hz"/><dataset id="1" dimensions="3"><point frame="500"
value="440" duration="250" level="0.5" label="oboe"/></dataset></data></sv>"""

KERN = """**kern\t**kern
*Ibass\t*Isoprn
*M4/4\t*M4/4
*MM100\t*MM100
=1\t=1
4C\t4cc
2D\t6dd
.\t6ee
.\t6ff
4E\t4ff
=2:|!\t=2:|!
2D\t1cc
2C\t.
==\t==
*-\t*-
"""

MEI = """<?xml version="1.0"?><mei xmlns="http://www.music-encoding.org/ns/mei"
meiversion="5.0"><music><body><mdiv><score><scoreDef meter.count="4" meter.unit="4"
midi.bpm="120"><staffGrp symbol="brace"><label>Piano</label><staffDef n="1" lines="5"
clef.shape="G" clef.line="2"/><staffDef n="2" lines="5" clef.shape="F" clef.line="4"/>
</staffGrp></scoreDef><section><measure n="1" left="rptstart" metcon="false"><staff
n="1">
<layer n="1"><tuplet num="3" numbase="2"><note pname="c" oct="5" dur="8"/><note
pname="d"
oct="5" dur="8" accid="s"/><rest dur="8"/></tuplet><chord dur="2" dots="1"><note
pname="e"
oct="4" tie="i"/><note pname="g" oct="4"/></chord></layer></staff><staff n="2"><layer
n="1"><mRest/></layer></staff><tempo tstamp="1" staff="1" mm="60" mm.unit="4"/><dir
tstamp="4" staff="1">Fine</dir></measure><ending n="1"><measure n="2" right="rptend">
<staff n="1"><layer n="1"><note pname="e" oct="4" dur="1" tie="t"/></layer></staff>
</measure></ending></section></score></mdiv></body></music></mei>"""


def plain() -> dict[str, dict[str, bytes]]:
    """The texts of each kind, by their names."""
    return {
        "mscx": {"score.mscx": MSCX.encode()},
        "abc": {"tune.abc": ABC.encode()},
        "svl": {"layer.svl": SVL.encode()},
        "mei, krn": {"score.mei": MEI.encode(), "score.krn": KERN.encode()},
    }


def packed() -> dict[str, dict[str, bytes]]:
    """The archives of each kind, by their names."""
    return {
        "mscz": {"score.mscz": _zipped("score.mscx", MSCX)},
        "gp": {"score.gp": _zipped("Content/score.gpif", GPIF)},
    }


def gpx_files() -> dict[str, bytes]:
    """Guitar Pro 6 containers, compressed and not."""
    document = GPIF.encode()
    sectors = range(2, 2 - -len(document) // 0x1000 + 1)
    entry = struct.pack("<I", 2) + b"score.gpif".ljust(0x88, b"\0")
    entry += struct.pack("<2I", len(document), 0)
    entry += struct.pack(f"<{len(sectors) + 1}I", *sectors, 0)
    body = document.ljust(len(sectors) * 0x1000, b"\0")
    whole = b"BCFS" + b"\xff" * 0x1000 + entry.ljust(0x1000, b"\0") + body
    bits = "".join(
        "0" + f"{len(piece):02b}"[::-1] + "".join(f"{byte:08b}" for byte in piece)
        for piece in (whole[k : k + 3] for k in range(0, len(whole), 3))
    )
    bits += "0" * (-len(bits) % 8)
    raw = int(bits, 2).to_bytes(len(bits) // 8, "big")
    return {
        "plain.gpx": whole,
        "compressed.gpx": b"BCFZ" + struct.pack("<I", len(whole)) + raw,
    }


def old_guitar_files() -> dict[str, bytes]:
    """A song of each of versions 3 to 5, as PyGuitarPro writes them."""
    import guitarpro

    song = guitarpro.models.Song()
    voice = song.tracks[0].measures[0].voices[0]
    for fret in range(4):
        beat = guitarpro.models.Beat(voice, status=guitarpro.models.BeatStatus.normal)
        note = guitarpro.models.Note(beat, value=fret, string=1)
        note.type = guitarpro.models.NoteType.normal
        beat.notes.append(note)
        voice.beats.append(beat)
    made = {}
    with tempfile.TemporaryDirectory() as folder:
        for version in (3, 4, 5):
            path = Path(folder, f"song.gp{version}")
            guitarpro.write(song, str(path))
            made[path.name] = path.read_bytes()
    return made


def _zipped(name: str, document: str) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, document)
    return data.getvalue()
