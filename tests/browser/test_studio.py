"""The studio in a browser: what people change there is what `edit` makes of it."""

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager

import httpx
import pytest
from browsing import until
from looks import FAINT, WIDE, controls
from opened import make_drum_run, make_run

import specnmf

#: What tells when and how a run was made, not what it is.
OWN = ("command", "seconds", "finished")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A run of bass, viola and flute."""
    return make_run(tmp_path_factory.mktemp("song"))


@contextmanager
def served(run, cwd):
    """The studio of a run: its process and its link."""
    command = [sys.executable, "-m", "specnmf", "open", str(run), "--no-browser"]
    process = subprocess.Popen(
        command,
        cwd=cwd,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    try:
        yield process, process.stdout.readline().strip()
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    """Where the studio saves."""
    return tmp_path_factory.mktemp("workplace")


@pytest.fixture(scope="module")
def link(made, workplace):
    """The link to a studio, where tests leave what they have done."""
    with served(made, workplace) as (_, link):
        yield link


def undo_all(link):
    """Undo what other tests did, before a page shows it."""
    origin = link[: link.index("/", len("http://"))]
    state = httpx.get(f"{link}state").raise_for_status().json()
    while state["undo"]:
        message = {"revision": state["revision"]}
        answer = httpx.post(f"{link}undo", json=message, headers={"Origin": origin})
        state = answer.raise_for_status().json()


@pytest.fixture
def watched(visit, link):
    """A window of a studio in which nothing is changed."""
    undo_all(link)
    watched = visit(link)
    furnished(watched.page)
    shows(watched.page, "bass", "viola", "flute")
    return watched


@pytest.fixture
def page(watched):
    return watched.page


def furnished(page):
    """Wait until the studio's tools are there."""
    until(page, "document.querySelector('.stem-tools')?.childElementCount > 0")


def shows(page, *wanted):
    """Wait until the stems are called so."""
    listed = "[...document.querySelectorAll('.stem-name')].map(e => e.textContent)"
    texts = json.dumps(wanted, separators=(",", ":"))
    until(page, f"JSON.stringify({listed}) === '{texts}'")
    assert page.locator(".stem-name").all_text_contents() == list(wanted)


def says(page, text):
    """Wait until the bar says something."""
    until(
        page, f"document.querySelector('.studio-status').textContent.includes({text!r})"
    )


def row(page, name):
    return page.get_by_role("region", name=name, exact=True)


def rename(page, old, new):
    row(page, old).locator(".stem-name").dblclick()
    page.keyboard.type(new)
    page.keyboard.press("Enter")


def select_a_note(page):
    """Begin to edit notes, and select the first."""
    page.get_by_text("Edit notes", exact=True).click()
    page.evaluate("specnmf.roll.canvas.focus()")
    page.keyboard.press(".")


def place(page, element):
    """The box of an element; it has none while the server's answer makes rows anew."""
    for _ in range(1000):
        if (box := element.bounding_box()) is not None:
            return box
        page.wait_for_timeout(10)
    raise AssertionError(f"{element} is not shown")


def drag(page, name, onto):
    """Drag the row of a stem onto the middle of another."""
    grip = place(page, row(page, name).locator(".studio-grip"))
    target = place(page, row(page, onto))
    page.mouse.move(grip["x"] + grip["width"] / 2, grip["y"] + grip["height"] / 2)
    page.mouse.down()
    middle = target["y"] + target["height"] / 2
    page.mouse.move(grip["x"], middle - 3, steps=4)
    page.mouse.move(grip["x"], middle)
    page.mouse.up()


def save(page, name):
    """Save as a new run: its folder."""
    page.get_by_role("button", name="Save", exact=False).first.click()
    dialog = page.get_by_role("dialog", name="Save")
    dialog.get_by_role("textbox").fill(name)
    page.keyboard.press("Enter")
    says(page, "Saved in")


def test_what_is_saved_is_what_edit_makes(page, made, workplace, tmp_path):
    rename(page, "flute", "piccolo")
    shows(page, "bass", "viola", "piccolo")
    drag(page, "viola", "bass")
    shows(page, "bass", "piccolo")
    with page.expect_response("**/edit"):
        page.get_by_role("slider", name="Level of piccolo", exact=True).fill("-6")
    until(page, "specnmf.player.gains[1] === -6")
    save(page, "saved")
    specnmf.edit(
        made,
        merge={"bass": ["bass", "viola"]},
        rename={"flute": "piccolo"},
        gain={"piccolo": -6.0},
        output=tmp_path / "by_edit",
    )
    assert_same(
        workplace / "specnmf_edited" / "saved", tmp_path / "by_edit" / made.name
    )


def assert_same(folder, other):
    """All bytes are the same, but for what tells how the run was made."""
    files = {str(path.relative_to(folder)) for path in folder.rglob("*.*")}
    assert files == {str(path.relative_to(other)) for path in other.rglob("*.*")}
    for name in files - {"run.json", "report.html"}:
        assert (folder / name).read_bytes() == (other / name).read_bytes(), name
    reports = [json.loads((each / "run.json").read_text()) for each in (folder, other)]
    for report in reports:
        # the page shows the command
        report["files"] = [f for f in report["files"] if f["path"] != "report.html"]
        for key in OWN:
            del report[key]
    assert reports[0] == reports[1]


