import base64
import json
from contextlib import suppress

import numpy as np
import pytest
import soundfile

from specnmf.errors import OutputError, SpecnmfError
from specnmf.output.page import notes as notes_module
from specnmf.output.page.contents import contents_with_sound, read_contents
from specnmf.output.stored import note_arrays
from specnmf.score.notes import Note, Score


def made_contents(made, asked="none", **changes):
    return contents_with_sound(made.shown(**changes), asked)[0]


def test_contents_are_plain_json_and_always_the_same(made):
    texts = [
        json.dumps(contents_with_sound(made.shown(), "ogg", threads=n), allow_nan=False)
        for n in (1, 2)
    ]
    assert texts[0] == texts[1]


def test_they_say_what_run_json_says(made):
    contents = made_contents(made, defaults={"n_components": 8, "seed": 0})
    assert contents["title"] == "song"
    assert contents["kind"] == "decompose"
    assert (contents["sr"], contents["duration"], contents["tempo"]) == (8000, 1, 120)
    assert contents["numbers"][:2] == [["Null test", "exact"], ["Iterations", "2"]]
    assert contents["settings"] == [
        ["n_components", "2", False],
        ["seed", "0", True],
        ["start", "0", True],
    ]
    assert contents["warnings"] == ["clipped"]
    assert [each["path"] for each in contents["files"]] == [
        "factors.npz",
        "sources/bass.wav",
        "sources/flute.wav",
    ]


@pytest.mark.parametrize(
    ("align", "cents", "told"),
    [
        ("auto", -2.3, {"Confidence of the alignment": "90%", "Tuning": "−2 cents"}),
        ("never", 0.4, {}),
    ],
)
def test_an_alignment_is_told_where_there_was_one(made, align, cents, told):
    report = made.report | {
        "settings": {"align": align},
        "alignment": {"confidence": 0.9, "tuning_cents": cents},
    }
    numbers = dict(made_contents(made, report=report)["numbers"])
    for what in ("Confidence of the alignment", "Tuning"):
        assert numbers.get(what) == told.get(what)


def test_the_command_is_not_told_for_a_rerun_has_another(made):
    assert "specnmf decompose" not in json.dumps(made_contents(made))


def test_notes_point_to_their_stems(made):
    notes = made_contents(made)["notes"]
    assert notes["stem"] == [0, 1]
    assert notes["pitch"] == [45, 81]
    assert notes["end"] == [0.5, 1.0]
    assert {len(column) for column in notes.values()} == {2}


def test_a_note_of_no_stem_points_nowhere(made):
    lost = Score((Note(0, 1, 60, part="gone"),))
    assert made_contents(made, notes=lost)["notes"]["stem"] == [-1]


def test_drums_have_names(made):
    hits = (Note(0, 1, 38, percussion=True), Note(0, 1, 3, percussion=True))
    contents = made_contents(made, notes=Score((*hits, Note(0, 1, 60))))
    assert contents["drums"] == {"3": "drum 3", "38": "snare"}


def test_of_very_many_notes_the_longest_are_shown_and_that_is_said(made, monkeypatch):
    monkeypatch.setattr(notes_module, "MOST_NOTES", 2)
    monkeypatch.setattr("specnmf.output.page.assembly.MOST_NOTES", 2)
    many = Score(tuple(Note(n, d, 60) for n, d in enumerate((0.3, 0.1, 0.2))))
    contents = made_contents(made, notes=many)
    assert contents["notes"]["start"] == [0, 2]
    assert contents["warnings"][-1] == "only the 2 longest of 3 notes are shown"


def test_templates_lie_on_the_rows_of_the_picture(made):
    contents = made_contents(made)
    picture = contents["picture"]
    for template, pitch in zip(contents["templates"], (45, 81), strict=True):
        rows = np.frombuffer(base64.b64decode(template["rows"]), np.uint8)
        assert len(rows) == picture["rows"]
        place = picture["lowest"] + (len(rows) - 0.5 - np.argmax(rows)) / 3
        assert abs(place - pitch) < 1.5
        assert template["pitch"] == pitch
    assert [each["stem"] for each in contents["templates"]] == [0, 1]


