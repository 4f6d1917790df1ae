"""The examples of the gallery: they run, and what they say is so."""

import ast
import re

import matplotlib.pyplot as plt
import numpy as np
import pytest
from conftest import ROOT

import specnmf

FOLDER = ROOT / "docs" / "examples"
EXAMPLES = sorted(p.stem.removeprefix("plot_") for p in FOLDER.glob("plot_*.py"))

#: The most lines of an example.
MOST_LINES = 60

#: The most bytes of an example's players: a page of the site holds them.
MOST_BYTES = 2_000_000

#: Those that take more than a few seconds; the build of the site runs all.
SLOW = {
    "book_onsets",
    "chorale_score",
    "chord_layers",
    "how_many",
    "piano_hands",
    "two_marks",
}


def source(name):
    return (FOLDER / f"plot_{name}.py").read_text("utf-8")


def parts(name):
    """What an example says first, and its cells: text and code."""
    _, first, rest = source(name).split('"""', 2)
    return first.strip("\n").split("\n"), re.split(r"^# %%\n", rest, flags=re.M)


def run(name):
    """Run an example: the names that it makes, and the values that it shows."""
    names, values = {"__name__": "__main__"}, []
    for statement in ast.parse(source(name)).body:
        if isinstance(statement, ast.Expr):
            code = compile(ast.Expression(statement.value), name, "eval")
            values.append(eval(code, names))
        else:
            exec(compile(ast.Module([statement], []), name, "exec"), names)
    return names, values


@pytest.fixture
def at_root(monkeypatch):
    monkeypatch.chdir(ROOT)
    plt.close("all")
    yield
    plt.close("all")


def test_there_are_ten_examples():
    assert len(EXAMPLES) == 10


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_short_and_says_what_it_answers(name):
    (title, rule, blank, *text), cells = parts(name)
    assert rule == "=" * len(title)
    assert not blank
    assert "?" in text[0]
    assert len(cells) >= 3
    assert all(cell.startswith("# ") for cell in cells[1:])
    assert source(name).count("\n") <= MOST_LINES


def marked(name):
    return pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else [])


@pytest.mark.parametrize("name", [marked(each) for each in EXAMPLES])
def test_an_example_ends_with_figures_and_sound(name, at_root):
    names, values = run(name)
    assert plt.get_fignums()
    for number in plt.get_fignums():
        assert_labelled(plt.figure(number))
    assert isinstance(values[-1], specnmf.Separated)
    players = [v._repr_html_() for v in values if isinstance(v, specnmf.Separated)]
    assert all("<iframe" in player for player in players)
    assert sum(map(len, players)) < MOST_BYTES
    if name in CLAIMS:
        CLAIMS[name](names)


def assert_labelled(figure):
    """A figure has a title, and its axes say what they show."""
    axes = [each for each in figure.axes if each.get_visible()]
    titles = [each.get_title(loc) for each in axes for loc in ("left", "center")]
    texts = [text.get_text() for text in figure.texts]
    assert any([*titles, *texts])
    assert any(each.get_xlabel() or each.get_ylabel() for each in axes)


def sdr(evaluation):
    return {row.reference: row.sdr for row in evaluation.sources}


def check_beta(names):
    found = {
        cost: sdr(specnmf.evaluate(stems, names["true"], match="best"))
        for cost, stems in names["stems"].items()
    }
    best = found["Kullback-Leibler"]
    assert found["Euclidean"]["hihat"] < 0 < found["Itakura-Saito"]["hihat"]
    assert all(best["kick"] > own["kick"] for own in found.values() if own is not best)
    assert all(
        best["snare"] > own["snare"] for own in found.values() if own is not best
    )


def check_how_many(names):
    score = specnmf.read_score("audio_examples/greensleeves/greensleeves.mid")
    notes = score.excerpt(0, 10).notes
    pitches = {note.pitch for note in notes if note.part == "recorder"}
    assert len(pitches) == names["melody"].chosen == len(names["notes"]) == 9
    found = sorted(names["notes"].pitches.round().tolist())
    assert found == sorted([*pitches - {77}, 69])  # A4 twice, and no F5
    score = specnmf.read_score("audio_examples/chorale/chorale.mid")
    assert len({note.pitch for note in score.excerpt(0, 8).notes}) == 18
    assert names["voices"].chosen == 7


def check_learned(names):
    before, after = sdr(names["before"]), sdr(names["after"])
    assert all(after[drum] > before[drum] + 1 for drum in before)


def check_insects(names):
    for name, group in (("cricket", "group_1"), ("bush_cricket", "group_2")):
        true = names["true"][name]
        for y, least, most in (
            (names["scene"].samples[0], -10, -5),
            (names["stems"][group].samples[0], 15, 30),
        ):
            ratio = 10 * np.log10(np.mean(true**2) / np.mean((y - true) ** 2))
            assert least < ratio < most


def check_updates(names):
    assert names["difference"] < 1e-12
    assert names["fast"].losses[10] < names["losses"][10]


def check_hands(names):
    assert all(row.sdr > 5 for row in names["scores"].sources)


def check_voices(names):
    assert set(names["voices"]) == set(names["score"].parts)
    assert all(np.array(names["reached"]) > names["ideal"])


#: What the texts say of numbers, by example.
CLAIMS = {
    "chorale_score": check_voices,
    "drums_beta": check_beta,
    "how_many": check_how_many,
    "insects": check_insects,
    "learned_templates": check_learned,
    "own_updates": check_updates,
    "piano_hands": check_hands,
}
