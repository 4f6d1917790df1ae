import numpy as np
import pytest
from matplotlib.colors import to_rgb

from specnmf.output.figures.stems import GREY, HUES, SEVERAL, palette, ramp, shaded
from specnmf.score.notes import Note, Score


def score(parts, pitches=None, **options):
    pitches = pitches or range(60, 60 + len(parts))
    return Score(
        tuple(
            Note(k * 0.5, 0.5, pitch, 80, part, **options)
            for k, (part, pitch) in enumerate(zip(parts, pitches, strict=True))
        )
    )


def colours_of(found):
    """The colour of each note, and of each component."""
    hues = np.array(found.colours)
    return hues[found.notes].tolist(), hues[found.components].tolist()


#: What is left of linear RGB for those who lack red, and green, cones: F. Viénot,
#: H. Brettel and J. Mollon, "Digital video colourmaps", 1999.
PROTAN = [[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]]
DEUTAN = [[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]]
TO_XYZ = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]


def lab(colour, seen):
    """CIELAB of a colour as it is seen."""
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = np.array(TO_XYZ) @ np.clip(seen @ linear, 0, 1) / (0.9505, 1, 1.089)
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("seen", [np.eye(3), PROTAN, DEUTAN], ids=["all", "p", "d"])
def test_hues_differ_to_the_colour_blind(seen):
    points = np.array([lab(colour, np.array(seen)) for colour in (*HUES, GREY)])
    for number, point in enumerate(points):
        distances = np.linalg.norm(points[:number] - point, axis=1)
        assert (distances > 18).all()  # one is a difference that can just be seen


def test_few_stems_have_a_hue_each_from_the_highest_to_the_drums():
    pitched = score(["bass", "soprano", "bass"], [40, 80, 45]).notes
    drums = score(["kit"], [90], percussion=True).notes
    labels = ["kit", "low", "high", "low"]
    whole = Score((*pitched, *drums))
    assert [note.part for note in whole.notes] == ["bass", "kit", "soprano", "bass"]
    labels = ["low", "kit", "high", "low"]
    found = palette(whole, labels, ["low", "high", "kit"])
    assert found.legend == list(zip(("high", "low", "kit"), HUES, strict=False))
    assert found.notes.tolist() == [1, 2, 0, 1]
    assert found.components.tolist() == [1, 0, 2]


def test_of_many_stems_those_of_one_part_have_its_hue():
    parts = ["right", "left"] * 6
    labels = [f"stem {k}" for k in range(12)]
    notes, components = colours_of(palette(score(parts), labels, labels))
    assert len(set(notes)) == 2
    assert components == notes


def test_of_many_stems_those_of_several_parts_are_grey():
    parts = ["right", "left"] * 6
    labels = ["shared", "shared", *(f"stem {k}" for k in range(10))]
    found = palette(score(parts), labels, ["shared", "stem 0"])
    assert found.names == ("left", "right", SEVERAL)
    assert colours_of(found)[1] == [GREY, colours_of(found)[0][0]]


def test_of_many_parts_the_largest_have_hues_and_the_others_share_grey():
    parts = [f"part {k:02}" for k in range(11)] + ["part 10"] * 2
    found = palette(score(parts), parts, parts)
    assert found.names[-1] == "3 others"
    assert found.colours == (*HUES, GREY)
    notes, components = colours_of(found)
    assert notes.count(GREY) == 3
    assert GREY not in notes[10:]
    assert components == notes


def test_component_without_notes_is_grey_and_keeps_its_name():
    found = palette(score(["flute"]), ["flute"], ["flute", "residual"])
    assert found.legend == [("flute", HUES[0]), ("residual", GREY)]


def test_notes_without_a_part_are_called_notes():
    many = len(HUES) + 1
    labels = [f"{k}" for k in range(many)]
    assert palette(score([""] * many), labels, labels).names == ("notes",)


def test_louder_is_darker_and_silence_transparent():
    for colour in (*HUES, GREY):
        steps = ramp(colour).astype(int)
        assert steps[0, 3] == 0
        assert steps[-1, 3] == 255
        assert (np.diff(steps[:, :3].sum(axis=1)) <= 0).all()
        assert (np.diff(steps[:, 3]) >= 0).all()


def test_image_is_shaded_in_the_hues_of_its_groups():
    image = shaded(np.array([[-1.0, 0.7], [0.7, 9.0]]), np.array([[0], [1]]), HUES)
    assert image.shape == (2, 2, 4)
    assert image[0, 0, 3] == 0
    for pixel, hue in ((image[0, 1], HUES[0]), (image[1, 0], HUES[1])):
        assert pixel[:3] == pytest.approx(255 * np.array(to_rgb(hue)), abs=2)
    np.testing.assert_array_equal(image[1, 1], ramp(HUES[1])[-1])


def test_palette_of_no_notes_has_what_components_there_are():
    found = palette(Score(()), [], ["component"])
    assert found.names == ("component",)
    assert found.notes.size == 0
    assert palette(Score(()), [], []).names == ()
