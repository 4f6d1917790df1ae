"""A run in the studio, without HTTP: what is shown, changed, undone and saved."""

import json
import shutil
import threading
from pathlib import Path
from types import SimpleNamespace

import drum_loops
import numpy as np
import pytest
import soundfile
from opened import make_drum_run, make_run, make_song, open_session, stems

import specnmf
from specnmf import (
    Note,
    OutputError,
    ParameterError,
    Settings,
    TranscribeSettings,
)
from specnmf.record.edit import edit_run
from specnmf.record.edits import Edits
from specnmf.record.record import read_record
from specnmf.record.rerun import rerun
from specnmf.studio import again
from specnmf.studio.jobs import BusyError
from specnmf.studio.preview import Placed
from specnmf.studio.session import StaleError
from specnmf.tasks.registry import TASKS
from specnmf.tasks.run import run as task_run

#: Longer than any of this takes, in seconds.
PATIENCE = 60

MERGED = {"merge": {"strings": ["bass", "viola"]}, "gain": {"flute": -6.0}}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("song"))


@pytest.fixture
def session(run, tmp_path):
    session = open_session(run, tmp_path / "scratch")
    yield session
    session.close()


def message(session, **content):
    return {"revision": session.news()["revision"], **content}


def edit(session, edits):
    return session.change_edits(message(session, edits=edits))


def notes(state):
    return {name: list(column) for name, column in state["contents"]["notes"].items()}


def separate(session):
    session.separate_again(message(session))
    for thread in threading.enumerate():
        if thread.name == "specnmf-job":
            thread.join(PATIENCE)
    assert session.news()["job"] is None
    return session.state()


def samples(path):
    return soundfile.read(path, dtype="int16")[0]


