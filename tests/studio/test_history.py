"""What can be undone."""

from dataclasses import replace

from specnmf.record.edits import Edits
from specnmf.studio.history import MOST_STEPS, History, Version


def version(gain):
    return Version(0, Edits(gain={"a": gain}))


def test_a_change_is_undone_and_done_again():
    history = History([version(0)])
    assert history.add(version(1))
    assert history.move(-1)
    assert history.present == version(0)
    assert history.can_redo
    assert history.move(1)
    assert history.present == version(1)
    assert not history.move(1)


def test_a_change_after_undoing_forgets_what_was_undone():
    history = History([version(0)])
    history.add(version(1))
    history.move(-1)
    history.add(version(2))
    assert not history.can_redo
    assert [each.edits.gain["a"] for each in history.versions] == [0, 2]


def test_what_changes_nothing_is_no_step():
    history = History([version(0)])
    assert not history.add(replace(version(0)))
    assert not history.can_undo


def test_steps_are_not_without_end():
    history = History([version(0)])
    for gain in range(1, MOST_STEPS + 20):
        history.add(version(gain % 40 + gain / 1e4))
    assert len(history.versions) == MOST_STEPS + 1
    assert not history.can_redo
