"""Plots as parts of a page: in its colors, on its ground, and legible on a phone."""

from __future__ import annotations

import base64
import io
import re

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from bs4 import BeautifulSoup
from PIL import Image
from regbook import figures
from regbook.inline_svg import PIXELS
from regbook.publish import drop_drawings

from reglib import plotting
from tests.book.built import pages

CELL = """---
file_format: mystnb
kernelspec:
  name: python3
---
# Page

```{code-cell} ipython3
---
mystnb:
  figure:
    name: fig-line
    caption: It rises.
%s
---
import matplotlib.pyplot as plt
plt.plot([1, 2]);
```
"""
ALT = "  image:\n    alt: A line that rises from one to two."


@pytest.fixture(autouse=True)
def style():
    """The house style for this test, and no figure left open."""
    with matplotlib.rc_context():
        matplotlib.use("agg")
        plotting.set_style()
        yield
    plt.close("all")


def drawn(figure):
    """The wide and the narrow drawing of a figure."""
    page = BeautifulSoup(figures.html(figure), "html.parser")
    return page.select_one("svg.diagram-wide"), page.select_one("svg.diagram-narrow")


def line_figure(**options):
    """A figure with one panel."""
    figure, ax = plt.subplots(**options)
    ax.plot([1, 2, 3], [1, 4, 2], label="loss")
    ax.set(xlabel="$w_1$", ylabel="cost")
    return figure


def test_the_same_figure_is_drawn_the_same_way():
    assert figures.html(line_figure()) == figures.html(line_figure())


def test_names_are_unique_on_a_page_with_several_figures():
    text = figures.html(line_figure()) + figures.html(line_figure(figsize=(5, 3)))
    names = re.findall(r'\bid="([^"]+)"', text)
    assert names
    assert len(names) == len(set(names))
    used = re.findall(r'(?:href="#|url\(#)([\w-]+)', text)
    assert set(used) == set(names)


def test_colors_of_the_house_are_the_pages():
    ax = line_figure().gca()
    ax.plot([1, 2], [3, 3], color=plotting.STEPS[3])
    text = figures.html(ax.figure)
    for name in ("--plot-1", "--plot-step-4", "--book-ink", "--book-line"):
        assert f"var({name},#" in text
    assert not re.findall(r":\s*(#[0-9a-f]{6})", text)


def test_the_ground_is_the_pages():
    assert plotting.PANEL.lower() not in figures.html(line_figure())


def test_words_are_words_in_a_size_that_can_be_read():
    for drawing in drawn(line_figure()):
        words = [text.get_text() for text in drawing.find_all("text")]
        assert "cost" in words
        assert "w1" in words
        sizes = re.findall(r"font-size:([\d.]+)px", str(drawing))
        assert min(map(float, sizes)) * PIXELS > 11
        assert "font-family" not in str(drawing)


def test_panels_side_by_side_are_stacked_for_a_phone():
    figure, axes = plt.subplots(1, 3, figsize=(9, 3), sharey=True)
    for ax in axes:
        ax.plot([0, 1], [0, 1])
    wide, narrow = drawn(figure)
    assert int(wide["width"]) > int(wide["height"])
    assert int(narrow["width"]) < 360
    assert int(narrow["height"]) > 2 * int(narrow["width"])
    marks = [text.get_text() for text in narrow.find_all("text")]
    assert marks.count("0.8") == 6  # both axes of each panel have their numbers


def test_pictures_stand_side_by_side_as_long_as_their_titles_have_room():
    counts = {}
    for title in ("3", "a long title"):
        figure, axes = plt.subplots(1, 4, figsize=(7.6, 2.2))
        for ax in axes:
            ax.imshow(np.eye(8), cmap="gray_r")
            ax.set_title(title)
            ax.axis("off")
        _, narrow = drawn(figure)
        places = {text["x"] for text in narrow.find_all("text")}
        counts[title] = len(places)
    assert counts == {"3": 4, "a long title": 2}


def pixels(figure):
    """The first image in the wide drawing, and whether it is turned over in the dark."""
    wide, _ = drawn(figure)
    image = wide.find("image")
    data = base64.b64decode(image["href"].split(",")[1])
    turned = image.find_parent("g", class_="plot-turned") is not None
    return np.array(Image.open(io.BytesIO(data)).convert("RGBA")), turned


