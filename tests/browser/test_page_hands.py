"""What people do in a page with pointer and keys."""

import pytest
from browsing import level, rendered, stems_in, until
from made_stems import AMPLITUDE, BAND

FIRST = (0.7, 0.8)


def heard(page):
    return stems_in(*rendered(page, *FIRST))


def player(page, what):
    return page.evaluate(f"specnmf.player.{what}")


def press(page, name, **options):
    page.get_by_role("button", name=name, exact=True, **options).click()


def test_buttons_mute_and_solo_a_stem(page):
    press(page, "Mute bass")
    assert heard(page) == {"viola", "bell"}
    press(page, "Solo viola")
    assert heard(page) == {"viola"}
    press(page, "Solo viola")
    press(page, "Mute bass")
    assert heard(page) == {"bass", "viola", "bell"}


def test_a_pressed_button_says_so(page):
    button = page.get_by_role("button", name="Mute bass", exact=True)
    assert button.get_attribute("aria-pressed") == "false"
    button.click()
    assert button.get_attribute("aria-pressed") == "true"
    page.evaluate(
        "specnmf.player.setMuted(0, false); specnmf.player.setMuted(1, false)"
    )
    assert button.get_attribute("aria-pressed") == "false"


def test_buttons_hear_only_a_stem_and_all_but_it(page):
    press(page, "Only bass")
    assert heard(page) == {"bass"}
    press(page, "All but bass")
    assert heard(page) == {"viola", "bell"}
    press(page, "Hear all")
    assert heard(page) == {"bass", "viola", "bell"}


def test_a_slider_sets_the_level(page):
    slider = page.get_by_role("slider", name="Level of viola", exact=True)
    slider.fill("-12")
    y, sr = rendered(page, *FIRST)
    quiet = AMPLITUDE * 10 ** (-12 / 20)
    assert level(y, sr, BAND["viola"][0]) == pytest.approx(quiet, rel=0.05)
    assert "12" in slider.get_attribute("aria-valuetext")


def test_the_lowest_level_is_silence(page):
    slider = page.get_by_role("slider", name="Level of viola", exact=True)
    slider.focus()
    page.keyboard.press("Home")
    assert heard(page) == {"bass", "bell"}


def test_play_is_a_button_that_becomes_pause(page):
    press(page, "Play")
    until(page, "specnmf.player.time > 0.2")
    press(page, "Pause")
    assert not player(page, "playing")


def centre(page, selector):
    """The left edge, width and middle height of an element, in CSS pixels."""
    element = page.locator(selector).first
    element.scroll_into_view_if_needed()
    box = element.bounding_box()
    return box["x"], box["width"], box["y"] + box["height"] / 2


@pytest.mark.parametrize("picture", ["#spectrogram", "#piano-roll", ".stem canvas"])
def test_a_click_in_a_picture_seeks(page, picture):
    left, width, middle = centre(page, picture)
    page.mouse.click(left + 0.6 * width, middle)
    assert player(page, "time") == pytest.approx(0.6 * 4, abs=8 / width)


@pytest.mark.parametrize("picture", ["#spectrogram", "#piano-roll", ".stem canvas"])
def test_dragging_in_a_picture_loops_the_region(page, picture):
    left, width, middle = centre(page, picture)
    page.mouse.move(left + 0.25 * width, middle)
    page.mouse.down()
    page.mouse.move(left + 0.4 * width, middle, steps=3)
    page.mouse.move(left + 0.5 * width, middle, steps=3)
    page.mouse.up()
    assert player(page, "loop") == pytest.approx([1.0, 2.0], abs=8 / width)
    press(page, "Loop")
    assert player(page, "loop") is None


def test_the_roll_knows_its_notes(page):
    """A note is found where it is drawn, in the stem that plays it."""
    for name, (pitch, (start, end)) in BAND.items():
        found = page.evaluate(f"""() => {{
          const {{roll, contents}} = specnmf;
          const i = roll.noteAt(roll.xOf({(start + end) / 2}), roll.yOf({pitch}));
          const names = contents.groups.flatMap(g => g.stems.map(s => s.name));
          return [names[contents.notes.stem[i]], contents.notes.pitch[i]];
        }}""")
        assert found == [name, pitch]
    assert page.evaluate("specnmf.roll.noteAt(1, specnmf.roll.yOf(60))") == -1


