"""The tasks that there are: the one list that commands, batch and rerun go by."""

from __future__ import annotations

from typing import Any

from specnmf.tasks.decompose import Decompose
from specnmf.tasks.label import Label
from specnmf.tasks.layers import Layers
from specnmf.tasks.separate import Separate
from specnmf.tasks.task import Task

#: The tasks by name, in the order of ``specnmf --help``.
TASKS: dict[str, Task[Any]] = {}


def register(task: Task[Any]) -> None:
    """Add a task: it becomes a command, and can be run in a batch and again."""
    TASKS[task.name] = task


for _task in (Decompose(), Separate(), Layers(), Label()):
    register(_task)
