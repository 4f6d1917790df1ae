"""Runs of tasks, as the tests make them."""

from specnmf.output import report
from specnmf.tasks.registry import TASKS
from specnmf.tasks.run import run


def separate(song, score, settings=None, **options):
    """Separate a song by its score."""
    inputs = {"score": score}
    return run(TASKS["separate"], song, settings, inputs=inputs, **options)


def label(song, labels, settings=None, **options):
    """Separate a song by its labels."""
    inputs = {"labels": labels}
    return run(TASKS["label"], song, settings, inputs=inputs, **options)


def layers(song, settings=None, *, labels=None, **options):
    """Factorise a song in layers."""
    inputs = {"labels": labels}
    return run(TASKS["layers"], song, settings, inputs=inputs, **options)


def settings_hash(settings, **inputs):
    """The hash of a task's settings, and of the SHA-256 of files beside the song."""
    task = next(t for t in TASKS.values() if t.settings is type(settings))
    return report.settings_hash(task.name, settings, inputs)
