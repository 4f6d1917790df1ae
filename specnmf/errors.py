"""Everything that specnmf raises on purpose.

SpecnmfError
├── ParameterError (also a ValueError)   an option or argument out of its range
├── AudioError                           a recording that cannot be read or written
├── ScoreError                           a score that cannot be read or does not fit
├── TemplateError                        templates that do not fit the recording
├── OutputError                          a run folder that cannot be written
├── BatchError                           a batch that cannot begin
└── WorkerError                          a worker that died or took too long

A message is one line: what was expected, what came, what to do.
"""


class SpecnmfError(Exception):
    """Any error that is the input's or the caller's, not a bug."""


class ParameterError(SpecnmfError, ValueError):
    """An option or argument out of its range."""


class AudioError(SpecnmfError):
    """A recording that cannot be read or written."""


class ScoreError(SpecnmfError):
    """A score that cannot be read or does not fit its recording."""


class TemplateError(SpecnmfError):
    """Templates that cannot be read or do not fit the recording."""


class OutputError(SpecnmfError):
    """A run folder that cannot be written."""


class BatchError(SpecnmfError):
    """A batch that cannot begin: another is at work, or two songs want one folder."""


class WorkerError(SpecnmfError):
    """A worker process that died or took too long."""
