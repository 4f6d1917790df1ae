"""docs/howto/mir.md: other libraries' objects go in, and come out."""

import re

import mir_eval
import numpy as np
import pytest
from conftest import ROOT

import specnmf

MIR = ROOT / "docs" / "howto" / "mir.md"

# librosa.load asks audioread, which imports what Python 3.13 drops.
pytestmark = pytest.mark.filterwarnings("ignore:.*slated for removal")


class Notes:
    """Notes as mirdata's NoteData gives them to mir_eval."""

    def __init__(self, score):
        self.score = score

    def to_mir_eval(self):
        return (*self.score.intervals(), None)


class Track:
    """A track with the attributes of mirdata's that the how-to uses."""

    def __init__(self, audio, notes):
        self.audio, self.notes = audio, notes


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """The names that the how-to for other libraries makes, in a folder like a clone."""
    folder = tmp_path_factory.mktemp("clone")
    (folder / "audio_examples").symlink_to(ROOT / "audio_examples")
    code = re.findall(r"^```python\n(.*?)^```", MIR.read_text("utf-8"), re.M | re.S)
    assert len(code) >= 6
    names = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        exec("\n".join(code), names)
    return names


def test_stems_of_an_array_have_its_rate_and_add_up_to_it(program):
    parts, y = program["parts"], program["y"]
    assert program["sr"] == 22050
    assert {each.sr for each in parts.values()} == {22050}
    assert program["first"].samples.shape == (1, len(y)) == (1, 88200)
    assert np.abs(sum(each.samples[0] for each in parts.values()) - y).max() < 1e-5


def test_notes_go_through_mir_evals_file_unchanged(program):
    score, notes = program["score"], program["notes"]
    ours = sorted((round(n.start, 4), n.pitch) for n in score.notes)
    assert sorted((round(n.start, 4), n.pitch) for n in notes.notes) == ours


def test_mir_eval_and_ours_agree_on_notes(program):
    ours = specnmf.evaluate_notes(program["heard"], program["score"])
    assert 0.5 < program["f_measure"] <= 1
    assert ours.notes.onset_50.f == pytest.approx(program["f_measure"], abs=0.02)


def test_bss_eval_gives_mir_evals_numbers(program):
    with pytest.warns(FutureWarning, match="Deprecated"):
        expected, *_ = mir_eval.separation.bss_eval_sources(
            program["references"], program["estimates"], compute_permutation=False
        )
    assert np.allclose(program["sdr"], expected, atol=0.01)
    assert np.allclose(
        [row.sdr for row in program["scores"].sources], expected, atol=0.2
    )


def test_a_track_of_mirdatas_form_is_separated_by_its_notes(program):
    track = Track((program["y"], program["sr"]), Notes(program["score"]))
    stems = program["separate_track"](track, max_iter=3)
    assert set(stems) == set(program["stems"])


def test_pretty_midis_notes_survive_both_ways(program):
    chorale, again = program["chorale"], program["again"]
    file = specnmf.read_score(ROOT / "audio_examples" / "chorale" / "chorale.mid")
    assert len(chorale.notes) == len(file.notes) == len(again.notes)
    assert set(chorale.parts) == set(again.parts) == set(file.parts)
    for one, other in zip(chorale.notes, again.notes, strict=True):
        assert one[2:] == other[2:]  # all but the times
        assert one[:2] == pytest.approx(other[:2])


def test_librosa_decomposes_by_our_estimator(program):
    assert program["components"].shape[1] == 4 == program["activations"].shape[0]
