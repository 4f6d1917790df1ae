"""Lettering: a name in any script is drawn, or a remark says that it is not."""

import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen

from specnmf.output.figures import canvas, lettering, scales

NIGHT, TUNE, NOTE = "夜", "曲", "🎵"


def box():
    """An outline that has a width and a height."""
    pen = TTGlyphPen(None)
    pen.moveTo((100, 0))
    for corner in ((100, 700), (900, 700), (900, 0)):
        pen.lineTo(corner)
    pen.closePath()
    return pen.glyph()


def font(path, characters, *, blank=False):
    """A font of a few characters."""
    names = {ord(c): f"uni{ord(c):04X}" for c in characters}
    order = [".notdef", *names.values()]
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(order)
    builder.setupCharacterMap(names)
    empty = TTGlyphPen(None).glyph()
    builder.setupGlyf({n: empty if blank or n == ".notdef" else box() for n in order})
    builder.setupHorizontalMetrics(dict.fromkeys(order, (1000, 100)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": path.stem, "styleName": "Regular"})
    builder.setupOS2(sTypoAscender=800, usWinAscent=800, usWinDescent=200)
    builder.setupPost()
    builder.save(path)
    return str(path)


def named(*names):
    """A figure in which names stand at every place that takes any."""
    figure = canvas.new_figure(names[0], "", 3, [(name, "red") for name in names])
    axes = canvas.panel(figure, (2, 0.6, 7, 3))
    canvas.caption(axes, names[0])
    axes.set(ylim=(-0.5, len(names) - 0.5), xlim=(-0.5, len(names) - 0.5))
    scales.name_rows(axes, dict(enumerate(names)), 0.3)
    scales.name_columns(axes, dict(enumerate(names)), 7 / len(names))
    figure.canvas.draw()
    return figure


def texts(figure):
    (axes,) = figure.axes
    ticks = [*axes.get_xticklabels(), *axes.get_yticklabels()]
    every = [*figure.texts, *axes.texts, axes._left_title, *ticks]
    return [artist for artist in every if artist.get_text()]


# ---- what is drawn ----------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["naïve", "Ночь", "νύχτα", "موسيقى", "לילה", "Tiếng", "x̣̂", "½ ♯ → ☺"]
)
def test_scripts_of_the_usual_font_need_no_other(name):
    assert lettering.printable(name, 20) == name
    assert lettering.remarks([name]) == []
    assert {artist.get_text() for artist in texts(named(name))} == {name}


def test_a_font_that_has_the_characters_draws_them(fonts, tmp_path):
    fonts += [font(tmp_path / "other.ttf", "ก"), font(tmp_path / "sans.ttf", NIGHT)]
    name = f"{NIGHT} ก 1"
    assert lettering.printable(name, 20) == name
    assert lettering.remarks([name]) == []
    figure = named(name)  # a missing glyph would be a warning
    assert all(len(artist.get_fontfamily()) == 3 for artist in texts(figure))


def test_plain_names_keep_the_usual_font(fonts, tmp_path):
    fonts.append(font(tmp_path / "sans.ttf", "abc" + NIGHT))
    usual = canvas.new_figure("abc", "abc", 1).texts[1].get_fontfamily()
    assert all(artist.get_fontfamily() == usual for artist in texts(named("abc")))


def test_upright_fonts_without_serifs_come_first(fonts, tmp_path):
    names = ("Serif-Bold", "Serif", "Sans-Oblique", "Sans")
    fonts += [font(tmp_path / f"{name}.ttf", NIGHT) for name in names]
    assert lettering._file(NIGHT).endswith("Sans.ttf")


def test_what_no_font_has_is_a_box_and_named_once():
    names = [f"{NIGHT}{TUNE} 1", f"{NIGHT} {NOTE}"]
    assert [lettering.printable(name, 20) for name in names] == ["□□ 1", "□ □"]
    (remark,) = lettering.remarks(names)
    assert remark == (
        f"figures: no installed font has {NIGHT}{TUNE}{NOTE}, so boxes are drawn; "
        "install a font with these characters, such as Noto"
    )
    named(*names)  # without a warning of missing glyphs


def test_a_remark_quotes_no_endless_list():
    every = "".join(map(chr, range(0x4E00, 0x4F00)))
    (remark,) = lettering.remarks([every])
    assert f"{every[: lettering.MOST_QUOTED]} and others, so boxes are drawn;" in remark


def test_fonts_without_outlines_or_that_are_damaged_are_passed_over(fonts, tmp_path):
    (tmp_path / "damaged.ttf").write_bytes(b"no font")
    fonts += [
        str(tmp_path / "damaged.ttf"),
        font(tmp_path / "sans-colour.ttf", NOTE, blank=True),
        font(tmp_path / "LastResort.ttf", NIGHT),
    ]
    assert lettering.printable(NOTE + NIGHT, 20) == "□□"
    fonts.append(font(tmp_path / "zz.ttf", NOTE))
    lettering._installed.cache_clear()
    lettering._file.cache_clear()
    assert lettering.printable(NOTE, 20) == NOTE


# ---- what stands in a name --------------------------------------------------


@pytest.mark.parametrize(
    "name", ["$x^2$", "a_b^c", r"\frac{", "$$", "100 % & #1", "{a} ~b", "$\\alpha$_$"]
)
def test_signs_of_mathematics_are_drawn_as_they_are(name):
    assert {artist.get_text() for artist in texts(named(name))} == {name}


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("one\ntwo\tthree", "one two three"),
        ("  a \r\n b ", "a b"),
        ("bell\x07", "bell�"),
        ("caf\udce9", "caf�"),
        ("e\u0301", "é"),
        ("\u202eabc\u202c", "abc"),
        ("☺\ufe0f", "☺"),
        ("", ""),
    ],
)
def test_a_name_is_one_line_of_characters(name, shown):
    assert lettering.printable(name, 20) == shown
    assert lettering.remarks([name]) == []


def test_a_name_is_cut_to_its_letters():
    assert lettering.printable("abcdefghij", 10) == "abcdefghij"
    assert lettering.printable("abcdefghijk", 10) == "abcdefghi…"
    assert lettering.printable("W" * 30, 10).endswith("…")
    assert len(lettering.printable("W" * 30, 10)) < 9


@pytest.mark.parametrize("letter", ["a", "W", "@", "i", NIGHT, "﷽"])
def test_endless_names_stay_within_the_figure(fonts, tmp_path, letter):
    fonts.append(font(tmp_path / "sans.ttf", NIGHT))
    figure = named(letter * 200)
    width = figure.bbox.width
    (axes,) = figure.axes
    for artist in [*figure.texts, *axes.get_yticklabels()]:
        box = artist.get_window_extent()
        assert 0 <= box.x0 + 1
        assert box.x1 <= width
    assert np.isfinite(width)