def files(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_run_is_shown_as_it_is(session, run):
    state = session.state()
    assert stems(state) == ["bass", "viola", "flute"]
    assert (state["revision"], state["edits"], state["dirty"]) == (0, {}, False)
    assert (state["undo"], state["redo"], state["saved"]) == (False, False, None)
    assert state["folder"] == str(run)
    assert state["can"] == {
        "notes": True, "regions": False, "stems": True, "separate": True,
    }  # fmt: skip
    assert state["contents"]["sound"]["mode"] == "served"
    assert notes(state)["stem"] == [0, 1, 2]


def test_merged_stems_are_shown_as_one(session):
    state = edit(session, MERGED)
    assert stems(state) == ["strings", "flute"]
    strings, flute = state["contents"]["groups"][0]["stems"]
    assert strings["notes"] == 2
    assert flute["gain"] == -6.0
    assert notes(state)["stem"] == [0, 0, 1]
    assert state["edits"] == MERGED


def test_a_merged_stem_sounds_as_its_members_together(session, run):
    state = edit(session, MERGED)
    url = state["contents"]["groups"][0]["stems"][0]["url"]
    sound = session.sound(int(url.removeprefix("audio/")))
    bass, viola = (samples(run / f"sources/{name}.wav") for name in ("bass", "viola"))
    np.testing.assert_allclose(samples(sound.path), bass + viola, atol=1)


def test_another_sound_has_another_url(session):
    before = [s["url"] for s in session.state()["contents"]["groups"][0]["stems"]]
    merged = edit(session, MERGED)["contents"]["groups"][0]["stems"]
    assert merged[0]["url"] not in before
    assert merged[1]["url"] == before[2]
    later = edit(session, {"order": ["flute"]})["contents"]["groups"][0]["stems"]
    assert [stem["url"] for stem in later] == [before[2], before[0], before[1]]


def test_what_is_dropped_is_in_the_rest(session):
    state = edit(session, {"drop": ["viola"]})
    assert stems(state) == ["bass", "flute", "rest"]
    assert notes(state)["stem"] == [0, 2, 1]


def test_templates_follow_their_stems(session):
    before = session.state()["contents"]["templates"]
    after = edit(session, {"order": ["flute"]})["contents"]["templates"]
    place = {0: 1, 1: 2, 2: 0, -1: -1}
    assert [t["stem"] for t in after] == [place[t["stem"]] for t in before]


def test_changes_are_undone_and_done_again(session):
    edit(session, MERGED)
    state = session.undo(message(session))
    assert stems(state) == ["bass", "viola", "flute"]
    assert (state["dirty"], state["undo"], state["redo"]) == (False, False, True)
    assert stems(session.redo(message(session))) == ["strings", "flute"]
    with pytest.raises(ParameterError, match="nothing to redo"):
        session.redo(message(session))


def test_what_changes_nothing_is_no_step(session):
    state = edit(session, {})
    assert (state["revision"], state["undo"]) == (0, False)
    told = notes(state)
    assert session.change_notes(message(session, notes=told))["revision"] == 0


def test_a_change_of_what_has_changed_is_refused(session):
    edit(session, MERGED)
    for change in (session.change_edits, session.undo, session.save):
        with pytest.raises(StaleError, match="another window"):
            change({"revision": 0, "edits": {}})
    assert stems(session.state()) == ["strings", "flute"]


def test_two_windows_never_change_the_same_revision(session):
    """Of many at once, one change of each revision is taken."""
    taken, barrier = [], threading.Barrier(8)

    def change(number):
        barrier.wait()
        try:
            session.change_edits({"revision": 0, "edits": {"gain": {"bass": number}}})
        except StaleError:
            return
        taken.append(number)

    threads = [threading.Thread(target=change, args=(n,)) for n in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 1
    assert session.state()["edits"] == {"gain": {"bass": float(taken[0])}}


@pytest.mark.parametrize(
    "edits",
    [
        None,
        [],
        {"fade": {}},
        {"merge": {"a": ["nobody"]}},
        {"rename": {"bass": "viola"}},
        {"rename": {"bass": "../bass"}},
        {"rename": {"bass": "a\0b"}},
        {"gain": {"bass": 1000}},
        {"drop": ["*"]},
    ],
)
def test_edits_that_do_not_fit_are_refused_and_change_nothing(session, edits):
    with pytest.raises(ParameterError):
        edit(session, edits)
    assert session.state()["revision"] == 0


def test_notes_that_are_left_alone_keep_what_the_page_was_not_told(session):
    told = notes(session.state())
    del told["velocity"]
    told["velocity"] = [80, 80, 100]
    state = session.change_notes(message(session, notes=told))
    assert notes(state)["velocity"] == [80, 80, 100]
    kept = session._preview().score.notes
    before = session._preview().base.notes.notes
    assert kept[:2] == before[:2]


def test_notes_follow_their_stems_through_edits(session):
    told = notes(session.state())
    told["stem"] = [2, 1, 2]
    session.change_notes(message(session, notes=told))
    state = edit(session, {"order": ["flute"], "rename": {"flute": "piccolo"}})
    assert stems(state) == ["piccolo", "bass", "viola"]
    assert notes(state)["stem"] == [0, 2, 0]


def test_saved_edits_are_what_edit_makes_of_them(session, run, tmp_path):
    edit(session, MERGED)
    folder = tmp_path / "edited" / run.name
    assert session.save(message(session)) == {"folder": str(folder)}
    edits = Edits.from_plain(MERGED)
    made = edit_run(run, edits, output=tmp_path / "by_edit", command="open").folder
    saved, expected = files(folder), files(made)
    reports = [json.loads(each.pop("run.json")) for each in (saved, expected)]
    assert saved == expected
    for report in reports:
        del report["seconds"]
    assert reports[0] == reports[1]


def test_what_is_saved_is_no_longer_dirty_and_saved_again_in_its_place(session):
    edit(session, MERGED)
    folder = session.save(message(session))["folder"]
    state = session.state()
    assert (state["dirty"], state["saved"]) == (False, folder)
    assert edit(session, {"drop": ["viola"]})["dirty"]
    assert session.save(message(session))["folder"] == folder
    assert session.undo(message(session))["dirty"]


def test_a_name_that_is_taken_by_another_run_is_refused(session, run, tmp_path):
    edit_run(run, Edits(drop=("viola",)), output=tmp_path / "edited", name="mine")
    edit(session, MERGED)
    with pytest.raises(ParameterError, match="already; use another name"):
        session.save(message(session, name="mine"))
    folder = tmp_path / "edited" / f"{run.name}"
    assert session.save(message(session))["folder"] == str(folder)
    assert session.save(message(session, name="other"))["folder"].endswith("other")


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../x", "a/b", "/tmp/x", "a\\b", ".hidden", "a\0", "CON", 5]
)
def test_no_name_leads_elsewhere(session, name, tmp_path):
    edit(session, MERGED)
    with pytest.raises(ParameterError):
        session.save(message(session, name=name))
    assert not (tmp_path / "edited").exists()


def test_nothing_is_not_saved(session):
    with pytest.raises(ParameterError, match="there are no changes"):
        session.save(message(session))


def test_saving_in_place_opens_what_was_saved(run, tmp_path):
    own = tmp_path / run.name
    shutil.copytree(run, own)
    session = open_session(own, tmp_path / "scratch")
    edit(session, {"drop": ["viola"]})
    assert session.save(message(session, in_place=True)) == {"folder": str(own)}
    state = session.state()
    assert stems(state) == ["bass", "flute", "rest"]
    assert (state["edits"], state["dirty"], state["undo"]) == ({}, False, False)
    assert stems(edit(session, {"rename": {"rest": "noise"}}))[-1] == "noise"


def test_separating_again_goes_by_the_notes_as_they_are(session, run):
    told = notes(session.state())
    told["stem"] = [0, 1, 1]
    session.change_notes(message(session, notes=told))
    edit(session, {"gain": {"bass": -3.0}, "rename": {"viola": "strings"}})
    state = separate(session)
    assert session.failure.reason == ""
    assert stems(state) == ["bass", "strings"]
    assert state["edits"] == {"gain": {"bass": -3.0}}
    assert notes(state)["pitch"] == [50, 69, 76]
    assert notes(state)["stem"] == [0, 1, 1]
    assert stems(session.undo(message(session))) == ["bass", "strings", "flute"]


def test_a_run_that_was_separated_again_is_saved_with_its_notes(session, tmp_path):
    told = notes(session.state())
    told["pitch"][2] = 77
    session.change_notes(message(session, notes=told))
    separate(session)
    edit(session, {"drop": ["viola"]})
    folder = tmp_path / "edited" / "song"
    assert session.save(message(session)) == {"folder": str(folder)}
    assert {n.pitch for n in specnmf.read_score(folder / "corrected.csv").notes} == {
        50, 69, 77,
    }  # fmt: skip
    session.close()
    shutil.rmtree(session.place.scratch)
    made = rerun(folder, output=tmp_path / "again")
    assert made.identical
    names = {path.stem for path in (made.folder / "sources").iterdir()}
    assert names == {"bass", "flute", "rest"}


def test_notes_that_were_not_separated_by_are_saved_as_a_file(session, run, tmp_path):
    told = notes(session.state())
    told["pitch"][2] = 77
    session.change_notes(message(session, notes=told))
    edit(session, MERGED)
    folder = tmp_path / "edited" / run.name
    session.save(message(session))
    parts = [note.part for note in specnmf.read_score(folder / "corrected.csv").notes]
    assert parts == ["strings", "strings", "flute"]


def test_corrections_that_are_saved_again_replace_the_last_ones(session):
    for pitch in (77, 78):
        told = notes(session.state())
        told["pitch"][2] = pitch
        session.change_notes(message(session, notes=told))
        folder = Path(session.save(message(session, name="mine"))["folder"])
    (found,) = folder.glob("corrected*")
    assert 78 in {note.pitch for note in specnmf.read_score(found).notes}


def test_corrections_that_a_run_was_then_separated_by_are_kept(session):
    told = notes(session.state())
    told["pitch"][2] = 77
    session.change_notes(message(session, notes=told))
    folder = Path(session.save(message(session, name="mine"))["folder"])
    separate(session)
    session.save(message(session))
    read_record(folder).check_inputs()


def test_a_note_of_no_stem_is_not_separated_by(session):
    told = notes(session.state())
    told["stem"] = [0, -1, 2]
    session.change_notes(message(session, notes=told))
    separate(session)
    assert "0.20 s has no stem" in session.failure.reason
    assert stems(session.state()) == ["bass", "viola", "flute"]


def test_separating_is_cancelled_and_nothing_is_left(session):
    session.separate_again(message(session))
    with pytest.raises(BusyError):
        session.separate_again(message(session))
    with pytest.raises(BusyError):
        session.save(message(session))
    session.cancel({})
    assert session.close()
    assert stems(session.state()) == ["bass", "viola", "flute"]
    assert not list(session.place.scratch.rglob("run.json"))


def test_a_recording_that_is_gone_is_named(tmp_path):
    run = make_run(tmp_path)
    session = open_session(run, tmp_path / "scratch")
    (tmp_path / "song.wav").unlink()
    separate(session)
    assert "song.wav" in session.failure.reason


def test_a_recording_that_was_moved_is_found_where_a_person_says(tmp_path):
    folder = make_run(tmp_path)
    moved = read_record(folder).song.rename(tmp_path / "moved.wav")
    session = open_session(folder, tmp_path / "scratch", recording=moved)
    edit(session, MERGED)
    saved = Path(session.save(message(session))["folder"])
    separate(session)
    assert session.failure.reason == ""
    session.close()
    inputs = json.loads((saved / "run.json").read_bytes())["inputs"]
    assert inputs[0]["path"] == str(moved)


def test_another_recording_is_not_taken_for_one_that_was_moved(run, tmp_path):
    other = tmp_path / "other.wav"
    soundfile.write(other, np.zeros(800), 8000)
    with pytest.raises(specnmf.AudioError, match="other.wav"):
        open_session(run, tmp_path / "scratch", recording=other)


def test_stems_that_were_not_written_are_made_from_the_model(run, tmp_path):
    bare = make_run(tmp_path, sources=False)
    session = open_session(bare, tmp_path / "scratch")
    url = session.state()["contents"]["groups"][0]["stems"][1]["url"]
    sound = session.sound(int(url.removeprefix("audio/")))
    made, expected = samples(sound.path), samples(run / "sources" / "viola.wav")
    np.testing.assert_array_equal(made, expected)


def test_a_file_that_is_gone_has_no_sound(run, tmp_path):
    own = tmp_path / run.name
    shutil.copytree(run, own)
    session = open_session(own, tmp_path / "scratch")
    assert session.sound(0) is not None
    (own / "sources" / "bass.wav").unlink()
    assert session.sound(0) is None
    assert session.sound(99) is None


def test_a_stem_that_is_a_link_out_of_the_run_has_no_sound(run, tmp_path):
    own = tmp_path / run.name
    shutil.copytree(run, own)
    secret = tmp_path / "secret.wav"
    shutil.copy(own / "sources" / "bass.wav", secret)
    (own / "sources" / "bass.wav").unlink()
    (own / "sources" / "bass.wav").symlink_to(secret)
    session = open_session(own, tmp_path / "scratch")
    base = session._preview().base
    assert base.stems[0]["file"] is None


def test_notes_alone_are_saved_with_a_copy_of_the_run(session, run, tmp_path):
    (run / "mine.txt").write_text("my own")
    told = notes(session.state())
    told["pitch"][2] = 77
    session.change_notes(message(session, notes=told))
    folder = Path(session.save(message(session, name="mine"))["folder"])
    saved, expected = files(folder), files(run)
    (run / "mine.txt").unlink()
    assert folder == tmp_path / "edited" / "mine"
    assert b"77" in saved.pop("corrected.csv")
    del expected["mine.txt"]
    assert saved == expected


def test_a_recording_of_one_channel_is_not_panned(session):
    with pytest.raises(ParameterError, match="2 channels"):
        edit(session, {"pan": {"bass": 0.5}})


def test_nothing_is_changed_while_the_run_is_replaced(run, tmp_path, monkeypatch):
    own = tmp_path / run.name
    shutil.copytree(run, own)
    session = open_session(own, tmp_path / "scratch")
    edit(session, {"drop": ["viola"]})
    refused = []

    def write(self, preview, target):
        with pytest.raises(BusyError, match="being saved"):
            edit(session, {})
        refused.append(True)
        return own

    monkeypatch.setattr("specnmf.studio.session.Saver.save", write)
    session.save(message(session, in_place=True))
    assert refused
    assert edit(session, MERGED)["revision"] == 3


def test_what_was_heard_becomes_stems_by_the_notes(tmp_path):
    song = make_song(tmp_path)
    settings = TranscribeSettings(figures=False, transcriber="builtin")
    task = TASKS["transcribe"]
    made = task_run(task, song, settings, output=tmp_path / "out")
    session = open_session(made.folder, tmp_path / "scratch")
    state = session.state()
    assert state["can"]["notes"]
    assert not state["can"]["stems"]
    with pytest.raises(ParameterError, match="transcribe"):
        edit(session, {"drop": [stems(state)[0]]})
    assert samples(session.sound(0).path).shape == samples(song).shape
    told = notes(state)
    told["stem"] = [1] * len(told["start"])
    session.change_notes(message(session, notes=told))
    assert stems(separate(session)) == [stems(state)[1], "rest"]
    assert session.state()["can"]["stems"]


def test_what_is_marked_in_a_decomposition_becomes_stems(tmp_path):
    song = make_song(tmp_path)
    settings = Settings(n_components=2, max_iter=3, figures=False)
    made = task_run(TASKS["decompose"], song, settings, output=tmp_path / "out")
    session = open_session(made.folder, tmp_path / "scratch")
    regions = [
        {"start": 0.1, "end": 0.2, "name": "low"},
        {"start": 0.3, "end": 0.6, "name": "both"},
    ]
    state = session.change_regions(message(session, regions=regions))
    assert state["contents"]["regions"] == regions
    assert {"low", "both"} <= {*stems(separate(session))}
    state = session.state()
    assert [r["name"] for r in state["contents"]["regions"]] == ["low", "both"]
    with pytest.raises(ParameterError, match="notes"):
        session.change_notes(message(session, notes=notes(state)))
    folder = Path(session.save(message(session))["folder"])
    session.close()
    shutil.rmtree(session.place.scratch)
    assert rerun(folder, output=tmp_path / "again").identical


@pytest.fixture(scope="module")
def drum_run(tmp_path_factory):
    return make_drum_run(tmp_path_factory.mktemp("loop"))


@pytest.fixture
def drums(drum_run, tmp_path):
    session = open_session(drum_run, tmp_path / "scratch")
    yield session
    session.close()


def test_strokes_are_moved_deleted_and_given_to_another_drum(drums, tmp_path):
    state = drums.state()
    assert state["can"]["notes"]
    assert state["can"]["separate"]
    told = notes(state)
    assert (stems(state)[:2], told["stem"][0]) == (["kick", "snare"], 0)
    told["stem"][0], told["start"][-1] = 1, told["start"][-1] + 0.02
    told["end"][-1] += 0.02
    dropped = {name: [*column[:1], *column[2:]] for name, column in told.items()}
    drums.change_notes(message(drums, notes=dropped))
    edit(drums, {"gain": {"hihat": -3.0}, "rename": {"hihat": "hat"}})
    state = separate(drums)
    assert drums.failure.reason == ""
    assert stems(state) == ["kick", "snare", "hat", "rest"]
    assert state["edits"] == {"gain": {"hat": -3.0}, "rename": {"hihat": "hat"}}
    found = notes(state)
    assert found["start"] == dropped["start"]
    assert (found["pitch"][0], found["stem"][0]) == (38, 1)
    folder = Path(drums.save(message(drums))["folder"])
    drums.close()
    shutil.rmtree(drums.place.scratch)
    record = read_record(folder)
    assert list(record.beside) == ["score", "kit"]
    assert rerun(folder, output=tmp_path / "again").identical


def test_drums_that_were_merged_stay_so(drums):
    edit(drums, {"merge": {"low": ["kick", "snare"]}})
    state = separate(drums)
    assert stems(state) == ["low", "hihat", "rest"]
    assert state["edits"] == {"merge": {"low": ["kick", "snare"]}}
    assert stems(separate(drums)) == ["low", "hihat", "rest"]


def test_drums_may_exchange_their_names(drums):
    names = {"rename": {"kick": "snare", "snare": "kick"}}
    edit(drums, names)
    state = separate(drums)
    assert (stems(state), state["edits"]) == (["snare", "kick", "hihat", "rest"], names)


def test_a_drum_that_is_dropped_is_in_the_rest(drums):
    edit(drums, {"drop": ["snare"], "rename": {"rest": "noise"}})
    state = separate(drums)
    assert stems(state) == ["kick", "hihat", "noise"]
    assert len(notes(state)["start"]) == len(drum_loops.hits()) - 3


def test_a_kit_that_has_changed_is_refused(drums, drum_run):
    (drum_run.parents[1] / "kit" / "more.wav").touch()
    separate(drums)
    (drum_run.parents[1] / "kit" / "more.wav").unlink()
    assert "kit: not the file" in drums.failure.reason


def test_a_stroke_of_a_drum_that_midi_does_not_know_is_told():
    stem = Placed("zap", 0, (0,), 0.0, 0.0)
    base = SimpleNamespace(names=("zap",))
    preview = SimpleNamespace(names=("zap",), stems=(stem,), base=base)
    with pytest.raises(ParameterError, match=r"1\.50 s is of zap, which has no note"):
        again.struck(preview, Note(1.5, 0.1, 76, part="zap", percussion=True))


def test_strokes_of_the_rest_alone_are_none(drums):
    told = notes(drums.state())
    told["stem"] = [3] * len(told["start"])
    drums.change_notes(message(drums, notes=told))
    edit(drums, {"rename": {"rest": "noise"}})
    separate(drums)
    assert drums.failure.reason == "there are no notes to separate by; add some first"


def test_no_run_is_told(tmp_path):
    with pytest.raises(OutputError, match="not a run"):
        open_session(tmp_path, tmp_path / "scratch")
