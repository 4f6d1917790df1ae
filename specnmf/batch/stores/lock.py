"""A lock that admits one batch at a time to a folder of runs.

filelock (4.3) locks files too, and passes the tests of this module. It would save
15 lines, but its import takes .2 s of each batch.
"""

from __future__ import annotations

import json
import math
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from specnmf.batch.stores.store import Store, told
from specnmf.errors import BatchError, SpecnmfError

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None  # type: ignore[assignment]

#: Its name, in the folder of runs.
LOCK = "batch.lock"

#: Without locks of the system, the holder signs again this often, and counts as dead
#: when it has not signed for so long; in seconds.
SIGNED, DEAD = 30.0, 120.0

#: The largest lock file, in bytes.
MOST_BYTES = 4096


@contextmanager
def locked_file(store: Store, path: Path) -> Iterator[None]:
    """Lock a folder by a file in it, with a lock of the operating system.

    That lock ends with the process, however it ends. Windows has no such lock; there,
    the file is signed.
    """
    if fcntl is None:
        with signed_file(store):
            yield
        return
    with ExitStack() as stack:
        with told(BatchError, str(path)):
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                file = _lock(path)
            except BlockingIOError:
                raise _refusal(store, _holder(store)) from None
            stack.callback(os.close, file)
            stack.callback(path.unlink, missing_ok=True)
            os.ftruncate(file, 0)
            os.write(file, _signature())
        yield


def _lock(path: Path) -> int:
    """The file, open and locked, and still the file of that name."""
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with suppress(FileNotFoundError):
                if os.path.samestat(path.stat(), os.fstat(file)):
                    return file
        except BaseException:
            os.close(file)
            raise
        os.close(file)  # its holder has just removed it


@contextmanager
def signed_file(store: Store) -> Iterator[None]:
    """Lock a folder by a file in it that its holder signs repeatedly."""
    if not store.create(LOCK, _signature()):
        holder = _holder(store)
        if _age(holder) < DEAD:
            raise _refusal(store, holder)
        store.write(LOCK, _signature())
    ended = threading.Event()
    signer = threading.Thread(target=_sign, args=(store, ended), daemon=True)
    signer.start()
    try:
        yield
    finally:
        ended.set()
        signer.join()
        store.remove(LOCK)


def _sign(store: Store, ended: threading.Event) -> None:
    while not ended.wait(SIGNED):
        with suppress(SpecnmfError):  # the next attempt may succeed
            store.write(LOCK, _signature())


def _signature() -> bytes:
    content = {"pid": os.getpid(), "host": socket.gethostname(), "time": time.time()}
    return json.dumps(content).encode()


def _holder(store: Store) -> dict[str, Any]:
    """The content of the lock; its holder may have ended since."""
    try:
        holder = json.loads(store.read(LOCK, MOST_BYTES) or b"")
    except (ValueError, RecursionError):
        return {}
    valid = isinstance(holder, dict) and isinstance(holder.get("time"), int | float)
    return holder if valid else {}


def _age(holder: dict[str, Any]) -> float:
    """The seconds since a holder signed."""
    signed = holder.get("time", 0)
    try:
        return time.time() - float(signed)
    except OverflowError:  # a whole number beyond all floats
        return -math.inf if signed > 0 else math.inf


def _refusal(store: Store, holder: dict[str, Any]) -> BatchError:
    return BatchError(
        f"{store.root}: another batch uses this folder, process "
        f"{holder.get('pid', 'unknown')} on {holder.get('host', 'unknown')}; "
        "wait for it, or use another --output"
    )
