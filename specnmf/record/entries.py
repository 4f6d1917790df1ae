"""The entries of stems in run.json after an edit."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from specnmf.output.mixes import Outcome
from specnmf.output.sources import Written
from specnmf.record.plan import Plan, renamed
from specnmf.record.relabelling import new_labels
from specnmf.score.grouping import safe_names

#: The keys of run.json under which stems have entries; the first present one counts.
PER_STEM = ("stems", "labels", "components")

#: The values that are added up for merged stems.
SUMMED = ("energy_share", "notes", "templates")

#: The keys that describe a file.
OF_FILES = ("source", "rms")

#: Larger numbers cannot be shares or numbers of notes.
LARGEST = 1e12

Entry = dict[str, Any]


def edited_entries(content: Mapping[str, Any], before: Plan, after: Plan) -> Entry:
    """The entries of stems, components and layers after an edit, by their keys.

    A merged stem has the energy and the notes of its members, their names in
    ``members``, and a pitch if all members have the same.
    """
    if _is_list(content.get("layers")):
        names = renamed([before, after])
        layers = [_layer(layer, before, after, names) for layer in content["layers"]]
        first = [each.within for each in before.groups]
        columns = _relabelled(content, "layer_1" in first, names, "layer_1/")
        return {"layers": layers, **columns}
    key = next((key for key in PER_STEM if _is_list(content.get(key))), None)
    if key is None:
        return {}
    names = renamed([before, after])
    entries = _by_name(content[key], "label")
    if entries.keys().isdisjoint(before.groups[0].names):
        return {}
    made = {key: _merged(entries, "label", before, after, 0)}
    return (
        made if key == "components" else {**made, **_relabelled(content, True, names)}
    )


def with_files(content: Mapping[str, Any], outcomes: Sequence[Outcome]) -> Entry:
    """The entries of stems with the present file and loudness of each."""
    written = {each.written.within: each.written for each in outcomes}
    if _is_list(content.get("layers")):
        layers = [_filed_layer(layer, written) for layer in content["layers"]]
        return {"layers": layers}
    key = next((key for key in PER_STEM if _is_list(content.get(key))), None)
    if key is None:
        return {}
    own = written.get("")
    entries = _by_name(content[key], "label")
    return {key: [_filed(entry, name, own) for name, entry in entries.items()]}


def _filed_layer(layer: Entry, written: Mapping[str, Written]) -> Entry:
    """A layer with the files of its components, and its null test."""
    own = written.get(f"layer_{layer.get('layer')}")
    told = {key: value for key, value in layer.items() if key != "residual_db"}
    if _is_list(layer.get("components")):
        told["components"] = [
            _filed(node, str(node.get("name")).rpartition("/")[2], own)
            for node in layer["components"]
        ]
    return told if own is None else told | {"residual_db": own.residual_db}


def _filed(entry: Entry, name: str, own: Written | None) -> Entry:
    kept = {key: value for key, value in entry.items() if key not in OF_FILES}
    return kept if own is None else kept | own.entry(name)


def _is_list(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, dict) for each in value)


def _by_name(entries: Iterable[Entry], key: str) -> dict[str, Entry]:
    """Entries by the names of their files."""
    known = {each[key]: each for each in entries if isinstance(each.get(key), str)}
    safe = safe_names(known) if key == "label" else {name: name for name in known}
    return {safe[name]: entry for name, entry in known.items()}


def _merged(
    entries: Mapping[str, Entry], key: str, before: Plan, after: Plan, place: int
) -> list[Entry]:
    """An entry for each new stem of a group."""
    old, new = before.groups[place], after.groups[place]
    is_path = key == "name"
    made = []
    for number, stem in enumerate(new.stems):
        names = [old.path(m) if is_path else old.names[m] for m in stem.members]
        own = [entries.get(name, {key: name}) for name in names]
        name = new.path(number) if is_path else stem.name
        same = len(names) == 1 and names[0] == name
        made.append(own[0] if same else _together(own, key, name))
    return made


def _together(own: Sequence[Entry], key: str, name: str) -> Entry:
    """One entry for several stems, with the values that hold for their sum."""
    if len(own) == 1:
        return {**own[0], key: name}
    entry: Entry = {key: name}
    for each in dict.fromkeys(key for entry in own for key in entry):
        values = [entry.get(each) for entry in own]
        if each in SUMMED and all(map(_is_number, values)):
            entry[each] = sum(map(_number, values))
        elif each in ("pitch", "note"):
            alike = all(e.get("note") == own[0].get("note") for e in own)
            entry[each] = values[0] if alike else None
        elif each in ("notes", "parents", "parts") and key == "name":
            entry[each] = _weighted(own, each)
    entry["members"] = [name for each in own for name in _members(each, key)]
    return entry


def _members(entry: Entry, key: str) -> list[str]:
    """The stems whose sum an entry is; the stem itself, if it is not a sum."""
    members = entry.get("members")
    names = members if isinstance(members, list) and members else [entry[key]]
    return [str(name) for name in names]


def _weighted(own: Sequence[Entry], each: str) -> list[Entry]:
    """The joint shares of several components in notes or other components."""
    weights = [_number(e.get("energy_share")) for e in own]
    total = sum(weights) or 1.0
    found: dict[tuple[str, str], float] = {}
    for entry, weight in zip(own, weights, strict=True):
        for item in entry[each] if _is_list(entry.get(each)) else ():
            what = "note" if "note" in item else "name"
            place = what, str(item.get(what))
            share = _number(item.get("share")) * weight / total
            found[place] = found.get(place, 0.0) + share
    ordered = sorted(found, key=lambda place: -found[place])
    return [{what: name, "share": found[what, name]} for what, name in ordered]


def _layer(layer: Entry, before: Plan, after: Plan, names: Mapping[str, str]) -> Entry:
    """A layer with its present components and their parents."""
    within = f"layer_{layer.get('layer')}"
    place = next((n for n, g in enumerate(before.groups) if g.within == within), None)
    nodes: Any = layer.get("components")
    if place is None or not _is_list(nodes):
        return layer
    made = _merged(_by_name(nodes, "name"), "name", before, after, place)
    made = [_pointing(node, names) for node in made]
    count = int(_number(layer.get("n_components"))) + len(made) - len(nodes)
    return {**layer, "n_components": count, "components": made}


def _pointing(node: Entry, names: Mapping[str, str]) -> Entry:
    """A component with the new names of its parents and parts."""
    told = dict(node)
    for each in ("parents", "parts"):
        if _is_list(node.get(each)):
            found: dict[str, float] = {}
            for item in node[each]:
                name = names.get(str(item.get("name")), str(item.get("name")))
                found[name] = found.get(name, 0) + _number(item.get("share"))
            told[each] = [{"name": n, "share": share} for n, share in found.items()]
    return told


def _relabelled(
    content: Mapping[str, Any], known: bool, names: Mapping[str, str], within: str = ""
) -> Entry:
    """The entries of the factors' components, each with its stem."""
    entries: Any = content.get("components")
    if not known or not _is_list(entries):
        return {}
    labels = [str(entry.get("label")) for entry in entries]
    new = new_labels(labels, names, within)
    made = [{**e, "label": n} for e, n in zip(entries, new, strict=True)]
    return {"components": made}


def _is_number(value: object) -> bool:
    """Whether it is a number that a sum of shares may be."""
    known = isinstance(value, int | float) and not isinstance(value, bool)
    return known and abs(_as_float(value)) <= LARGEST


def _number(value: object) -> float:
    """The number; 0 for other values."""
    return value if _is_number(value) else 0  # type: ignore[return-value]  # is one


def _as_float(value: Any) -> float:
    return math.inf if isinstance(value, int) and value.bit_length() > 64 else value
