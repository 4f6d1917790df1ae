"""Write docs/formats/*.schema.json: what run.json, tree.json and batch.jsonl hold."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from specnmf.options import Options, declaration, hints_of
from specnmf.output.report import SCHEMAS
from specnmf.record.edits import LEAST_GAIN, MOST_GAIN, Edits
from specnmf.tasks.registry import TASKS

FORMATS = Path(__file__).with_name("formats")
SITE = "https://specnmf.github.io/specnmf"
DIALECT = "https://json-schema.org/draft/2020-12/schema"

Schema = dict[str, Any]


def ref(name: str) -> Schema:
    """A definition of this file."""
    return {"$ref": f"#/$defs/{name}"}


def text(description: str = "", **more: Any) -> Schema:
    """Text."""
    return _described({"type": "string", **more}, description)


def number(description: str = "", **more: Any) -> Schema:
    """A number."""
    return _described({"type": "number", **more}, description)


def count(description: str = "", least: int = 0) -> Schema:
    """A whole number."""
    return _described({"type": "integer", "minimum": least}, description)


def array(items: Schema, description: str = "", **more: Any) -> Schema:
    """A list."""
    return _described({"type": "array", "items": items, **more}, description)


def mapping(values: Schema, description: str = "", **more: Any) -> Schema:
    """An object with any keys."""
    return _described(
        {"type": "object", "additionalProperties": values, **more}, description
    )


def record(
    properties: Mapping[str, Schema], description: str = "", *, optional: str = ""
) -> Schema:
    """An object with these keys and no others; those in ``optional`` may be missing."""
    schema = {
        "type": "object",
        "properties": {**properties},
        "required": [name for name in properties if name not in optional.split()],
        "additionalProperties": False,
    }
    return _described(schema, description)


def nullable(schema: Schema) -> Schema:
    """The same, or null."""
    if "type" in schema:
        return {**schema, "type": [schema["type"], "null"]}
    return {"anyOf": [schema, {"type": "null"}]}


def _described(schema: Schema, description: str) -> Schema:
    return {"description": description, **schema} if description else schema


SHA256 = text(pattern="^[0-9a-f]{64}$")
SHARE = number("Share of the energy, 0 to 1.", minimum=0)
PATH = text("In the run folder, with slashes.")
SHARES = {"share": number(minimum=0)}

#: What a stem's file adds to its entry.
SOURCE = {
    "source": text("Its file. Missing where it is not written."),
    "rms": number("Its root mean square; 1 is full scale.", minimum=0),
    "members": array(text(), "In an edited run: the stems that it is the sum of."),
}
OPTIONAL = "source rms members"

COMPONENT = {
    "label": text(
        "Of the component; of the stem that it belongs to, if there are such."
    ),
    "pitch": nullable(number("MIDI number with cents; null: unpitched.")),
    "note": nullable(text("Nearest note, such as F#3.")),
    "energy_share": SHARE,
    "template": text("The name of the learned template that it is."),
}

DEFS: Schema = {
    "sha256": SHA256,
    "component": record(COMPONENT | SOURCE, optional=f"template {OPTIONAL}"),
    "stem": record(
        {
            "label": text(),
            "notes": count("How many notes."),
            "components": count("How many components it is the sum of."),
            "templates": count("How many templates it is the sum of."),
            "period": nullable(number("At which it repeats, in seconds.", minimum=0)),
            "energy_share": SHARE,
        }
        | SOURCE,
        optional=f"notes components templates period energy_share {OPTIONAL}",
    ),
    "sound": record(
        {
            "label": text(),
            "seconds_marked": number("Time in which it is marked.", minimum=0),
            "seconds_alone": number("Time in which only it is marked.", minimum=0),
            "seconds_predicted": number("Time in which it is found.", minimum=0),
            "bounds": array(number("Lowest and highest frequency, in Hz.", minimum=0)),
        }
        | SOURCE,
        "A marked sound. The rest has no times.",
        optional=f"seconds_marked seconds_alone seconds_predicted bounds {OPTIONAL}",
    ),
    "layer": record(
        {
            "layer": count("Number of the layer; 1 is the lowest.", 1),
            "n_components": count("Its rank; outside does not count.", 1),
            "error": number("Relative error of V by this layer.", minimum=0),
            "components": array(ref("node")),
            "residual_db": nullable(number("Null test of its sources, in dB.")),
        },
        optional="residual_db",
    ),
    "node": record(
        {
            "name": text("layer_L/component_NN, or layer_L/outside."),
            "energy_share": SHARE,
            "parents": array(
                record({"name": text()} | SHARES), "Components of the next layer."
            ),
            "parts": array(
                record({"name": text()} | SHARES), "Components of the layer below."
            ),
            "notes": array(record({"note": text()} | SHARES), "Its notes, by share."),
            "label": nullable(text("In the last layer: the label it belongs to most.")),
            "labels": mapping(
                number(minimum=0), "In the last layer: shares of labels."
            ),
        }
        | SOURCE,
        "A component of a layer.",
        optional=f"label labels {OPTIONAL}",
    ),
    "transcription": record(
        {
            "transcriber": {"enum": ["both", "basic-pitch", "builtin"]},
            "notes": count("How many notes."),
            "doubtful": count("How many notes have a confidence below 0.5."),
            "confidence": number(
                "Mean of the notes' confidences.", minimum=0, maximum=1
            ),
            "tuning_cents": number("Tuning against A4 = 440 Hz."),
            "parts": mapping(count(), "Number of notes by voice or hand."),
        },
        "How the notes were heard.",
    ),
    "alignment": record(
        {
            "confidence": number(minimum=0, maximum=1),
            "warped": {"type": "boolean", "description": "Whether times were changed."},
            "transposition": {"type": "integer", "description": "In semitones."},
            "tuning_cents": number("Tuning against A4 = 440 Hz."),
            "remarks": array(text(), "Differences between score and recording."),
        },
        "How the score was aligned.",
    ),
    "rank_choice": record(
        {
            "chosen": count("Number of components.", 1),
            "ranks": array(count(least=1), "Numbers that were tried."),
            "held_out_db": array(number(), "Error on held-out points, in dB."),
            "standard_errors_db": array(number(), "Its standard errors, in dB."),
        },
        "How n_components=auto was decided.",
    ),
    "edit": record(
        {
            "merge": mapping(array(text())),
            "rename": mapping(text()),
            "drop": array(text()),
            "gain": mapping(number("In dB.", minimum=LEAST_GAIN, maximum=MOST_GAIN)),
            "pan": mapping(number(minimum=-1, maximum=1)),
            "order": array(text()),
            "only": array(text()),
            "without": array(text()),
        },
        "One edit: only what it changes.",
        optional=" ".join(each.name for each in fields(Edits)),
    ),
}

#: Of runs that make stems.
FIT = {
    "iterations": count(),
    "final_loss": number("The cost at the end."),
    "residual_db": nullable(number("Null test, in dB; null: no sources were written.")),
    "components": array(ref("component")),
}

#: Of each task.
OWN: Mapping[str, Schema] = {
    "decompose": FIT
    | {
        "streamed": {"type": "boolean", "description": "Whether V was left on disk."},
        "rank_choice": nullable(ref("rank_choice")),
        "stems": array(ref("stem"), "Where stems are sums of components."),
    },
    "separate": FIT
    | {
        "alignment": nullable(ref("alignment")),
        "transcription": nullable(ref("transcription")),
        "explained": nullable(number("Share of the energy that the notes explain.")),
        "stems": array(ref("stem")),
    },
    "layers": FIT
    | {
        "labels": nullable(array(text(), "The labels that were given.")),
        "layers": array(ref("layer")),
    },
    "drums": FIT
    | {"alignment": nullable(ref("alignment")), "stems": array(ref("stem"))},
    "label": FIT
    | {
        "annotated_seconds": number("Time in which anything is marked.", minimum=0),
        "labels": array(ref("sound")),
    },
    "transcribe": {"transcription": ref("transcription")},
}

#: Keys that not every run of a task has.
SOMETIMES = {"decompose": {"stems"}}

#: Of every run.
COMMON = {
    "command": text("The command line; empty where there was none."),
    "kind": {"enum": [*OWN], "description": "The task."},
    "settings_hash": text(
        "Equal for equal settings and inputs.", pattern="^[0-9a-f]{16}$"
    ),
    "inputs": array(
        record({"path": text(), "sha256": ref("sha256")}),
        "The recording first.",
        minItems=1,
    ),
    "roles": array(text(), "What each input is; the first is song."),
    "audio": record(
        {
            "sr": count("Sample rate in Hz.", 1),
            "n_channels": count(least=1),
            "n_samples": count("Of the excerpt, each channel."),
            "duration": number("Of the excerpt, in seconds.", minimum=0),
        }
    ),
    "settings": {"type": "object", "description": "As they were used."},
    "asked": {"type": "object", "description": "As asked for, where that differs."},
    "seed": count(),
    "versions": mapping(text(), "Of specnmf, Python and the packages that compute."),
    "schemas": record(
        {name: {"const": version} for name, version in SCHEMAS.items()},
        "Versions of the formats of the run's files.",
    ),
    "tempo": nullable(number("Beats a minute; null: no beats were found.")),
    "warnings": array(text()),
    "left_out": array(text(), "Stems that were not written."),
    "seconds": mapping(number(minimum=0), "Time of each stage."),
    "files": array(
        record({"path": PATH, "size": count("In bytes."), "sha256": ref("sha256")}),
        "The files that the run wrote, without run.json.",
    ),
    "finished": {
        **SHA256,
        "description": "SHA-256 of this file without finished, command and seconds.",
    },
}

#: Of runs that were edited.
EDITED = {
    "edits": array(ref("edit"), "Since the fit, one after another."),
    "edited_from": nullable(
        record(
            {"path": text(), "seal": text("Its finished.")}, "The run that was edited."
        )
    ),
    "mixes": array(
        record(
            {
                "name": text(),
                "file": PATH,
                "stems": array(text()),
                "beyond_full_scale": count("Samples that had to be clipped."),
            }
        )
    ),
}


def settings_of(kind: type[Options]) -> Schema:
    """The settings of a task, from where they are declared."""
    hints = hints_of(kind)
    properties = {}
    for field in fields(kind):
        declared = declaration(field)
        bounds = {
            "minimum": declared.least,
            "exclusiveMinimum": declared.above,
            "maximum": declared.most,
        }
        own = {name: each for name, each in bounds.items() if each is not None}
        properties[field.name] = value_of(hints[field.name], own)
    return {"properties": properties, "additionalProperties": False}


def value_of(hint: Any, bounds: Schema) -> Schema:
    """What a type allows."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return {"anyOf": [value_of(part, bounds) for part in parts]}
    if origin is Literal:
        return {"enum": [*parts]}
    if origin is Sequence:
        return array(value_of(parts[0], {}))
    if origin is Mapping:
        return mapping(value_of(parts[1], {}))
    names = {bool: "boolean", int: "integer", float: "number", str: "string"}
    return {"type": "null"} if hint is NoneType else {"type": names[hint], **bounds}


