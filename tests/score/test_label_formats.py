"""Labels of Praat, ELAN, REAPER, HTK and subtitles."""

import re
import time
from contextlib import suppress

import pytest
from label_texts import (
    ELAN,
    ELAN_REFERRED,
    HTK,
    LONG_GRID,
    REAPER,
    SHORT_GRID,
    SUBRIP,
    TWO_TIERS,
    WEBVTT,
)

from specnmf import ScoreError, read_regions
from specnmf.score.regions import MAX_REGIONS, Region, load_regions

KICK, SNARE = Region(0.5, 1.25, "kick"), Region(2.0, 3.0, 'snare "drum"')


@pytest.fixture
def load(tmp_path):
    def load(text, tier=None):
        data = text if isinstance(text, bytes) else text.encode()
        (tmp_path / "song.labels").write_bytes(data)
        return load_regions(tmp_path / "song.labels", tier=tier)

    return load


@pytest.mark.parametrize(
    "text",
    [
        *(SHORT_GRID, LONG_GRID, SUBRIP, WEBVTT, ELAN, REAPER),
        SHORT_GRID.replace("\n", "\r\n"),
        LONG_GRID.encode("utf-16"),
        SHORT_GRID.encode("utf-16-be"),
        SHORT_GRID.replace("\n", " "),  # Praat cares for no lines
        SHORT_GRID.replace("<exists>", '! a comment "of 3 words"\n<exists>'),
        SHORT_GRID.replace('File type = "ooTextFile"', '"ooTextFile"'),
        SUBRIP.replace("\n", "\r\n"),
        "\ufeff" + SUBRIP,
        SUBRIP.replace(",500", ".500"),
        SUBRIP.replace("\n\n", "\n"),  # cues without a line between them
        SUBRIP + "3\n00:00:05,000 --> 00:00:06,000\n\n",  # without a text
        WEBVTT.replace("00:00.500", "000:00:00.500"),
        ELAN.encode("utf-16"),
        ELAN.replace("\n", ""),
        ELAN.partition("?>")[2],
        REAPER.replace("0:0", "0:00:0"),
        REAPER.replace("0:0", ""),  # in seconds
        REAPER.replace(",Color", "").replace(",\n", "\n").replace(",FF0000", ""),
        "\n" + REAPER,
    ],
)
def test_the_labels_of_many_programs_are_read(load, text):
    assert load(text)[0] == (KICK, SNARE)


@pytest.mark.parametrize(
    ("text", "remarks"),
    [
        (SHORT_GRID, ("1 point is ignored: only intervals are labels",)),
        (SHORT_GRID.replace('4\n1\n1.5\n"clap"', '4\n2\n1\n"a"\n1.5\n"clap"'),
         ("2 points are ignored: only intervals are labels",)),
        (TWO_TIERS, ("labels of 2 tiers are read together (drums, Hands); --tier takes "
                     "one of them",)),
        (ELAN, ()), (SUBRIP, ()),
        (REAPER, ("1 marker is ignored: only regions are labels",)),
        (REAPER + "M2,chorus,0:02.000,,,\n", ("2 markers are ignored: only regions "
                                              "are labels",)),
    ],
)  # fmt: skip
def test_what_is_left_out_is_told(load, text, remarks):
    assert load(text)[1] == remarks


@pytest.mark.parametrize("name", ["hands", "Hands", " HANDS "])
def test_a_tier_is_taken_by_its_name_in_any_case(load, name):
    assert load(TWO_TIERS, name) == ((Region(0, 4, "right"),), ())
    assert load(TWO_TIERS, "drums") == ((KICK, SNARE), ())
    assert load(ELAN_REFERRED, name) == ((Region(2, 3, "left"),), ())


def test_all_tiers_of_one_name_are_taken(load):
    text = TWO_TIERS.replace("Hands", "drums")
    assert len(load(text, "drums")[0]) == 3


def test_an_annotation_has_the_times_of_the_one_it_belongs_to(load):
    assert load(ELAN_REFERRED)[0] == (KICK, Region(2, 3, "left"), SNARE)
    circle = ELAN_REFERRED.replace('REF="a2"', 'REF="a4"')
    assert load(circle)[0] == (KICK, SNARE)
    assert load(ELAN_REFERRED.replace('REF="a2"', 'REF="a9"'))[0] == (KICK, SNARE)