def test_levels_have_a_byte_for_each_column(made):
    contents = made_contents(made)
    for stem in contents["groups"][0]["stems"]:
        levels = base64.b64decode(stem["levels"])
        assert len(levels) == contents["picture"]["columns"]


def test_linked_stems_have_addresses(made):
    odd = "bass #1 100%.wav"
    (made.folder / "sources/bass.wav").rename(made.folder / "sources" / odd)
    made.report["components"][0]["source"] = f"sources/{odd}"
    stem = made_contents(made, "link")["groups"][0]["stems"][0]
    assert stem["url"] == "sources/bass%20%231%20100%25.wav"
    assert stem["file"] == f"sources/{odd}"


def test_a_page_elsewhere_links_to_the_run(made):
    contents = made_contents(made, "link", base="runs/song/")
    stem = contents["groups"][0]["stems"][0]
    assert stem["url"] == stem["file"] == "runs/song/sources/bass.wav"
    assert contents["files"][0]["path"] == "runs/song/factors.npz"


def test_stems_that_were_not_written_are_silent_and_that_is_said(made):
    (made.folder / "sources/flute.wav").unlink()
    contents, sounds = contents_with_sound(made.shown(), "ogg")
    assert list(sounds) == ["sound-0"]
    assert contents["groups"][0]["stems"][1]["sound"] is None
    assert contents["sound"]["why"] == "1 of 2 stems were not written (--only)."
    (made.folder / "sources/bass.wav").unlink()
    contents, sounds = contents_with_sound(made.shown(), "ogg")
    assert (contents["sound"]["mode"], sounds) == ("none", {})
    assert "--no-sources" in contents["sound"]["why"]


def test_a_transcription_is_heard_as_its_recording_and_seen_as_its_voices(made):
    for path in (made.folder / "sources").iterdir():
        path.unlink()
    report = {**made.report, "kind": "transcribe", "components": []}
    report["transcription"] = {"notes": 2, "parts": {"bass": 1, "flute": 1}}
    contents, sounds = contents_with_sound(made.shown(report=report), "ogg")
    stems = contents["groups"][0]["stems"]
    assert [stem["name"] for stem in stems] == ["song", "bass", "flute"]
    assert [stem["sound"] for stem in stems] == ["sound-0", None, None]
    assert contents["notes"]["stem"] == [1, 2]
    assert list(sounds) == ["sound-0"]


def test_voices_are_in_the_order_of_run_json_not_that_of_their_notes(made):
    report = {**made.report, "kind": "transcribe", "components": []}
    report["transcription"] = {"parts": {"flute": 1, "bass": 1, "gone": 3}}
    for path in (made.folder / "sources").iterdir():
        path.unlink()
    stems = made_contents(made, report=report)["groups"][0]["stems"]
    assert [stem["name"] for stem in stems] == ["song", "flute", "bass"]


def test_regions_are_on_the_clock_of_the_excerpt(made):
    (made.folder / "labels.txt").write_text("1.0\t3.0\tbass\n2.5\t4.0\tflute\n")
    made.report["settings"]["start"] = 2.0
    assert made_contents(made)["regions"] == [
        {"name": "bass", "start": 0.0, "end": 1.0},
        {"name": "flute", "start": 0.5, "end": 2.0},
    ]


def test_labels_that_a_person_broke_are_left_out(made):
    (made.folder / "labels.txt").write_text("no labels\n")
    assert made_contents(made)["regions"] == []


def test_mixes_and_edits_are_told(made):
    (made.folder / "mixes").mkdir()
    soundfile.write(made.folder / "mixes/without_bass.wav", np.zeros(10), 8000)
    made.report["edits"] = [
        {"merge": {"all": ["bass", "flute"]}, "gain": {"bass": -6.0}},
        {"rename": {"flute": "oboe"}, "drop": ["bass"], "pan": {"oboe": -0.5}},
        {"without": ["oboe"], "order": ["oboe", "a", "b"]},
    ]
    contents = made_contents(made)
    mix = {"name": "without_bass", "file": "mixes/without_bass.wav"}
    assert contents["mixes"] == [mix]
    assert contents["edits"] == [
        "all: sum of bass and flute",
        "bass: gain -6 dB",
        "flute: renamed to oboe",
        "bass: added to the rest",
        "oboe: panned 50% to the left",
        "oboe: left out of a mix",
        "oboe, a and b: first",
    ]