def run_schema() -> Schema:
    """Of run.json."""
    return {
        "$schema": DIALECT,
        "$id": f"{SITE}/run.schema.json",
        "title": f"run.json {SCHEMAS['run.json']}",
        "description": "What a run of specnmf did, with what, and what came out.",
        "type": "object",
        "properties": COMMON | EDITED,
        "required": [*COMMON],
        "dependentRequired": {name: [*EDITED] for name in EDITED},
        "allOf": [
            {
                "if": {"properties": {"kind": {"const": name}}},
                "then": {
                    "properties": own
                    | {
                        "settings": {
                            **ref(f"{name}_settings"),
                            "required": [
                                each.name for each in fields(TASKS[name].settings)
                            ],
                        },
                        "asked": ref(f"{name}_settings"),
                    },
                    "required": [k for k in own if k not in SOMETIMES.get(name, ())],
                },
            }
            for name, own in OWN.items()
        ],
        "unevaluatedProperties": False,
        "$defs": DEFS
        | {f"{name}_settings": settings_of(TASKS[name].settings) for name in OWN},
    }


def tree_schema() -> Schema:
    """Of tree.json."""
    return {
        "$schema": DIALECT,
        "$id": f"{SITE}/tree.schema.json",
        "title": f"tree.json {SCHEMAS['tree.json']}",
        **record({"layers": array(ref("layer"))}, "The layers of a run of layers."),
        "$defs": {name: DEFS[name] for name in ("layer", "node")},
    }


