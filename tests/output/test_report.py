"""What run.json says of every run: its kind, and a hash of its settings."""

import dataclasses
import hashlib
import json

import pytest
from runs import settings_hash

from specnmf import LabelSettings, LayerSettings, ScoreSettings, Settings
from specnmf.output.report import UNHASHED, describe, settings_entries

#: Of each setting another value than the default.
OTHERS = {
    "max_iter": 3, "seed": 1, "n_fft": 512, "hop_length": 100, "start": 0.5,
    "duration": 2.0, "mask": "binary", "format": "flac", "subtype": "PCM_16",
    "sources": False, "figures": False, "figure_format": "svg", "n_components": "auto",
    "beta": 0.0, "solver": "mu", "init": "nndsvd", "stop": "factors", "tol": 0.5,
    "memory": 1 << 30, "mask_power": 1.5, "by": "hand", "groups": {"a": ["b"]},
    "split": 50, "residual": True, "model": "fmp", "align": "never",
    "transpose": "auto", "ranks": (4, 2), "method": "neural", "label_weight": 2.0,
    "stems": (1, 3), "n_rest": 2, "only": ("a",), "grid": False, "no_score": True,
    "voices": 2, "transcriber": "builtin", "bends": True, "report": False,
    "wiener": "always", "hpss": True, "fmin": 100.0, "fmax": 3000.0, "whiten": 50.0,
    "group": "periodicity:2", "adapt": 0.5, "n_free": 2, "selections": True,
    "split_margin": 2.0, "percussive_components": 3, "name": "{song}_{stem}",
    "tier": "drums", "bounds": False,
}  # fmt: skip

#: The same where that value is none of the kind's.
OWN = {
    LabelSettings: {"n_components": 5, "transpose": 2},
    LayerSettings: {},
    Settings: {"split": "hpss"},
}

#: What else an option needs.
NEEDED = {key: {"split": "hpss"} for key in ("split_margin", "percussive_components")}

#: What runs of older versions lack: by default it is not in the hash.
LATER = (
    "only", "grid", "report", "fmin", "fmax", "whiten", "group", "adapt", "n_free",
    "selections", "split", "split_margin", "percussive_components", "name",
)  # fmt: skip

KINDS = pytest.mark.parametrize(
    "kind", [Settings, ScoreSettings, LayerSettings, LabelSettings]
)


def test_the_hash_is_that_of_all_settings_in_canonical_json():
    settings = dataclasses.asdict(Settings(tol=0.5)) | {"start": 0, "mask_power": 1}
    del settings["threads"], settings["report_audio"]
    for name in LATER:
        del settings[name]
    settings["beta"] = 1
    content = {"kind": "decompose", "settings": settings, "inputs": {"templates": "ab"}}
    expected = hashlib.sha256(json.dumps(content, sort_keys=True).encode())
    found = settings_hash(Settings(tol=0.5), templates="ab")
    assert found == expected.hexdigest()[:16]


@KINDS
def test_every_setting_changes_the_hash_but_threads_and_a_page_s_sound(kind):
    names = {field.name for field in dataclasses.fields(kind)} - {*UNHASHED}
    others = OTHERS | OWN.get(kind, {})
    hashes = {
        settings_hash(kind(**{name: others[name]} | NEEDED.get(name, {})))
        for name in names
    }
    assert len(hashes | {settings_hash(kind())}) == len(names) + 1
    assert settings_hash(kind(threads=3)) == settings_hash(kind())
    assert settings_hash(kind(report_audio="link")) == settings_hash(kind())


def test_templates_and_the_kind_change_the_hash():
    hashes = {
        settings_hash(Settings()),
        settings_hash(Settings(), templates="a"),
        settings_hash(Settings(), templates="b"),
        settings_hash(ScoreSettings()),
        settings_hash(LayerSettings()),
        settings_hash(LabelSettings()),
    }
    assert len(hashes) == 6


@KINDS
def test_the_same_settings_have_the_same_hash_however_they_are_written(kind):
    assert settings_hash(kind(start=1, tol=1)) == settings_hash(
        kind(start=1.0, tol=1.0)
    )
    groups = ({"a": ("b", "c"), "d": ["e"]}, {"d": ("e",), "a": ["b", "c"]})
    one, other = (settings_hash(ScoreSettings(groups=each)) for each in groups)
    assert one == other


def test_what_was_left_open_is_told_apart_from_what_was_used():
    asked = Settings(n_components="auto", hop_length=100)
    used = dataclasses.replace(asked, n_components=5, n_fft=512)
    entries = settings_entries(asked, used)
    assert entries["settings"] == dataclasses.asdict(used) | {"only": []}
    assert entries["asked"] == {"n_components": "auto", "n_fft": None}


def test_shares_are_never_rounded_to_nothing_or_all():
    shares = {"a": 0.9961, "b": 0.0039, "c": 0.0, "d": 0.42}
    lines = describe(
        {"label": label, "note": None, "energy_share": share}
        for label, share in shares.items()
    )
    assert [line.split()[-1] for line in lines] == [">99%", "<1%", "0%", "42%"]
    assert len({len(line) for line in lines}) == 1
