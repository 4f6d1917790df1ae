"""MusicXML drums: those that notes name, and what others are taken for."""

import pytest
from documents import attributes, document, hit, note

KIT = {"36": "Kick", "38": "Snare", "42": "Hi-hat"}


def instruments(*drums, number=True):
    """Definitions of drums, each General MIDI's number and a name."""
    return "".join(
        f'<score-instrument id="I{drum}"><instrument-name>{name}</instrument-name>'
        f'</score-instrument><midi-instrument id="I{drum}"><midi-channel>10'
        "</midi-channel>"
        + (f"<midi-unpitched>{int(drum) + 1}</midi-unpitched>" if number else "")
        + "</midi-instrument>"
        for drum, name in drums
    )


def named(drum):
    return f'<instrument id="I{drum}"/>'


def drums(score):
    return [n.pitch for n in score.notes if n.percussion]


def test_the_only_drum_of_a_part_is_that_of_all_its_notes(read):
    kick = instruments(("36", "Bass Drum"))
    score = read(document([hit("F4") + hit("F4", named("36"))], definitions=kick))
    assert drums(score) == [36, 36]
    assert score.remarks == ()


def test_each_part_has_its_own_drum(read):
    text = document([hit("F4")], [hit("F4")], names=["Kick", "Hat"])
    for name, drum in (("Kick", "36"), ("Hat", "42")):
        own = f"<part-name>{name}</part-name>"
        text = text.replace(own, own + instruments((drum, "a drum")))
    found = {n.part: n.pitch for n in read(text).notes}
    assert found == {"Kick": 36, "Hat": 42}


def test_notes_of_a_kit_are_those_that_they_name(read):
    music = [hit("F4", named("42")) + hit("C5", named("36"))]
    score = read(document(music, definitions=instruments(*KIT.items())))
    assert drums(score) == [42, 36]
    assert score.remarks == ()


def test_notes_of_a_kit_that_name_none_are_told_by_their_place(read):
    cross = "<notehead>x</notehead>"
    music = "".join(hit(place) for place in ("F4", "C5", "A4", "E5"))
    music += "".join(hit(place, cross) for place in ("C5", "G5", "F5", "A5", "D4"))
    score = read(document([music], definitions=instruments(*KIT.items())))
    assert drums(score) == [36, 38, 43, 48, 37, 42, 51, 49, 44]
    (remark,) = score.remarks
    assert remark == (
        "part 0: 9 notes name no known drum: chosen by their place on the staff"
    )


def test_of_two_drums_at_a_place_that_of_the_kit_is_taken(read):
    kit = instruments(("35", "Kick"), ("40", "Snare"))
    score = read(document([hit("F4") + hit("C5")], definitions=kit))
    assert drums(score) == [35, 40]


@pytest.mark.parametrize(
    ("name", "drum"),
    [("Bass Drum", 36), ("Gran Cassa", 36), ("Hi-Hat Closed", 42), ("Open Hi Hat", 46),
     ("Snare Drum", 38), ("Crash Cymbal", 49), ("Triangle", 81), ("Cowbell", 56),
     ("Wood-block", 76)],
)  # fmt: skip
def test_a_drum_without_a_number_is_told_by_its_name(read, name, drum):
    kit = instruments(("1", name), ("2", "other"), number=False)
    score = read(document([hit("B3", named("1"))], definitions=kit))
    assert drums(score) == [drum]
    assert score.remarks == ()
    assert drums(read(document([hit()], names=[name]))) == [drum]  # the part's


def test_a_sound_of_the_standard_tells_a_drum(read):
    kit = (
        '<score-instrument id="I1"><instrument-name>Perc</instrument-name>'
        "<instrument-sound>drum.bass-drum</instrument-sound></score-instrument>"
    )
    assert drums(read(document([hit("C5")], definitions=kit))) == [36]


def test_what_nothing_tells_is_a_snare_with_a_remark(read):
    score = read(document([hit() + hit("C3")]))
    assert drums(score) == [38, 38]
    (remark,) = score.remarks
    assert remark.startswith("part 0: 2 notes name no known drum: played as sn")


def test_numbers_outside_midi_are_no_drums(read):
    kit = instruments(("999", "Kick"))
    assert drums(read(document([hit()], definitions=kit))) == [36]


def test_pitches_under_a_percussion_clef_are_places(read):
    clef = "<clef{}><sign>percussion</sign></clef>"
    transposed = "<transpose><chromatic>-12</chromatic></transpose>"
    score = read(document([attributes(clef.format("") + transposed) + note("F4")]))
    assert drums(score) == [36]
    below = attributes(clef.format(' number="2"'))
    staves = note("F4", 1, "<staff>1</staff>") + note("F4", 1, "<staff>2</staff>")
    found = read(document([below + staves])).notes
    assert [(n.pitch, n.percussion) for n in found] == [(65, False), (36, True)]


def test_pitches_that_a_drum_of_the_percussion_channel_plays_are_that_drum(read):
    kit = instruments(*KIT.items())
    assert drums(read(document([note("C5", 1, named("36"))], definitions=kit))) == [36]
    pitched = kit.replace("<midi-channel>10", "<midi-channel>9")
    assert (
        drums(read(document([note("C5", 1, named("36"))], definitions=pitched))) == []
    )