def test_whole_numbers_of_htk_are_units_of_100_ns(load):
    found, remarks = load(HTK)
    assert found == (Region(0, 0.5, "sil"), Region(0.5, 1.25, "kick"),
                     Region(2, 3, "snare"))  # fmt: skip
    assert remarks == (
        "times are whole numbers, read as units of 100 ns, as HTK writes them",
    )
    names = [region.name for region in load(HTK.replace(" -1\n", " drum\n"))[0]]
    assert names == ["sil -51.2", "kick -50.1", "snare drum"]


def test_one_time_with_decimals_tells_that_all_are_seconds(load):
    assert load("0 1 N\n1 2.5 C:maj\n") == (
        (Region(0, 1, "N"), Region(1, 2.5, "C:maj")),
        (),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0 48000 kick\n48000 480000000 snare\n", "which may be samples or seconds"),
        ("0 44100000 kick\n", "which may be samples or seconds"),
        ("0 3050 h#\n3050 4559 sh\n", "which may be samples or seconds"),
        ("0 3000 a\n3000 9000000 b\n", "which may be samples or seconds"),
        ("0 5000000 a\n5000000 12500001 b\n", "which may be samples or seconds"),
        ("0 10 verse\n10 20 chorus\n", "write seconds with decimals, such as"),
        ("-5000000 20000000 a\n", "found times in whole numbers"),
        ("0 5000000 a\n20000000\n", "found times in whole numbers"),
        ("0 ²0000000 a\n", "expected a label track"),
        (f"0 {'9' * 30} a\n", "found times in whole numbers"),
        (
            SHORT_GRID.replace("TextGrid", "Sound 2"),
            "expected a TextGrid of Praat, found a 'Sound 2'",
        ),
        (
            '"Praat chronological TextGrid text file"\n',
            "a chronological TextGrid; in Praat, use Save > Save as text file",
        ),
        (b"ooBinaryFile\x08TextGrid\0\0", "a binary file of Praat; in Praat, use"),
        (
            SHORT_GRID.partition("1.25\n2\n")[0],
            "a damaged TextGrid: it ends before a number",
        ),
        (
            SHORT_GRID.replace('"kick"\n', ""),
            "line 18: a damaged TextGrid: expected a text in quotes, found '1.25'",
        ),
        (
            SHORT_GRID.replace("4\n5\n", "4\n5000000000\n"),
            "line 12: a damaged "
            "TextGrid: expected a number of tiers, intervals or points, found '500000",
        ),
        (
            SHORT_GRID.replace("4\n5\n", "4\n6\n"),
            "a damaged TextGrid: expected a number, found 'TextTier'",
        ),
        (SHORT_GRID.replace("4\n5\n", "4\n-5\n"), "intervals or points, found '-5'"),
        (
            SHORT_GRID.replace('"clap"', '"clap'),
            "line 34: a text without its last quote",
        ),
        (
            SHORT_GRID.replace("IntervalTier", "Tier"),
            "line 9: a damaged TextGrid: "
            "expected a tier of intervals or points, found 'Tier'",
        ),
        (
            SHORT_GRID.replace("0.5\n1.25\n", "1.25\n0.5\n", 1),
            "line 17: ends at 0.5 s, before it starts at 1.25 s",
        ),
        (SHORT_GRID.replace("<exists>", "<absent>"), "holds no regions"),
        (
            "1\n00:00:02,000 --> 00:00\nkick\n",
            "line 2: expected times such as 00:00:01,500 --> 00:00:04,000",
        ),
        (
            SUBRIP.replace("01,250", "00,250"),
            "line 2: ends at 0.25 s, before it starts at 0.5 s",
        ),
        (
            "1\n00:00:02,000 --> 00:00:02,000\nkick\n",
            "line 2: 'kick' at 2 s is a point",
        ),
        ("WEBVTT\n\n", "holds no regions"),
        (
            ELAN.replace("<TIER ", '<!DOCTYPE x [<!ENTITY a "b">]><TIER '),
            "not XML, or damaged",
        ),
        (
            ELAN.replace("<ANN", '<!DOCTYPE x [<!ENTITY a "b">]><ANN', 1),
            "defines XML entities, which are not allowed",
        ),
        ("<!-- --><svg/>", "expected annotations of ELAN, found svg"),
        (ELAN[:900], "not XML, or damaged: "),
        (ELAN.replace("<TIER ", "<a>" * 20 + "<TIER "), "nested too deeply"),
        (ELAN.replace('"500"', '"1300"'), "before it starts at 1.3 s"),
        (
            REAPER.replace("0:02.000", "2.1.00"),
            "line 3: times are in measures and "
            "beats; set REAPER's time unit to seconds or minutes:seconds and export",
        ),
        (REAPER.replace("0:02.000", "0:00:02:00"), "line 3: times are in frames; set"),
        (
            "#,Name,Start,End,Length\nR1,a,0,44100,44100\n",
            "times are in samples or frames; set REAPER's time unit",
        ),
        (
            "#,Name,Start,End,Length\nM1,a,1.5,,\n",
            "holds no regions; 1 marker is ignored",
        ),
    ],
)
def test_what_cannot_be_told_is_refused_in_one_line(load, text, message):
    with pytest.raises(ScoreError, match=re.escape(message)) as caught:
        load(text)
    assert "\n" not in str(caught.value)
    assert "song.labels: " in str(caught.value)


