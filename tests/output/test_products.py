"""What a run wrote, as its run.json tells."""

import hashlib
import json

import pytest

from specnmf.output.products import (
    as_json,
    is_foreign,
    list_files,
    read_products,
    seal,
    seal_of,
)

REPORT = {"command": "specnmf", "kind": "label", "seconds": {"fit": 1.5}, "files": []}
SEALED = REPORT | {"finished": seal(REPORT)}


def sums(*contents):
    return [hashlib.sha256(content).hexdigest() for content in contents]


def test_files_are_listed_by_name_with_size_and_checksum(tmp_path):
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "b.wav").write_bytes(b"RIFF")
    (tmp_path / "a").write_bytes(b"")
    one, other = sums(b"", b"RIFF")
    assert list_files(tmp_path) == [
        {"path": "a", "size": 0, "sha256": one},
        {"path": "sources/b.wav", "size": 4, "sha256": other},
    ]
    assert list_files(tmp_path, threads=1) == list_files(tmp_path)


def test_a_file_is_the_runs_if_its_size_and_checksum_are(tmp_path):
    (own,) = sums(b"W")
    entry = {"path": "factors.npz", "size": 1, "sha256": own}
    products = read_products(as_json(SEALED | {"files": [entry, {"path": 3}, 4]}))
    assert products.holds("factors.npz", 1, lambda: own)
    assert not products.holds("factors.npz", 1, lambda: "other")
    assert not products.holds("factors.npz", 2, pytest.fail)  # not even read
    assert not products.holds("layers.npz", 1, pytest.fail)


def test_a_seal_holds_until_something_is_edited():
    content = as_json(SEALED)
    assert seal_of(content) == SEALED["finished"]
    for edited in (
        content + b"good\n",
        content.replace(b"label", b"lable"),
        content.replace(b"\n", b"\r\n"),
        as_json(SEALED | {"note": "good"}),
        content[:-3],
    ):
        assert seal_of(edited) != SEALED["finished"]
        products = read_products(edited)
        assert not products.holds("run.json", 0, lambda text=edited: seal_of(text))


def test_a_seal_is_not_about_what_a_rerun_changes():
    other = REPORT | {"command": "specnmf rerun", "seconds": {}}
    assert seal(other) == seal(SEALED) == SEALED["finished"]


def test_names_that_are_no_unicode_keep_the_seal():
    report = REPORT | {"files": [{"path": "\udcff\N{MUSICAL SYMBOL G CLEF}"}]}
    content = as_json(report | {"finished": seal(report)})
    assert seal_of(content) == json.loads(content)["finished"]


@pytest.mark.parametrize("content", [b"", b"old", b"[]", b"3", b"[" * 9999, b"\xff"])
def test_what_is_no_report_tells_nothing(content):
    products = read_products(content)
    assert products.damaged
    assert products.holds("run.json", 0, pytest.fail)
    assert not is_foreign(content)
    assert seal_of(content) == ""


def test_a_report_of_another_program_is_told_apart():
    assert is_foreign(b'{"name": "experiment 7"}')
    for own in ({}, REPORT, {"settings": {}}, {"residual_db": None}):
        assert not is_foreign(as_json(own))
