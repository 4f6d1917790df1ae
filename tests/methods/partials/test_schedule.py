"""Schedules: which note may sound when, and whose it is."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from specnmf import Note, Score
from specnmf.audio.stft import Grid
from specnmf.methods.partials.schedule import (
    AFTER,
    ATTACK,
    BEFORE,
    RELEASE,
    RING,
    make_schedule,
)

#: Ten seconds, a frame each 10 ms.
GRID = Grid(8000, 80_000, 320, 80)
FRAME = 0.01


def note(start, duration, pitch=60, part="a", percussion=False):
    return Note(start, duration, pitch, 80, part, percussion)


def scheduled(*notes, labels=None, **options):
    score = Score(notes)
    labels = [n.part for n in score.notes] if labels is None else labels
    return make_schedule(score, labels, GRID, **options)


def times(schedule, template=None, stem=None):
    """When a template, or a stem, may sound."""
    chosen = np.ones(len(schedule.owner), bool)
    if template is not None:
        chosen &= schedule.support.template == schedule.templates.index(template)
    if stem is not None:
        chosen &= schedule.owner == schedule.stems.index(stem)
    return GRID.times[np.unique(schedule.support.frame[chosen])]


def hit_times(hits, stem=None):
    chosen = slice(None) if stem is None else hits.owner == stem
    return GRID.times[hits.frame[chosen]]


def test_a_note_may_sound_a_little_before_its_onset_and_after_its_end():
    schedule = scheduled(note(2.003, 1.0))
    expected = GRID.times[
        (GRID.times >= 2.003 - BEFORE) & (GRID.times <= 3.003 + AFTER)
    ]
    assert schedule.templates == (("a", 60),)
    np.testing.assert_array_equal(times(schedule), expected)


@settings(max_examples=30, deadline=None)
@given(
    notes=st.lists(
        st.builds(
            note,
            start=st.floats(0, 12),
            duration=st.floats(0, 3),
            pitch=st.integers(0, 127),
            part=st.sampled_from("abc"),
            percussion=st.booleans(),
        ),
        max_size=20,
    )
)
def test_any_score_has_entries_in_order_each_once(notes):
    schedule = scheduled(*notes)
    support, drums = schedule.support, schedule.drums
    assert support.n_frames == GRID.n_frames
    assert len(support.frame) == len(support.template) == len(schedule.owner)
    rows = np.stack([support.frame, support.template, schedule.owner], axis=1)
    assert (np.unique(rows, axis=0) == rows).all()
    templates = np.array([schedule.templates[c].part for c in support.template])
    assert (templates == np.array(schedule.stems)[schedule.owner]).all()
    assert len(drums.frame) == len(drums.template) == len(drums.owner)
    assert (np.diff(drums.frame) >= 0).all()
    within = drums.frame[(drums.frame >= 0) & (drums.frame < GRID.n_frames)]
    assert len(within) == len(drums.frame)


def test_a_note_does_not_sound_into_the_next_of_its_template():
    repeats = [note(2, 1), note(3.003, 1), note(4.003, 1)]
    schedule = scheduled(*repeats, labels=["first", "second", "third"])
    for before, after in (("first", "second"), ("second", "third")):
        boundary = repeats[schedule.stems.index(after)].start - BEFORE
        assert 0 < boundary - times(schedule, stem=before)[-1] < FRAME
        assert 0 < times(schedule, stem=after)[0] - boundary < FRAME


def test_stems_in_unison_both_end_before_the_next_note():
    schedule = scheduled(
        note(2, 1), note(2, 1), note(3.003, 1), labels=["one", "other", "next"]
    )
    for stem in ("one", "other"):
        assert 0 < 3.003 - BEFORE - times(schedule, stem=stem)[-1] < FRAME


def test_a_note_struck_again_while_it_sounds_goes_on():
    schedule = scheduled(note(2, 3.003), note(3.003, 1), labels=["long", "short"])
    assert 0 < 5.003 + AFTER - times(schedule, stem="long")[-1] < FRAME
    assert 0 < times(schedule, stem="short")[0] - (3.003 - BEFORE) < FRAME


def test_a_note_struck_again_while_it_sounds_still_ends_before_the_one_after():
    notes = note(2, 2), note(3, 0.5), note(4.003, 1)
    schedule = scheduled(*notes, labels=["long", "short", "after"])
    assert 0 < 4.003 - BEFORE - times(schedule, stem="long")[-1] < FRAME


def test_stems_in_unison_have_an_entry_each():
    schedule = scheduled(note(2, 1), note(2, 1), labels=["one", "other"])
    assert len(schedule.templates) == 1
    one, other = times(schedule, stem="one"), times(schedule, stem="other")
    np.testing.assert_array_equal(one, other)
    assert len(schedule.owner) == 2 * len(one)


def test_parts_on_one_pitch_have_a_template_each():
    schedule = scheduled(note(2, 1, part="oboe"), note(5, 1, part="flute"))
    assert set(schedule.templates) == {("flute", 60), ("oboe", 60)}
    assert times(schedule, ("oboe", 60)).max() < times(schedule, ("flute", 60)).min()


def test_notes_of_one_part_and_pitch_share_a_template_whatever_their_stems():
    schedule = scheduled(note(2, 1), note(5, 1), labels=["0001", "0002"])
    assert schedule.templates == (("a", 60),)
    assert schedule.stems == ("0001", "0002")
    assert times(schedule, stem="0001").max() < times(schedule, stem="0002").min()


def test_what_lies_beyond_the_recording_is_left_out():
    schedule = scheduled(note(9.5, 5), note(11, 1, 72, "b"), note(20, 1, 36, "c", True))
    assert times(schedule)[-1] == GRID.times[-1]
    assert len(times(schedule, ("b", 72))) == 0
    assert len(schedule.drums.frame) == 0
    assert schedule.stems == ("a", "b", "c")


def test_a_note_at_the_very_start_is_cut_there():
    assert times(scheduled(note(0, 0.1)))[0] == 0


def test_a_note_of_no_length_sounds():
    schedule = scheduled(note(2.003, 0))
    assert 2 in times(schedule)
    assert np.ptp(times(schedule)) <= BEFORE + AFTER


def test_a_note_between_two_frames_sounds_in_one():
    slow = Grid(8000, 80_000, 32_000, 32_000)
    support = make_schedule(Score((note(5.0, 0.1),)), ["a"], slow).support
    assert len(support.frame) == 1


def test_the_order_of_the_notes_does_not_matter():
    notes = [note(s, 1, p) for s, p in ((5, 60), (1, 64), (3, 60), (2, 67), (1, 60))]
    forth, back = scheduled(*notes), scheduled(*notes[::-1])
    assert forth.templates == back.templates
    np.testing.assert_array_equal(forth.support.frame, back.support.frame)
    np.testing.assert_array_equal(forth.support.template, back.support.template)


def test_drums_may_be_struck_about_their_onset_and_have_no_partials():
    schedule = scheduled(note(2, 1, 36, "kick", True), note(4, 1, 60, "bass"))
    assert schedule.templates == (("bass", 60),)
    assert schedule.drums.templates == (("kick", 36),)
    assert np.abs(hit_times(schedule.drums) - 2).max() < 0.05
    assert 2 in hit_times(schedule.drums)
    assert schedule.stems == ("kick", "bass")


def test_a_drum_in_two_stems_is_struck_by_both():
    schedule = scheduled(
        note(2, 0, 36, percussion=True),
        note(4, 0, 36, percussion=True),
        labels=["first", "second"],
    )
    assert len(schedule.drums.templates) == 1
    assert np.abs(hit_times(schedule.drums, stem=0) - 2).max() < 0.05
    assert np.abs(hit_times(schedule.drums, stem=1) - 4).max() < 0.05


def test_stems_come_as_they_first_appear_or_in_the_order_given():
    notes = note(3, 1, part="late"), note(1, 1, part="early")
    assert scheduled(*notes).stems == ("early", "late")
    ordered = scheduled(*notes, stems=["late", "early", "never"])
    assert ordered.stems == ("late", "early", "never")
    np.testing.assert_array_equal(
        times(ordered, stem="late"), times(scheduled(*notes), stem="late")
    )


def test_a_score_without_notes_has_no_entries():
    schedule = scheduled()
    assert len(schedule.owner) == len(schedule.drums.frame) == 0
    assert schedule.support.n_frames == GRID.n_frames


def test_the_templates_of_struck_strings_are_told():
    notes = note(1, 1, 60, "piano"), note(1, 1, 60, "oboe"), note(3, 1, 48, "piano")
    schedule = scheduled(*notes, struck=["piano"])
    struck = [
        t for t, is_so in zip(schedule.templates, schedule.struck, strict=True) if is_so
    ]
    assert struck == [("piano", 48), ("piano", 60)]
    assert schedule.hammers.templates == (("piano", 4), ("piano", 5))
    assert not scheduled(*notes).struck.any()


def states(schedule, template=None):
    """The times of the entries in each state, of a template if given."""
    own = np.ones(len(schedule.owner), bool)
    if template is not None:
        own = schedule.support.template == schedule.templates.index(template)
    frame, state = schedule.support.frame[own], schedule.fading.state[own]
    return [GRID.times[frame[state == number]] for number in range(4)]


def test_a_note_rings_on_until_its_template_is_played_again():
    notes = note(2.003, 1), note(3.303, 1)
    schedule = scheduled(*notes, ringing=True)
    end = 4.303 + AFTER + RING
    assert scheduled(*notes).fading is None
    assert 0 < end - times(schedule)[-1] < FRAME
    assert len(np.unique(np.diff(times(schedule)).round(6))) == 1
    _, _, _, ended = states(schedule)
    assert ended[0] - 3.003 > AFTER > ended[0] - 3.003 - FRAME
    assert 0 < 3.303 - BEFORE - ended[ended < 3.5][-1] < FRAME


def test_a_ringing_note_has_an_attack_a_held_time_and_a_release():
    free, held, released, ended = states(scheduled(note(2.003, 1), ringing=True))
    assert 0 < 2.003 + ATTACK - free[-1] < FRAME
    assert 0 < 3.003 - RELEASE - held[-1] < FRAME
    assert 0 < 3.003 + AFTER - released[-1] < FRAME
    assert free[-1] < held[0] <= held[-1] < released[0] < released[-1] < ended[0]


def test_ringing_and_sounding_of_one_template_at_once_counts_as_sounding():
    long, short = note(2.003, 3), note(3.003, 0.5)
    schedule = scheduled(long, short, labels=["stem", "stem"], ringing=True)
    free, held, _, ended = states(schedule)
    assert (np.abs(free - 3.003) < ATTACK).any()
    assert (np.abs(held - 4.003) < FRAME).any()
    assert ended[0] > 5.003


def test_entries_follow_those_of_their_template_and_stem():
    notes = note(2, 1), note(2, 1), note(2.5, 1, 64), note(9, 0.5)
    schedule = scheduled(*notes, labels=["a", "b", "a", "a"], ringing=True)
    support, previous = schedule.support, schedule.fading.previous
    rows = np.stack([support.frame, support.template, schedule.owner])
    follows = previous >= 0
    expected = rows[:, follows] - [[1], [0], [0]]
    np.testing.assert_array_equal(rows[:, previous[follows]], expected)
    assert np.count_nonzero(~follows) == 4


def test_instruments_of_entries_are_their_parts():
    notes = note(2, 1, 60, "flute"), note(2, 1, 60, "harp"), note(4, 1, 67, "flute")
    schedule = scheduled(*notes, ringing=True)
    parts = np.array([t.part for t in schedule.templates])[schedule.support.template]
    assert (schedule.fading.instrument == (parts == "harp")).all()
