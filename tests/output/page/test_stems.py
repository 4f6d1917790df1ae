import pytest
import soundfile

from specnmf.output.page.stems import is_stem, read_groups


def entry(name, **more):
    return {"label": name, "source": f"sources/{name}.wav", **more}


def test_the_stems_of_a_decomposition_are_its_components(made):
    (group,) = read_groups(made.report, made.folder)
    bass, flute = group.stems
    assert (bass.name, bass.file, bass.share) == ("bass", "sources/bass.wav", 0.75)
    assert (flute.pitch, flute.note, flute.notes) == (81, "A5", None)


def test_those_of_a_separation_have_shares_by_their_loudness(made):
    stems = [entry("bass", rms=0.3, notes=3), entry("flute", rms=0.1, notes=1)]
    (group,) = read_groups({"stems": stems}, made.folder)
    assert [stem.share for stem in group.stems] == [0.9, 0.1]
    assert [stem.notes for stem in group.stems] == [3, 1]


def test_each_layer_that_was_written_is_a_group(made):
    layer = made.folder / "sources" / "layer_2"
    layer.mkdir()
    soundfile.write(layer / "component_01.wav", made.stems["bass"].T, 8000)
    own = {
        "name": "layer_2/component_01",
        "source": "sources/layer_2/component_01.wav",
        "notes": [{"note": "A2", "share": 0.9}],
    }
    other = {"name": "layer_1/component_01", "notes": []}
    layers = [
        {"layer": 1, "components": [other]},
        {"layer": 2, "components": [own]},
    ]
    (group,) = read_groups({"layers": layers, "labels": None}, made.folder)
    assert group.name == "layer_2"
    assert (group.stems[0].name, group.stems[0].note) == ("component_01", "A2")


def test_without_sources_all_stems_are_told_without_files(made):
    for path in (made.folder / "sources").iterdir():
        path.unlink()
    (group,) = read_groups(made.report, made.folder)
    assert [stem.file for stem in group.stems] == [None, None]


def test_files_that_no_entry_names_are_stems(made):
    for each in made.report["components"]:
        del each["source"]
    (group,) = read_groups(made.report, made.folder)
    assert [stem.file for stem in group.stems] == [
        "sources/bass.wav",
        "sources/flute.wav",
    ]
    assert group.stems[0].note == "A2"


@pytest.mark.parametrize(
    "name",
    [
        "sources/../../secret.wav",
        "/etc/passwd",
        "../song/sources/bass.wav",
        "sources\\bass.wav",
        "sources/bass.wav\0",
        "sources/none.wav",
        "sources",
        "sources/" + "x" * 5000 + ".wav",
        "factors.npz",
        "sources/link.wav",
        "sources/away/secret.wav",
        "",
    ],
)
def test_no_file_outside_the_sources_is_a_stem(made, name):
    secret = made.folder.parent / "secret.wav"
    soundfile.write(secret, made.stems["bass"].T, 8000)
    (made.folder / "sources" / "link.wav").symlink_to(secret)
    (made.folder / "sources" / "away").symlink_to(made.folder.parent)
    assert not is_stem(made.folder, name)


def test_sources_that_lead_elsewhere_have_no_stems(made):
    (made.folder / "sources").rename(made.folder.parent / "elsewhere")
    (made.folder / "sources").symlink_to(made.folder.parent / "elsewhere")
    assert not is_stem(made.folder, "sources/bass.wav")


@pytest.mark.parametrize(
    "report",
    [
        {},
        {"stems": 3},
        {"stems": [1, None, []]},
        {"layers": {"a": 1}, "labels": "x"},
        {"layers": [{"components": 7}, 5]},
        {"components": [{}] * 100_000},
        {"stems": [{"label": ["x"], "source": 3, "rms": "loud", "pitch": True}]},
        {"stems": [{"label": "a", "rms": 1e308}, {"label": "b", "rms": 10**400}]},
        {"stems": [{"label": "a", "energy_share": float("nan"), "pitch": 1e9}]},
    ],
)
def test_a_hostile_report_gives_what_can_be_shown(tmp_path, report):
    groups = read_groups(report, tmp_path)
    for stem in (stem for group in groups for stem in group.stems):
        assert isinstance(stem.name, str)
        assert stem.file is None
        assert stem.pitch is None
        assert stem.share is None or 0 <= stem.share <= 1
    assert sum(len(group.stems) for group in groups) <= 512
