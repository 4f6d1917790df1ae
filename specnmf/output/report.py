"""run.json and factors.npz: the record of a run, and its factors."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import platform
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import specnmf
from specnmf.audio.recording import Sound
from specnmf.factor.factorization import Factorization
from specnmf.notation import note_name, percent
from specnmf.options import Options, added_options
from specnmf.output.products import as_json, sha256

#: Packages whose versions affect the result of a run.
PACKAGES = ("numpy", "scipy", "numba", "soundfile", "matplotlib")

#: The versions of the formats of a run's files: docs/formats.md describes them. The
#: first number counts changes that break readers, the second additions.
SCHEMAS = {
    "run.json": "1.1",
    "tree.json": "1.1",
    "factors.npz": "1.0",
    "layers.npz": "1.0",
    "model.npz": "1.0",
    "notes.npz": "1.0",
    "aligned.csv": "1.0",
    "pianoroll.csv": "1.0",
    "score.csv": "1.0",
    "onsets.csv": "1.0",
    "labels.txt": "1.0",
    "selections.txt": "1.0",
}

#: Settings that do not affect the result of a run. Batches have another default of the
#: second, and runs from before there were pages count as done.
UNHASHED = ("threads", "report_audio")

#: Hexadecimal digits of a hash of settings: 64 bits, as it only distinguishes the few
#: settings of one folder.
HASH_DIGITS = 16


def versions() -> dict[str, str]:
    """The versions of specnmf, Python and the packages that compute."""
    found = {"specnmf": specnmf.__version__, "python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:  # imported from a path, not installed
            found[package] = "unknown"
    return found


def settings_hash(kind: str, settings: Options, inputs: Mapping[str, str]) -> str:
    """A hash of everything that determines the result of a recording's run.

    It covers the name of the task, the given settings, and the SHA-256 of each further
    input by its name in the task. It leaves out ``threads``, ``report_audio``, and
    newer options that leave everything as in older runs. Returns the first 16
    hexadecimal digits of the SHA-256 of all that in JSON.
    """
    values = dataclasses.asdict(settings)
    for name in UNHASHED:
        values.pop(name, None)
    for name, older in added_options(type(settings)).items():
        if name in values and (values[name] == older or not (values[name] or older)):
            del values[name]
    content = {
        "kind": kind,
        "settings": {name: _canonical(value) for name, value in values.items()},
        "inputs": dict(inputs),
    }
    text = json.dumps(content, sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:HASH_DIGITS]


def _canonical(value: Any) -> Any:
    """The same value for 1 and 1.0, which are the same setting."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def settings_entries(asked: Options, used: Options) -> dict[str, Any]:
    """The settings of a run, and the given values where the recording decided."""
    before, after = map(_listed, (asked, used))
    differing = {name: before[name] for name in before if before[name] != after[name]}
    return {"settings": after, "asked": differing}


def _listed(settings: Options) -> dict[str, Any]:
    """Settings as JSON: without tuples."""
    values = dataclasses.asdict(settings)
    return {n: list(v) if isinstance(v, tuple) else v for n, v in values.items()}


def inputs_entry(
    recording: Path, inputs: Mapping[str, Path], called: Mapping[Path, str]
) -> list[dict[str, str]]:
    """Each input with its SHA-256, the song first; ``called`` has original names."""
    return [
        {"path": called.get(path, str(path)), "sha256": sha256(path)}
        for path in (recording, *inputs.values())
    ]


def audio_entry(sound: Sound) -> dict[str, Any]:
    """The rate and size of a recording."""
    names = ("sr", "n_channels", "n_samples", "duration")
    return {name: getattr(sound, name) for name in names}


def components(
    factorization: Factorization, pitches: NDArray[np.float64]
) -> list[dict[str, Any]]:
    """One entry per component: its label, pitch, note and share of the energy."""
    return [
        {
            "label": label,
            "pitch": None if np.isnan(pitch) else round(float(pitch), 2),
            "note": None if np.isnan(pitch) else note_name(pitch),
            "energy_share": float(share),
        }
        for label, pitch, share in zip(
            factorization.labels, pitches, factorization.energy_shares(), strict=True
        )
    ]


def write_document(path: Path, content: dict[str, Any]) -> None:
    """Write a JSON file."""
    path.write_bytes(as_json(content))


def write_factors(
    path: Path,
    factorization: Factorization,
    *,
    frequencies: NDArray[np.float64],
    times: NDArray[np.float64],
) -> None:
    """Write factors.npz; the same factors give the same bytes.

    W and H are float32, labels unicode, losses, frequencies (Hz) and times (s) float64.
    """
    np.savez(
        path,
        W=factorization.W.astype(np.float32, copy=False),
        H=factorization.H.astype(np.float32, copy=False),
        frequencies=frequencies,
        times=times,
        labels=np.array(factorization.labels, dtype=np.str_),
        losses=factorization.losses,
    )


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write an archive of arrays; the same arrays give the same bytes."""
    with path.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]  # numpy's stub lacks **


def describe(entries: Iterable[dict[str, Any]]) -> list[str]:
    """Lines for people: ``component_03  A4        12%``."""
    listed = list(entries)
    width = max((len(entry["label"]) for entry in listed), default=0)
    return [
        f"{entry['label']:{width}}  {entry['note'] or 'unpitched':<9} "
        f"{percent(entry['energy_share']):>4}"
        for entry in listed
    ]