@pytest.mark.parametrize(
    ("text", "tier", "message"),
    [
        (TWO_TIERS, "feet", "has no tier 'feet'; the tiers are drums, Hands"),
        (SHORT_GRID, "beats", "holds no regions; 1 point is ignored"),
        (SUBRIP, "drums", "has no tiers; leave out --tier"),
        ("0.5\t1\ta\n", "drums", "has no tiers; leave out --tier"),
        (SHORT_GRID.replace("size", "").replace('"drums"', '"a\x1b[1m"'), "x",
         "the tiers are a [1m, beats"),
    ],
)  # fmt: skip
def test_a_tier_that_is_not_there_is_an_error(load, text, tier, message):
    with pytest.raises(ScoreError, match=re.escape(message)):
        load(text, tier)


def _grid_of(count, name='"{}"'):
    tier = "".join(
        f"{k / 4}\n{k / 4 + 0.2}\n{name.format(k % 60)}\n" for k in range(count)
    )
    head = SHORT_GRID.partition("0\n4\n5\n")[0].replace("exists>\n2", "exists>\n1")
    return f"{head}0\n{count}\n{count}\n{tier}"


@pytest.mark.slow  # large files
def test_time_grows_with_the_size_alone(load):
    texts = {
        "empty intervals": _grid_of(80_000, '""'),
        "quotes": SHORT_GRID.replace("kick", '""' * 2_000_000),
        "an open quote": SHORT_GRID + '"a' * 1_999_999,
        "words": SHORT_GRID.replace("<exists>", "x " * 1_000_000 + "<exists>"),
        "one word": SHORT_GRID.replace("<exists>", "<" * 1_000_000 + " <exists>"),
        "cues": SUBRIP * 40_000,
        "markup": SUBRIP + "<" * 9_000 + "\n" + "{\\" * 4_000 + "\n",
        "arrows": "WEBVTT\n\n" + "0:0:0:-->" * 1_000 + "\n",
        "spaces": " \n" * 4_000_000 + "-->",
        "slots": ELAN.replace("<TIME_SLOT ", "<TIME_SLOT TIME_SLOT_ID='a'/>" * 200_000
                              + "<TIME_SLOT ", 1),
        "a long value": ELAN.replace("kick", "kick &amp; " * 500_000),
    }  # fmt: skip
    for what, text in texts.items():
        began = time.process_time()
        with suppress(ScoreError):
            load(text)
        assert time.process_time() - began < 8, what


@pytest.mark.slow  # large files
def test_more_intervals_than_there_may_be_are_refused(load):
    with pytest.raises(ScoreError, match=f"holds more than {MAX_REGIONS} regions"):
        load(_grid_of(MAX_REGIONS + 1))


def test_the_door_of_the_package_takes_a_tier(tmp_path):
    (tmp_path / "a.TextGrid").write_text(TWO_TIERS)
    assert read_regions(tmp_path / "a.TextGrid", tier="drums") == (KICK, SNARE)
