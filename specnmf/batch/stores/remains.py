"""The content of a run's folder at a URL: files of a run, and other files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from specnmf.batch.stores.store import UPLOADING
from specnmf.errors import OutputError
from specnmf.output.keeping import kept_places, parents
from specnmf.output.products import (
    MOST_REPORT,
    REPORT,
    Products,
    is_foreign,
    read_products,
    seal_of,
)

if TYPE_CHECKING:
    from specnmf.batch.stores.remote import RemoteStore


@dataclass(frozen=True)
class Old:
    """The content of a run's folder.

    Attributes
    ----------
    products : dict of str to (int, str)
        Size and SHA-256 of the files of the old run, which are removed; run.json first.
    kept : tuple of str
        The names of all other files.
    """

    products: dict[str, tuple[int, str]]
    kept: tuple[str, ...]

    def entries(self) -> Iterator[dict[str, Any]]:
        """The products as run.json lists them."""
        for name, (size, checksum) in self.products.items():
            yield {"path": name, "size": size, "sha256": checksum}


def check_free(target: RemoteStore, *, overwrite: bool) -> Old:
    """The content of the folder; OutputError if the run may not take its place."""
    sizes = _below(target)
    report = _read(target, REPORT, sizes)
    if REPORT in sizes and not is_foreign(report):
        if not overwrite:
            raise OutputError(
                f"{target.root} holds a finished run; use --overwrite, or another "
                "--output"
            )
    elif sizes and UPLOADING not in sizes:
        raise OutputError(
            f"{target.root} exists and is not a run; move it, or use another --output"
        )
    tells = report if REPORT in sizes else _read(target, UPLOADING, sizes)
    return _sorted_out(target, sizes, read_products(tells), report)


def _sorted_out(
    target: RemoteStore, sizes: dict[str, int], products: Products, report: bytes
) -> Old:
    """The unchanged files of a run, and the other files."""

    @cache
    def checksum(name: str) -> str:
        if name == REPORT:
            return seal_of(report)
        return _sha256(target, name, sizes)

    found, kept = {}, []
    for name in sorted(sizes.keys() - {UPLOADING}, key=lambda n: (n != REPORT, n)):
        if products.holds(name, sizes[name], partial(checksum, name)):
            found[name] = sizes[name], checksum(name)
        else:
            kept.append(name)
    return Old(found, tuple(kept))


def keep(target: RemoteStore, kept: Sequence[str], names: Sequence[str]) -> None:
    """Move files whose names the run needs to `kept_places`."""
    files = {*names}
    folders = {parent for name in names for parent in parents(name)}
    moving = [n for n in kept if n in files | folders or files & {*parents(n)}]
    there = _below(target) if moving else {}
    for name in moving:
        _copy(target, name, there)
        if name not in files:
            remove(target, name)


def _copy(target: RemoteStore, name: str, there: dict[str, int]) -> None:
    """Copy a file to the first free one of `kept_places`, unless a copy is there."""
    checksum = _sha256(target, name, there)
    for place in kept_places(name):
        if place not in there:
            target.files.cp_file(target.key(name), target.key(place))
            there[place] = there[name]
            return
        same_size = there[place] == there[name]
        if same_size and _sha256(target, place, there) == checksum:
            return


def _below(target: RemoteStore) -> dict[str, int]:
    """The sizes of all files in a folder, recursively; "" if it is itself a file."""
    root = target.key()
    own = f"{root}/"  # the empty file that represents a folder in S3
    found = target.files.find(root, detail=True)
    return {
        key.removeprefix(root).strip("/"): int(info["size"] or 0)
        for key, info in found.items()
        if key != own
    }


def _read(target: RemoteStore, name: str, sizes: dict[str, int]) -> bytes:
    """A file's bytes; empty if it is missing, or too large to be a run.json."""
    if not 0 < sizes.get(name, 0) <= MOST_REPORT:
        return b""
    content: bytes = target.files.cat_file(target.key(name))
    return content


def _sha256(target: RemoteStore, name: str, sizes: dict[str, int]) -> str:
    """The SHA-256 of a file, which is downloaded for it."""
    if sizes[name] == 0:  # an empty file has no first byte to ask for
        return hashlib.sha256().hexdigest()
    with target.files.open(target.key(name), "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def remove(target: RemoteStore, name: str) -> None:
    """Remove a file, if it is there."""
    with suppress(FileNotFoundError):
        target.files.rm_file(target.key(name))
