"""Names of the files of sources."""

import re

import pytest

from specnmf import ParameterError, Settings
from specnmf.output.naming import LONGEST, file_names, parse_pattern, song_name

STEMS = ["kick", "snare drum", "hihat"]


@pytest.mark.parametrize(
    ("pattern", "first"),
    [
        ("{stem}", "kick"),
        ("{song}_{stem}", "loop 1_kick"),
        ("{number} {stem}", "01 kick"),
        ("{folder}-{song}-{number}", "Drüms-loop 1-01"),
        ("[{stem}] {{live}}", "[kick] {live}"),
        ("{stem}{stem}", "kickkick"),
    ],
)
def test_fields_are_filled(pattern, first):
    names = file_names(pattern, STEMS, "/music/Drüms/loop 1.wav")
    assert names[0] == first
    assert len(set(names)) == 3


def test_numbers_have_the_same_number_of_digits():
    names = file_names("{number}", [f"s{k}" for k in range(120)], "a.wav")
    assert names[0] == "001"
    assert names == sorted(names)


@pytest.mark.parametrize(
    ("recording", "expected"),
    [
        ("s3://songs/live/a b.wav", "live_a b_kick"),
        ("a.wav", "_a_kick"),
        ("/x/CON/nul.wav", "_CON__nul_kick"),
        ("/x/a:b?/c*d. .wav", "a_b__c_d_kick"),
        ("/x/y/a\x1b[1m\n.wav", "y_a_[1m__kick"),
        ("/x/y/.wav", "y_wav_kick"),
        (f"/x/y/{'ä' * 120}.wav", f"y_{'ä' * 50}_kick"),
    ],
)
def test_names_of_songs_and_folders_are_made_safe(recording, expected):
    assert file_names("{folder}_{song}_{stem}", ["kick"], recording) == [expected]


def test_what_a_song_is_called_does_not_depend_on_its_stems():
    assert song_name("{song}_{stem}", "a/b.wav") == "b_*"
    assert song_name("{folder} {number}", "a/b.wav") == "a *"


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("", "must have {stem} or {number}, got ''"),
        ("{song}", "must have {stem} or {number}"),
        ("{title}_{stem}", "no field {title}; the fields are {song}, {folder}, {stem}, "
         "{number}"),
        ("{}{stem}", "no field {}"),
        ("{0}{stem}", "no field {0}"),
        ("{stem.__class__}", "no field {stem.__class__}"),
        ("{stem[0]}", "no field {stem[0]}"),
        ("{stem:>99999999}", "write {stem} without a format"),
        ("{stem!r}", "write {stem} without a format"),
        ("{stem", "unbalanced braces"),
        ("stem}", "unbalanced braces"),
        ("{stem:{song}}", "without a format"),
        ("../{stem}", "use '_x'"),
        ("a/{stem}", "use 'a_x'"),
        ("a\\{stem}", "use 'a_x'"),
        ("/{stem}", "which some system does not take as the name of a file"),
        (".{stem}", "use 'x'"),
        ("{stem}.", "use 'x'"),
        ("{stem} ", "use 'x'"),
        ("C:{stem}", "use 'C_x'"),
        ("{stem}?", "use 'x_'"),
        ("nul.{stem}", "use '_nul.x'"),
        ("{stem}\n", "use 'x_'"),
        ("{stem}\0", "use 'x_'"),
        ("e\u0301{stem}", "which some system does not take"),
        ("x" * 201 + "{stem}", "at most 200 letters, got 207"),
    ],
)  # fmt: skip
def test_patterns_that_are_no_names_of_files_are_refused(pattern, message):
    for check in (parse_pattern, lambda name: Settings(name=name)):
        with pytest.raises(ParameterError, match=re.escape(message)) as caught:
            check(pattern)
        assert str(caught.value).isprintable()


def test_a_name_that_is_too_long_is_refused_with_its_size():
    stems = ["ä" * 50]
    pattern = "{song}{stem}{song}"
    with pytest.raises(ParameterError, match=f"300 bytes, expected at most {LONGEST}"):
        file_names(pattern, stems, f"{'a' * 100}.wav")


def test_two_sources_are_never_called_alike():
    # not what safe_names would give
    with pytest.raises(ParameterError, match="calls both a and A 'A'; add {number}"):
        file_names("{stem}", ["a", "A"], "s.wav")
