"""A live cell of a real chapter, before Python has come."""

import pytest

CHAPTER = "02-l2"


@pytest.mark.browser
def test_a_browser_without_webassembly_is_told_so(address, visit):
    page = visit().page
    page.add_init_script("delete window.WebAssembly")
    page.goto(f"{address}/chapters/{CHAPTER}.html")
    page.get_by_role("button", name="Run it yourself").first.press("Enter")
    page.get_by_text("needs a newer browser").wait_for()
