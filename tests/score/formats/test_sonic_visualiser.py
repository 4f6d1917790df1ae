"""Layers of Sonic Visualiser."""

import pytest

from specnmf.errors import ScoreError

LAYER = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE sonic-visualiser>
<sv><data><model id="2" name="" sampleRate="1000" type="sparse" dimensions="3"
resolution="1" notifyOnAdd="true" dataset="1" subtype="note" units="{units}"/>
<dataset id="1" dimensions="3">{points}</dataset></data>
<display><layer id="3" type="notes" name="Notes" model="2"/></display></sv>
"""

POINTS = (
    '<point frame="500" value="{0}" duration="250" level="1" label="oboe"/>'
    '<point frame="1500" value="{1}" duration="500" level="0" label=""/>'
)


def test_points_are_notes(read):
    layer = LAYER.format(units="MIDI Pitch", points=POINTS.format(60, 62.2))
    score = read(layer, "layer.svl")
    assert [note[:5] for note in score.notes] == [
        (0.5, 0.25, 60, 115, "oboe"),
        (1.5, 0.5, 62, 80, ""),
    ]


def test_values_may_be_frequencies(read):
    score = read(LAYER.format(units="Hz", points=POINTS.format(440, 262)), "a.svl")
    assert [note.pitch for note in score.notes] == [69, 60]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('subtype="note"', "", "expected a layer of notes"),
        ('sampleRate="1000"', 'sampleRate="0"', "a sample rate of 0"),
        ('frame="500"', "", "a frame of ''"),
        ('value="440"', 'value="0"', "a frequency must be above 0 Hz"),
        ("sv>", "svg>", "expected a layer of Sonic Visualiser, found svg"),
        ('dataset="1"', 'dataset="9"', "holds no notes"),
    ],
)
def test_other_files_are_refused(read, old, new, message):
    layer = LAYER.format(units="Hz", points=POINTS.format(440, 262))
    with pytest.raises(ScoreError, match=message):
        read(layer.replace(old, new), "layer.svl")