def test_white_of_a_picture_in_ink_is_clear_and_a_photograph_stays():
    half = np.array([[0.0, 1.0]])
    drawings = {}
    for cmap in ("gray_r", "gray"):
        figure, ax = plt.subplots()
        ax.imshow(half, cmap=cmap)
        drawings[cmap] = pixels(figure)
    ink, turned = drawings["gray_r"]
    assert turned
    assert ink[5, 5].tolist()[3] == 0
    assert ink[5, -5].tolist() == [0, 0, 0, 255]
    photograph, turned = drawings["gray"]
    assert not turned
    assert photograph[..., 3].min() == 255


def test_a_photograph_is_not_kept_to_the_last_bit():
    noise = np.random.default_rng(0).uniform(size=(60, 90, 3))
    drawings = {}
    for name, image in {"photograph": noise, "squares": noise[:2, :2].round()}.items():
        figure, ax = plt.subplots()
        ax.imshow(image, interpolation="nearest")
        ax.axis("off")
        drawings[name] = drawn(figure)[0].find("image")["href"]
    assert drawings["photograph"].startswith("data:image/webp")
    assert drawings["squares"].startswith("data:image/png")


def test_a_large_cloud_is_one_image():
    figure, ax = plt.subplots()
    ax.scatter(*np.random.default_rng(0).normal(size=(2, 5000)))
    text = figures.html(figure)
    assert text.count("<image") == 2
    assert len(text) < 400_000


def test_a_figure_of_a_page_has_the_words_of_its_cell(build):
    html, warnings = build(CELL % ALT)
    assert not warnings
    page = BeautifulSoup(html, "html.parser")
    (plot,) = page.select(".plot")
    assert plot["role"] == "img"
    assert plot["aria-label"] == "A line that rises from one to two."
    assert len(plot.select("svg")) == 2
    assert "It rises." in page.select_one("figcaption").get_text()


def test_a_figure_without_words_stops_the_build(build):
    _, warnings = build(CELL % "")
    assert "alternative text of a picture is missing" in warnings


def test_a_notebook_keeps_the_image_alone():
    from nbformat.v4 import new_code_cell, new_notebook, new_output

    both = new_output("display_data", data={"image/png": "", "text/html": "<svg/>"})
    table = new_output("display_data", data={"text/html": "<table/>"})
    notebook = new_notebook(cells=[new_code_cell(outputs=[both, table])])
    drop_drawings(notebook)
    assert [list(output["data"]) for output in notebook.cells[0].outputs] == [
        ["image/png"],
        ["text/html"],
    ]


DRAWINGS = ".plot, .moving-stage, figure.diagram, .cell_output img:not(.photograph)"
DRAWN_ON = pages(holding=("<figure", "<svg", "cell_output"))
OPEN = """() => {
  document.querySelectorAll("details").forEach((d) => { d.open = true; });
  document.querySelectorAll(".is-waiting").forEach((d) => d.classList.remove("is-waiting"));
}"""


@pytest.mark.browser
@pytest.mark.parametrize("name", DRAWN_ON)
def test_no_figure_on_a_dark_page_has_a_light_panel(address, visit, name):
    page = visit(scheme="dark").open(f"{address}/{name}.html")
    page.set_viewport_size({"width": 1280, "height": 2000})  # no bar of the page over a high one
    page.evaluate(OPEN)
    for figure in page.locator(DRAWINGS).all():
        shot = Image.open(io.BytesIO(figure.screenshot())).convert("L")
        light = np.asarray(shot, dtype=float) > 150
        assert light.mean() < 0.3, figure.get_attribute("aria-label")
        assert not light[[0, 0, -1, -1], [0, -1, 0, -1]].any(), figure.get_attribute("aria-label")


#: The words in drawings that are shown, and how high their letters are in pixels.
WORDS = """() => [...document.querySelectorAll("article svg")]
  .filter((svg) => svg.getBoundingClientRect().width > 0)
  .flatMap((svg) => {
    const borrowed = [...svg.querySelectorAll("use")].flatMap((use) => {
      const source = document.querySelector(use.getAttribute("href"));
      return [...source.querySelectorAll("text")].map((text) => [text, svg]);
    });
    const own = [...svg.querySelectorAll("text, tspan")].map((text) => [text, text]);
    return [...own, ...borrowed].map(([text, sized]) => {
      const {a, b} = text === sized ? text.getScreenCTM() : svg.getScreenCTM();
      const size = parseFloat(getComputedStyle(sized).fontSize) * Math.hypot(a, b);
      return [text.textContent, size];
    });
  })"""


@pytest.mark.browser
@pytest.mark.parametrize("name", DRAWN_ON)
def test_words_in_figures_can_be_read_on_a_phone(address, visit, name):
    page = visit(390).open(f"{address}/{name}.html")
    page.evaluate(OPEN)
    assert not [(text, size) for text, size in page.evaluate(WORDS) if size < 11]
