"""A live cell of a real chapter, before Python has come."""

import pytest

from tests.book.accessibility import COLORS, violations

CHAPTER = "02-l2"


@pytest.mark.browser
def test_a_browser_without_webassembly_is_told_so(address, visit):
    page = visit().page
    page.add_init_script("delete window.WebAssembly")
    page.goto(f"{address}/chapters/{CHAPTER}.html")
    page.get_by_role("button", name="Run it yourself").first.press("Enter")
    page.get_by_text("needs a newer browser").wait_for()


@pytest.mark.browser
def test_a_live_cell_is_accessible_by_keyboard_on_a_phone_and_in_the_dark(address, visit):
    view = visit(390)
    page = view.open(f"{address}/chapters/{CHAPTER}.html")
    cell = page.locator("div.cell[class*=live-]:has(button)").first
    cell.get_by_role("button", name="Run it yourself").press("Enter")
    cell.get_by_role("textbox").wait_for()
    cell.get_by_role("button", name="Stop").press("Enter")
    cell.get_by_text("Stopped.").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert not violations(page, within="article")
    page.emulate_media(color_scheme="dark")
    page.wait_for_function("document.documentElement.dataset.theme === 'dark'")
    assert not violations(page, COLORS, within="article")
    assert not view.faults
    assert all(url.startswith((address, "blob:", "data:")) for url in view.addresses)
