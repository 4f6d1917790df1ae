"""The errors that specnmf raises on purpose.

SpecnmfError
├── ParameterError (also a ValueError)   an option or argument out of its range
├── AudioError                           a recording that cannot be read or written
├── ScoreError                           a score that cannot be read or does not fit
├── TemplateError                        templates that do not fit the recording
├── OutputError                          a run folder that cannot be written
├── BatchError                           a batch that cannot begin
└── WorkerError                          a worker that died or took too long

A message is one line: what was expected, what was given, and what to do.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class SpecnmfError(Exception):
    """The base class of all errors that the input or the caller causes.

    A bug in specnmf raises another class.

    Examples
    --------
    >>> import specnmf
    >>> try:
    ...     specnmf.read("nothing.wav")
    ... except specnmf.SpecnmfError as error:
    ...     print(error)
    nothing.wav: no such file
    """


class ParameterError(SpecnmfError, ValueError):
    """An option or argument out of its range; also a ValueError.

    Examples
    --------
    >>> import specnmf
    >>> try:
    ...     specnmf.nmf([[1.0, 2.0]], 0)
    ... except specnmf.ParameterError as error:
    ...     print(error)
    n_components must be at least 1, got 0
    """


class AudioError(SpecnmfError):
    """A recording that cannot be read or written.

    Examples
    --------
    >>> import specnmf
    >>> try:
    ...     specnmf.read("audio_examples/chorale/chorale.mid")
    ... except specnmf.AudioError as error:
    ...     print(str(error).partition("(")[0])
    audio_examples/chorale/chorale.mid: not an audio file that libsndfile reads
    """


class ScoreError(SpecnmfError):
    """A score that cannot be read, or does not fit its recording.

    Examples
    --------
    >>> import specnmf
    >>> try:
    ...     specnmf.Score([specnmf.Note(start=0.0, duration=1.0, pitch=128)])
    ... except specnmf.ScoreError as error:
    ...     print("not a note:", type(error).__name__)
    not a note: ScoreError
    """


class TemplateError(SpecnmfError):
    """Templates that cannot be read, or do not fit the recording.

    Examples
    --------
    >>> import specnmf
    >>> issubclass(specnmf.TemplateError, specnmf.SpecnmfError)
    True
    """


class OutputError(SpecnmfError):
    """A run folder that cannot be written.

    Examples
    --------
    >>> import specnmf
    >>> issubclass(specnmf.OutputError, specnmf.SpecnmfError)
    True
    """


class BatchError(SpecnmfError):
    """A batch that cannot begin: another one is running, or two songs share a folder.

    Examples
    --------
    >>> import specnmf
    >>> issubclass(specnmf.BatchError, specnmf.SpecnmfError)
    True
    """


class WorkerError(SpecnmfError):
    """A worker process that died or took too long.

    Examples
    --------
    >>> import specnmf
    >>> issubclass(specnmf.WorkerError, specnmf.SpecnmfError)
    True
    """


@contextmanager
def writing(path: str | os.PathLike[str]) -> Iterator[None]:
    """Raise OutputError of one line where a file cannot be written."""
    try:
        yield
    except ValueError as error:
        if "\0" not in str(path):
            raise
        raise OutputError(f"{str(path)!r}: no name of a file") from error
    except OSError as error:
        folder, reason = Path(path).parent, error.strerror or error
        if isinstance(error, FileNotFoundError) and not folder.is_dir():
            reason = f"there is no folder {folder}, make it first"
        raise OutputError(f"{path}: cannot be written ({reason})") from error