def test_zooming_keeps_what_is_under_the_pointer(page):
    page.evaluate("specnmf.roll.zoom(1, 2)")
    assert page.evaluate("specnmf.roll.secondsAt(0)") == pytest.approx(1)
    width = page.evaluate("specnmf.roll.canvas.clientWidth")
    assert page.evaluate(f"specnmf.roll.secondsAt({width})") == pytest.approx(2)
    assert page.evaluate("specnmf.roll.xOf(1.5)") == pytest.approx(width / 2)
    left, width, middle = centre(page, "#spectrogram")
    page.mouse.click(left + width / 2, middle)
    assert player(page, "time") == pytest.approx(1.5, abs=4 / width)


def test_a_note_under_the_pointer_is_told(page):
    pitch, (start, end) = BAND["viola"]
    left, _, _ = centre(page, "#spectrogram")
    top = page.locator("#spectrogram").bounding_box()["y"]
    x, y = page.evaluate(
        f"[specnmf.roll.xOf({(start + end) / 2}), specnmf.roll.yOf({pitch})]"
    )
    page.mouse.move(left + x, top + y)
    until(page, "document.body.innerText.includes('F#4')")
    assert "viola" in page.inner_text("#about")


def test_space_plays_and_pauses(page):
    page.keyboard.press("Space")
    until(page, "specnmf.player.playing && specnmf.player.time > 0.1")
    page.keyboard.press("Space")
    assert not player(page, "playing")


def test_a_button_in_focus_is_pressed_by_space(page):
    page.keyboard.press("Tab")  # from here on the focus is seen
    page.get_by_role("button", name="Mute bass", exact=True).focus()
    page.keyboard.press("Space")
    assert player(page, "muted[0]")
    assert not player(page, "playing")


def test_arrows_home_and_end_seek(page):
    page.evaluate("specnmf.player.seek(2)")
    page.keyboard.press("ArrowRight")
    assert player(page, "time") == pytest.approx(3)
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert player(page, "time") == pytest.approx(1)
    page.keyboard.press("Home")
    assert player(page, "time") == 0


def test_digits_and_letters_solo_mute_and_loop(page):
    page.keyboard.press("2")
    assert heard(page) == {"viola"}
    page.keyboard.press("0")
    assert heard(page) == {"bass", "viola", "bell"}
    page.locator(".stem").first.focus()
    page.keyboard.press("m")
    assert heard(page) == {"viola", "bell"}
    page.keyboard.press("m")
    page.keyboard.press("s")
    assert heard(page) == {"bass"}
    page.keyboard.press("l")
    assert player(page, "loop") is not None
    page.keyboard.press("l")
    assert player(page, "loop") is None


def test_the_keys_are_told_in_a_dialog(page):
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog")
    assert "Play or pause" in dialog.inner_text()
    dialog.get_by_role("button").click()
    assert dialog.count() == 0
    page.keyboard.press("Shift+?")
    page.keyboard.press("Escape")
    assert dialog.count() == 0


def test_everything_can_be_reached_by_tab(page):
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        label = page.evaluate(
            "document.activeElement.getAttribute('aria-label')"
            " || document.activeElement.innerText"
        )
        reached.add(label)
    for stem in BAND:
        for what in ("Mute", "Solo", "Only", "All but", "Level of", "Pan of"):
            assert f"{what} {stem}" in reached
    assert {"Play", "Loop", "Position"} <= reached


def test_new_contents_keep_time_and_mutes(page):
    page.evaluate("""() => {
      const {player} = specnmf;
      player.seek(1.5);
      player.setMuted(1, true);
      const contents = structuredClone(specnmf.contents);
      contents.groups[0].stems.reverse();
      contents.groups[0].stems[0].name = 'chime';
      specnmf.update(contents);
    }""")
    assert player(page, "time") == pytest.approx(1.5)
    assert page.locator(".stem-name").all_inner_texts() == [
        "chime", "flute", "viola", "bass",
    ]  # fmt: skip
    until(page, "specnmf.player.ready")
    assert heard(page) == {"bass", "bell"}


def test_rows_leave_room_for_tools(page):
    assert page.evaluate("specnmf.rowOf(1).classList.contains('stem')")
    assert (
        page.evaluate("specnmf.rowOf(1).querySelector('.stem-name').textContent")
        == "viola"
    )
    assert page.evaluate("specnmf.rowOf(1).querySelector('.stem-tools') !== null")
