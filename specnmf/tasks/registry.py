"""The tasks that there are: the one list that commands, batch and rerun go by."""

from __future__ import annotations

import pkgutil
from collections import UserDict
from typing import Any

from specnmf.tasks.task import Task


class Registry(UserDict[str, Task[Any]]):
    """Tasks by name; those known by their places are imported when they are used."""

    data: dict[str, Any]  # a task, or the place of its class

    def __getitem__(self, name: str) -> Task[Any]:
        """The task of a name."""
        if isinstance(self.data[name], str):
            self.data[name] = pkgutil.resolve_name(self.data[name])()
        task: Task[Any] = self.data[name]
        return task


#: The tasks, in the order of ``specnmf --help``.
TASKS = Registry()
TASKS.data = {
    "decompose": "specnmf.tasks.decompose:Decompose",
    "separate": "specnmf.tasks.separate:Separate",
    "transcribe": "specnmf.tasks.transcribe:Transcribe",
    "layers": "specnmf.tasks.layers:Layers",
    "drums": "specnmf.tasks.drums:Drums",
    "label": "specnmf.tasks.label:Label",
}


def register(task: Task[Any]) -> None:
    """Add a task: it becomes a command, and can be run in a batch and again."""
    TASKS[task.name] = task
