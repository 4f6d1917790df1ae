"""The memory of label, layers and drums: forecast, refused, and what to change then."""

import dataclasses
import re

import numpy as np
import pytest

from specnmf import DrumSettings, LabelSettings, LayerSettings, ParameterError
from specnmf.methods.drums.budget import limit as drum_limit
from specnmf.methods.labels.budget import limit as label_limit
from specnmf.methods.labels.budget import most_learned
from specnmf.methods.layers.budget import limit as layer_limit
from specnmf.sizes import parse_size

SR, HOUR = 44_100, 3600 * 44_100

LIMITS = {
    "label": (label_limit, LabelSettings),
    "layers": (layer_limit, LayerSettings),
    "drums": (drum_limit, DrumSettings),
}

#: The hours that fit by default, at least.
HOURS = {"label": 0.5, "layers": 0.5, "drums": 0.1}


def limit_of(task, memory="2G", n_channels=1, options=None, **known):
    limit, settings = LIMITS[task]
    asked = settings(memory=parse_size(memory), **(options or {}))
    return limit(asked, SR, n_channels, **known)


@pytest.mark.parametrize("task", LIMITS)
def test_by_default_songs_fit_and_ten_hours_do_not(task):
    assert HOURS[task] * HOUR < limit_of(task).most_samples() < 10 * HOUR


@pytest.mark.parametrize("n_channels", [1, 2, 8])
@pytest.mark.parametrize("memory", ["600M", "2G", "16G"])
@pytest.mark.parametrize("task", LIMITS)
def test_the_longest_recording_that_fits_is_not_refused(task, memory, n_channels):
    limit = limit_of(task, memory, n_channels)
    most = limit.most_samples()
    limit.check(most)
    with pytest.raises(ParameterError, match="need"):
        limit.check(most + most // 50 + SR)


@pytest.mark.parametrize("task", LIMITS)
def test_what_a_refusal_suggests_is_enough(task):
    limit = limit_of(task, "1G", options={"hop_length": 256})
    length = round(0.7 * HOURS[task] * HOUR)
    with pytest.raises(ParameterError) as error:
        limit.check(length)
    message = str(error.value)
    assert re.match(
        rf"{length // SR} s with \d+ components need \d+M of memory, got 1024M", message
    )
    names = {"--memory": "memory", "--hop-length": "hop_length", "-k": "n_components"}
    tried = set()
    for flag, value in re.findall(r"(--?[a-z-]+) (\d+M?)", message):
        tried.add(flag)
        if flag == "--duration":
            limit.check(int(value) * SR)
            continue
        changed = {names[flag]: parse_size(value)}
        options = dataclasses.replace(limit.options, **changed)
        dataclasses.replace(limit, options=options).check(length)
    assert {"--memory", "--duration", "--hop-length"} <= tried


def test_fewer_components_are_suggested_where_they_help():
    limit = limit_of("label", "1G", options={"n_components": 64}, n_labels=8)
    with pytest.raises(ParameterError, match=r"or -k \d+$"):
        limit.check(HOUR // 4)


@pytest.mark.parametrize(
    ("task", "more", "less"),
    [
        ("label", {"n_labels": 1}, {"n_labels": 8}),
        ("label", {"n_learned": 0}, {"n_learned": 100_000}),
        ("label", {"options": {"n_components": 4}}, {"options": {"n_components": 64}}),
        ("drums", {"n_channels": 1}, {"n_channels": 2}),
        ("drums", {}, {"options": {"n_rest": 500}}),
        ("layers", {}, {"options": {"fmin": 100.0}}),
        ("layers", {"n_channels": 1}, {"n_channels": 8}),
        ("layers", {}, {"options": {"ranks": (512, 8)}}),
        ("layers", {}, {"options": {"method": "neural", "ranks": (256, 64)}}),
        ("layers", {}, {"labelled": True, "options": {"ranks": (32,)}}),
    ],
)
def test_less_fits_of_what_takes_more(task, more, less):
    assert limit_of(task, **more).most_samples() > limit_of(task, **less).most_samples()


def test_a_budget_below_the_program_fits_nothing():
    limit = limit_of("label", "100M")
    assert limit.most_samples() == 0
    with pytest.raises(ParameterError, match=r"got 100M; use --memory \d+M$"):
        limit.check(SR)


def test_the_frames_to_learn_from_are_counted():
    heard = np.zeros((2, 100), bool)
    heard[0, :30] = heard[1, 20:25] = True
    annotated = np.zeros(100, bool)
    annotated[:70] = True
    assert most_learned(heard, annotated) == 40  # those of the rest
    annotated[30:] = False
    assert most_learned(heard, annotated) == 25  # the first label alone
    heard[1, :30] = True
    assert most_learned(heard, annotated) == 30  # both, as neither is alone
