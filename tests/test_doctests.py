"""The examples in the docstrings: every public name has one, and they are true."""

import doctest
import inspect

import pytest
from conftest import ROOT

import specnmf

#: Modules whose own functions are public.
MODULES = {specnmf.starts: "starts", specnmf.figures: "figures"}


def public():
    """Each public class and function, by the name that users know it by."""
    for name in specnmf.__all__:
        value = getattr(specnmf, name)
        if value not in MODULES:
            yield f"specnmf.{name}", value
    for module, short in MODULES.items():
        for name in public_functions(module):
            yield f"specnmf.{short}.{name}", getattr(module, name)


def public_functions(module):
    """The functions of a module: those that it lists, or else its own."""
    own = inspect.getmembers(
        module,
        lambda each: inspect.isfunction(each) and each.__module__ == module.__name__,
    )
    names = getattr(module, "__all__", [name for name, _ in own])
    return [name for name in names if not name.startswith("_")]


def examples_of(name, value):
    """The examples of a name, and of the methods of a class."""
    finder = doctest.DocTestFinder(exclude_empty=True)
    return [each for each in finder.find(value, name) if each.examples]


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with the recordings in it, that examples may write into."""
    (tmp_path / "audio_examples").symlink_to(ROOT / "audio_examples")
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("name", "value"), [pytest.param(*each, id=each[0]) for each in public()]
)
def test_a_public_name_has_examples_that_are_true(name, value, place):
    found = examples_of(name, value)
    assert any(each.name == name for each in found), f"{name} has no example"
    runner = doctest.DocTestRunner(
        optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    )
    said = []
    for each in found:
        runner.run(each, out=said.append)
    assert runner.failures == 0, "".join(said)