def test_undo_and_redo_go_back_and_forth(page):
    rename(page, "bass", "cello")
    shows(page, "cello", "viola", "flute")
    page.get_by_role("button", name="Undo", exact=True).click()
    shows(page, "bass", "viola", "flute")
    page.keyboard.press("Control+Shift+Z")
    shows(page, "cello", "viola", "flute")


def test_a_hostile_name_is_refused_in_words_and_runs_nothing(page, watched):
    rename(page, "bass", "<img src=x onerror=window.hacked=1>")
    says(page, "<img src=x onerror=window.hacked=1>")
    shows(page, "bass", "viola", "flute")
    assert page.evaluate("window.hacked") is None
    assert page.locator("img").count() == 0
    watched.problems[:] = [each for each in watched.problems if "400" not in each]


def test_a_recording_of_one_channel_is_not_offered_to_be_panned(page):
    pans = page.locator(".knob.pan input")
    assert pans.count() == 3
    assert pans.evaluate_all("all => all.every((pan) => pan.disabled)")


def test_stems_are_heard_in_the_studio(page):
    page.evaluate("specnmf.player.play()")
    until(page, "specnmf.player.time > 0.3")
    assert page.evaluate("heard.starts.length") == 3


def test_a_changed_note_is_separated_again(page):
    before = page.evaluate("specnmf.contents.notes")
    select_a_note(page)
    page.keyboard.press("ArrowUp")
    says(page, "Moved")
    until(
        page, "document.querySelector('.studio-mark').textContent.includes('unsaved')"
    )
    page.get_by_role("button", name="Separate again").click()
    until(page, "document.querySelector('.studio-job').hidden === false")
    until(page, "document.querySelector('.studio-job').hidden", 60)
    says(page, "Done")
    after = page.evaluate("specnmf.contents.notes")
    assert sorted(after["pitch"]) == sorted(
        [before["pitch"][0] + 1, *before["pitch"][1:]]
    )
    page.evaluate("specnmf.player.play()")
    until(page, "specnmf.player.time > 0.2")


@pytest.fixture(scope="module")
def drum_link(tmp_path_factory):
    """The link to a studio with a run of drums."""
    folder = tmp_path_factory.mktemp("drums")
    with served(make_drum_run(folder), folder) as (_, link):
        yield link


@pytest.mark.slow  # a separation
def test_a_stroke_is_deleted_and_the_drums_are_separated_again(drum_link, visit):
    page = visit(drum_link).page
    furnished(page)
    shows(page, "kick", "snare", "hihat", "rest")
    before = page.evaluate("specnmf.contents.notes")
    select_a_note(page)
    page.keyboard.press("Delete")
    says(page, "Deleted")
    page.get_by_role("button", name="Separate again").click()
    says(page, "Done")
    after = page.evaluate("specnmf.contents.notes")
    assert len(after["start"]) == len(before["start"]) - 1
    assert all(after["percussion"])


def test_a_second_window_is_told_and_takes_over(visit, link, page):
    other = visit(link).page
    furnished(other)
    rename(page, "bass", "cello")
    shows(other, "cello", "viola", "flute")
    rename(other, "viola", "fiddle")
    shows(page, "cello", "fiddle", "flute")


def test_a_window_that_is_behind_is_refused_and_takes_over(visit, link, page):
    other = visit("about:blank", own=link, ready=False)
    behind = other.page
    behind.route("**/events", lambda route: None)  # it hears of nothing
    behind.goto(link)
    furnished(behind)
    rename(page, "bass", "cello")
    shows(page, "cello", "viola", "flute")
    rename(behind, "bass", "tuba")
    says(behind, "another window")
    shows(behind, "cello", "viola", "flute")
    rename(behind, "cello", "tuba")
    shows(page, "tuba", "viola", "flute")
    assert any("409" in each for each in other.problems)
    other.problems[:] = [each for each in other.problems if "409" not in each]


@pytest.mark.slow  # the page asks now and then
def test_the_page_says_when_the_studio_has_ended(visit, made, tmp_path):
    with served(made, tmp_path) as (process, link):
        watched = visit(link)
        furnished(watched.page)
        process.send_signal(signal.SIGINT)
        process.wait(30)
    says(watched.page, "does not answer")
    assert process.returncode == 0
    watched.problems[:] = [each for each in watched.problems if link not in each]


@pytest.mark.parametrize("width", [1000, 400])
def test_the_studio_can_be_read_and_used(visit, link, width, tmp_path):
    page = visit(link, width=width).page
    furnished(page)
    page.screenshot(path=tmp_path / f"studio_{width}.png", full_page=True)
    assert page.evaluate(WIDE) == []
    assert page.evaluate(FAINT) == []
    assert [role for role, name in controls(page) if not name] == []
