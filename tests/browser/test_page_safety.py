"""Names, files and notes from strangers are text in the page, and nothing more."""

import json

import made_stems
import pytest
from browsing import until
from looks import controls

import specnmf
from specnmf import Note, Score
from specnmf.output.page.page import write_page

#: Names that would run a script, break out of it, or turn the page around.
HOSTILE = (
    "<img src=x onerror=window.hacked=1>",
    "</script><script>window.hacked=2</script>",
    "\"'`${window.hacked=3}<!--",
    "\u202eevil\u2066 \u2028 {{contents}} &lt;b&gt;",
)

TITLE = "<img src=x onerror=window.hacked=4>{{title}}'\"&amp;"

#: Ways of data to become a script, each of which the page's policy must stop.
INJECTED = """() => {
  const inline = document.createElement('script');
  inline.textContent = 'window.hacked = "inline"';
  document.body.append(inline);
  const box = document.createElement('div');
  box.innerHTML = '<img src="data:," onerror="window.hacked=\\'handler\\'">'
    + '<a href="javascript:window.hacked=\\'link\\'">x</a>'
    + '<iframe srcdoc="<script>parent.hacked=1</script>"></iframe>';
  document.body.append(box);
  box.querySelector('a').click();
  setTimeout(() => { window.hacked = eval('"eval"'); });
}"""


#: What else a page shows of a run.json that anybody may have written.
SCRIPT = "</script><script>window.hacked=5</script><img src=x onerror=window.hacked=6>"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """The page of a run whose run.json somebody else has written."""
    folder = made_stems.band(tmp_path_factory.mktemp("hostile"))
    report = json.loads((folder / "run.json").read_text())
    for stem, name in zip(report["stems"], HOSTILE, strict=True):
        stem["label"] = name
    report["inputs"][0]["path"] = f"/music/{TITLE}.wav"
    report |= {"command": SCRIPT, "warnings": [SCRIPT], "versions": {SCRIPT: SCRIPT}}
    report["settings"] |= {SCRIPT: SCRIPT}
    sound = specnmf.read(folder.parents[1] / "song.wav")
    notes = [Note(1, 1, 60 + k, 90, name) for k, name in enumerate(HOSTILE)]
    write_page(folder, report, sound, Score(notes))
    return folder


def test_hostile_names_are_shown_as_they_are_and_run_nothing(visit, hostile):
    page = visit(hostile / "report.html").page
    assert page.evaluate("window.hacked") is None
    assert TITLE in page.inner_text("h1")
    shown = page.locator(".stem-name").all_inner_texts()
    assert [" ".join(text.split()) for text in shown] == [
        " ".join(name.split()) for name in HOSTILE
    ]
    assert page.locator("img").count() == 0
    assert page.locator("script:not([type])").count() == 1
    page.evaluate(
        "document.querySelectorAll('details').forEach(d => { d.open = true })"
    )
    assert page.inner_text("body").count(SCRIPT) >= 2


def test_hostile_names_play(visit, hostile):
    page = visit(hostile / "report.html").page
    page.evaluate("specnmf.player.onlyThis(1)")
    page.evaluate("specnmf.player.play()")
    until(page, "specnmf.player.time > 0.3")
    assert page.evaluate("window.hacked") is None


def test_a_name_that_turns_the_writing_turns_nothing_else(visit, hostile):
    page = visit(hostile / "report.html").page
    isolated = "e => getComputedStyle(e).unicodeBidi"
    for name in page.locator(".stem-name").all():
        assert name.evaluate(isolated) in ("isolate", "plaintext", "isolate-override")


def test_the_policy_stops_injected_scripts(visit, band):
    watched = visit(band / "report.html")
    refused = "Content Security Policy"
    with watched.page.expect_console_message(lambda told: refused in told.text):
        watched.page.evaluate(INJECTED)
    watched.page.evaluate("() => new Promise((done) => setTimeout(done))")
    assert watched.page.evaluate("window.hacked") is None
    assert any(refused in each for each in watched.problems)
    watched.problems.clear()


#: Ways of a page to reach a server.
REQUESTS = (
    "fetch('http://127.0.0.1:9/x')",
    """new Promise((_, stop) => {
      new WebSocket('ws://127.0.0.1:9/').onerror = stop;
    })""",
    """new Promise((_, stop) => {
      const image = new Image();
      image.onerror = stop;
      image.src = 'http://127.0.0.1:9/x.png';
    })""",
)


def test_the_policy_stops_requests(visit, band):
    watched = visit(band / "report.html")
    for request in REQUESTS:
        stopped = f"async () => {{ try {{ await {request} }} catch {{ return true }} }}"
        assert watched.page.evaluate(stopped)
    told = [each for each in watched.problems if "Content Security Policy" in each]
    assert len(told) >= 3
    watched.problems.clear()


def test_the_policy_allows_no_more_than_is_needed(page):
    policy = page.get_attribute("meta[http-equiv=Content-Security-Policy]", "content")
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert "*" not in policy
    scripts = next(p for p in policy.split(";") if p.strip().startswith("script-src"))
    assert set(scripts.split()[1:]) == {
        each for each in scripts.split()[1:] if each.startswith("'sha256-")
    }


def test_controls_of_hostile_names_are_named_by_them(visit, hostile):
    page = visit(hostile / "report.html").page
    names = [name for _, name in controls(page)]
    assert any(HOSTILE[0] in name for name in names)


#: Places of files outside the run, or that are none.
OUTSIDE = (
    "../../song.wav", "/etc/passwd", "//127.0.0.1:9/x.wav", "javascript:alert(1)",
    "http://127.0.0.1:9/x.wav", "file:///etc/passwd", "sources/../../../song.wav",
)  # fmt: skip


@pytest.mark.parametrize("audio", ["ogg", "link"])
def test_nothing_outside_the_run_is_in_its_page(visit, tmp_path, audio):
    folder = made_stems.band(tmp_path)
    report = json.loads((folder / "run.json").read_text())
    entry = report["stems"][0]
    report["stems"] += [{**entry, "source": place} for place in OUTSIDE]
    sound = specnmf.read(tmp_path / "song.wav")
    write_page(folder, report, sound, Score(()), audio=audio)
    page = visit(folder / "report.html").page
    for address in page.eval_on_selector_all("a", "all => all.map(a => a.href)"):
        assert address.startswith(f"{folder.as_uri()}/sources/") or (
            address.startswith(f"{folder.as_uri()}/") and ".." not in address
        )
    files = page.evaluate(
        "specnmf.contents.groups.flatMap(g => g.stems.map(s => s.url))"
    )
    assert not set(files) & set(OUTSIDE)