EVENT = {"time": text("When, in ISO 8601 and UTC.", format="date-time")}
SONG = {"song": text("Its path in the folder of songs.")}
OUTCOME = SONG | {
    "settings_hash": text("As in run.json.", pattern="^[0-9a-f]{16}$"),
    "stamps": text(
        "Sizes and times, or checksums, of the song and the files beside it."
    ),
    "seconds": number("Time it took.", minimum=0),
    "duration": number("Of the recording, in seconds.", minimum=0),
}

#: What a line of batch.jsonl says, by its event.
EVENTS = {
    "batch": {"songs": count("How many there are."), "command": COMMON["command"]},
    "begin": SONG,
    "done": OUTCOME
    | {
        "kind": COMMON["kind"],
        "output": text("The run, in the folder of runs."),
        "sha256": array(ref("sha256"), "Of the song and the files beside it."),
        "iterations": nullable(count()),
        "residual_db": nullable(number()),
        "warnings": array(text()),
    },
    "failed": OUTCOME
    | {"error": text("Why."), "log": text("Its file in the folder of runs.")},
    "end": {
        **{name: count("Songs.") for name in ("done", "failed", "skipped", "left")},
        "seconds": number("Time the batch took.", minimum=0),
        "duration": number("Of the recordings that were done, in seconds.", minimum=0),
    },
}


def batch_schema() -> Schema:
    """Of a line of batch.jsonl."""
    return {
        "$schema": DIALECT,
        "$id": f"{SITE}/batch.schema.json",
        "title": "A line of batch.jsonl 1.0",
        "description": "One event of a batch.",
        "oneOf": [
            record({"event": {"const": name}, **EVENT, **own}, optional="log")
            for name, own in EVENTS.items()
        ],
        "$defs": {"sha256": SHA256},
    }


SCHEMA_FILES = {
    "run.schema.json": run_schema,
    "tree.schema.json": tree_schema,
    "batch.schema.json": batch_schema,
}


def main() -> None:
    """Write the schemas."""
    FORMATS.mkdir(exist_ok=True)
    for name, make in SCHEMA_FILES.items():
        (FORMATS / name).write_text(
            f"{json.dumps(make(), indent=2)}\n", encoding="utf-8"
        )


if __name__ == "__main__":
    main()
