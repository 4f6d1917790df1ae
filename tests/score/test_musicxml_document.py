"""MusicXML documents: packed, by measure, and in namespaces."""

import io
import zipfile

import pytest
from documents import document, note, spans

from specnmf import ScoreError

TEXT = document([note("C4"), note("D4")], [note("E4"), note("F4")])
EXPECTED = [(0, 0.5, 60), (0, 0.5, 64), (0.5, 1, 62), (0.5, 1, 65)]

KIND = "application/vnd.recordare.musicxml+xml"


def packed(files):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return data.getvalue()


def container(*files):
    roots = "".join(
        f'<rootfile full-path="{name}"{kind}/>' for name, kind in files
    )  # fmt: skip
    return f"<container><rootfiles>{roots}</rootfiles></container>"


@pytest.mark.parametrize(
    "files",
    [
        {"score.xml": TEXT},
        {"score.MusicXML": TEXT, "cover.png": b"\x89PNG"},
        {"__MACOSX/._score.xml": b"\0\5\x16\7", "score.xml": TEXT},
        {"a/b/other.xml": "<other/>", "a/score.xml": TEXT, "a/._score.xml": "x"},
        {"META-INF/container.xml": container(("a\\b.xml", "")), "a/b.xml": TEXT},
        {"META-INF/container.xml": container(("/score.xml", "")), "score.xml": TEXT},
        {"META-INF/container.xml": container(
            ("score.pdf", ' media-type="application/pdf"'),
            ("score.xml", f' media-type="{KIND}"')),
         "score.pdf": b"%PDF", "score.xml": TEXT},
        {"META-INF/container.xml": container(("score.odd", "")), "score.odd": TEXT},
    ],
)  # fmt: skip
def test_a_packed_document_is_found(read, files):
    assert spans(read(packed(files), "score.mxl")) == EXPECTED


def test_of_several_documents_the_one_that_is_read_is_named(read):
    score = read(packed({"one.xml": TEXT, "two.xml": TEXT}), "score.mxl")
    assert score.remarks == ("holds 2 documents: one.xml is read",)


def test_a_packed_file_without_a_document_is_refused(read):
    with pytest.raises(ScoreError, match="holds no MusicXML; export the score as"):
        read(packed({"score.mscx": "<museScore/>"}), "score.mxl")


def by_measure(text):
    """A score by part as one by measure."""
    from xml.etree import ElementTree as Tree

    old = Tree.fromstring(text)
    new = Tree.Element("score-timewise")
    new.append(old.find("part-list"))
    for k, first in enumerate(old.findall("part[1]/measure")):
        measure = Tree.SubElement(new, "measure", first.attrib)
        for part in old.findall("part"):
            own = Tree.SubElement(measure, "part", part.attrib)
            own.extend(part.findall("measure")[k])
    return Tree.tostring(new, encoding="unicode")


def test_a_score_by_measure_is_read_as_one_by_part(read):
    assert spans(read(by_measure(TEXT))) == EXPECTED
    assert read(by_measure(TEXT)).parts == read(TEXT).parts


def test_a_part_that_lacks_a_measure_rests_in_it(read):
    text = by_measure(TEXT)
    first = text.index('<part id="P1"')
    text = text[:first] + text[text.index("</part>", first) + len("</part>") :]
    assert spans(read(text)) == [(0, 0.5, 60), (0.5, 1, 62), (0.5, 1, 65)]


@pytest.mark.parametrize("prefix", ["", "m:"])
def test_names_in_a_namespace_are_read(read, prefix):
    body = TEXT.partition("<score-partwise")[2]
    body = "<score-partwise" + body
    kind = f"xmlns{':m' if prefix else ''}"
    text = body.replace("</", f"</{prefix}").replace("<", f"<{prefix}")
    text = text.replace(f"<{prefix}/{prefix}", f"</{prefix}")
    text = text.replace(
        "score-partwise version", f'score-partwise {kind}="http://m.org" version'
    )
    assert spans(read(text)) == EXPECTED