def test_scores_stand_with_their_stems(made):
    scores = {"bass": {"SDR": 9.876, "SIR": None}}
    contents = made_contents(made, scores=scores, means={"SDR": 9.876, "SIR": None})
    stems = contents["groups"][0]["stems"]
    assert [stem["scores"] for stem in stems] == [{"SDR": 9.88}, None]
    assert contents["numbers"][-1] == ["SDR, mean", "9.9 dB"]


def test_a_finished_run_is_read_from_its_folder(made):
    made.write_report()
    np.savez(made.folder / "model.npz", **note_arrays(made.notes))
    contents = read_contents(made.folder)
    assert contents["sound"] == {"mode": "link", "why": None}
    assert contents["notes"] == made_contents(made)["notes"]
    told = made_contents(made)["picture"]
    assert (contents["picture"]["rows"], contents["picture"]["columns"]) == (
        told["rows"],
        told["columns"],
    )


def test_the_recording_is_seen_where_it_is_still_there(made, tmp_path):
    from specnmf.output.products import sha256

    song = tmp_path / "noise.wav"
    noise = np.random.default_rng(0).normal(size=8000) / 20
    soundfile.write(song, noise, 8000)
    np.savez(made.folder / "model.npz", **note_arrays(made.notes))
    pictures = []
    for checksum in (sha256(song), "0" * 64):
        made.write_report(inputs=[{"path": str(song), "sha256": checksum}])
        pictures.append(read_contents(made.folder)["picture"]["data"])
    assert pictures[0] != pictures[1]


@pytest.mark.parametrize("path", ["x" * 1000, "a\0b", "\ud800", "/dev/zero", "."])
def test_where_no_recording_can_be_the_stems_are_seen(made, path):
    np.savez(made.folder / "model.npz", **note_arrays(made.notes))
    made.write_report(inputs=[{"path": path, "sha256": "0" * 64}])
    assert read_contents(made.folder)["picture"]["columns"] > 0


def hostile_reports():
    junk = (None, 7, -1e308, "x", [], {}, [[]], [{}], [None] * 9000, {"a": {"b": 1}})
    keys = (
        *("kind", "inputs", "audio", "settings", "asked", "tempo", "residual_db"),
        *("iterations", "final_loss", "components", "stems", "labels", "layers"),
        *("warnings", "versions", "edits", "transcription", "alignment", "rank_choice"),
        *("command", "explained", "annotated_seconds"),
    )
    some = [junk[n : n + 2] for n in range(0, len(junk), 2)]
    return [
        {key: value}
        for number, key in enumerate(keys)
        for value in some[number % len(some)]
    ]


def test_a_hostile_run_json_does_not_crash_the_page(made):
    np.savez(made.folder / "model.npz", **note_arrays(made.notes))
    for changes in hostile_reports():
        made.write_report(**changes)
        with suppress(SpecnmfError):
            contents = read_contents(made.folder, threads=1)
            assert json.loads(json.dumps(contents, allow_nan=False))


@pytest.mark.parametrize("text", ["", "[]", "{", "NaN", "[" * 100_000])
def test_a_run_json_that_is_none_is_refused_in_a_line(made, text):
    (made.folder / "run.json").write_text(text)
    with pytest.raises(OutputError, match=r"run\.json"):
        read_contents(made.folder)


def test_a_folder_without_run_is_refused(tmp_path):
    with pytest.raises(OutputError, match="not a run"):
        read_contents(tmp_path)


def test_files_outside_the_run_are_not_listed(made):
    (made.folder.parent / "secret.txt").write_text("secret")
    (made.folder / "secret.txt").symlink_to(made.folder.parent / "secret.txt")
    assert "secret" not in json.dumps(made_contents(made))
