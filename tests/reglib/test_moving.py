"""Figures that move: marks lie where the numbers say, and every frame can be shown."""

import re

import numpy as np
import pytest

from reglib.moving import Figure, Panel, figure

SQUARE = Panel("loss", (0, 576), (0, 376))  # one unit of its axes is one unit of the drawing
LEFT, BOTTOM = 80, 424


def places(mark):
    """Return the corners of each outline of a mark's path, in units of SQUARE's axes."""
    outlines = []
    for command, numbers in re.findall(
        r"([A-Za-z])([^A-Za-z]*)", re.search(' d="([^"]*)"', mark)[1]
    ):
        n = [int(number) for number in re.findall(r"-?\d+", numbers)]
        if command == "M":
            outlines.append([np.array([n[0] - LEFT, n[1] - BOTTOM])])
        steps = {"h": [(*n, 0)], "v": [(0, *n)], "l": zip(n[::2], n[1::2], strict=False)}
        for step in steps.get(command, []):
            outlines[-1].append(outlines[-1][-1] + step)
    return [np.array(outline) * [1, -1] for outline in outlines]


def distance(points, line):
    """Return how far each point is from a line through places."""
    starts, ways = line[:-1], np.diff(line, axis=0)
    along = np.einsum("nkd,kd->nk", points[:, None] - starts, ways) / (ways**2).sum(axis=1)
    feet = starts + np.clip(along, 0, 1)[..., None] * ways
    return np.linalg.norm(points[:, None] - feet, axis=-1).min(axis=1)


def test_a_line_passes_every_point_closely():
    x = np.arange(0.0, 576, 0.5)
    y = 180 + 150 * np.sin(x / 40) + np.random.default_rng(0).normal(size=len(x))
    (line,) = places(SQUARE.line(x, y))
    assert distance(np.stack([x, y], axis=1), line).max() < 2
    assert len(line) < len(x) / 2


def test_a_straight_line_keeps_its_two_ends_alone():
    (line,) = places(SQUARE.line(np.arange(100), 2 * np.arange(100)))
    assert line.tolist() == [[0, 0], [99, 198]]


def test_a_line_that_comes_back_to_its_start_is_no_point():
    (line,) = places(SQUARE.line([0, 100, 100, 0], [0, 0, 100, 0]))
    assert len(line) == 4


def test_a_dot_lies_where_its_numbers_say():
    dots = places(SQUARE.dots([10, 20], [30, 40]))
    assert [dot[0].tolist() for dot in dots] == [[10, 30], [20, 40]]


def test_a_bar_stands_on_zero_and_is_as_high_as_its_number():
    panel = Panel("change", (0, 576), (-188, 188))
    up, down = places(panel.bars([10, 20, 30], [50, 0, -60], width=4))
    assert (up - [0, 188]).tolist()[:3] == [[8, 0], [12, 0], [12, 50]]
    assert (down - [0, 188]).tolist()[:3] == [[28, 0], [32, 0], [32, -60]]


def test_a_logarithmic_axis_gives_each_power_the_same_room():
    panel = Panel("loss", (1, 100), (0, 376), xlog=True)
    (line,) = places(panel.line([1, 10, 100], [0, 376, 0]))
    assert line[:, 0].tolist() == [0, 288, 576]


def test_a_region_is_where_the_function_exceeds_one_half():
    x, y = SQUARE.grid(80).T
    (outline,) = places(SQUARE.region(np.hypot(x - 300, y - 180) < 100))
    radius = np.hypot(*(outline - [300, 180]).T)
    assert np.abs(radius - 100).max() < 8  # a cell of the grid


def test_a_region_with_a_hole_has_two_outlines():
    x, y = SQUARE.grid(80).T
    far = np.hypot(x - 300, y - 180)
    mark = SQUARE.region((far > 50) & (far < 150))
    assert len(places(mark)) == 2
    assert 'fill-rule="evenodd"' in mark


def test_a_region_s_edge_lies_outside_where_it_fills_the_panel():
    (outline,) = places(SQUARE.region(np.ones(100)))
    x, y = outline.T
    assert x.min() < 0
    assert x.max() > 576
    assert y.min() < 0
    assert y.max() > 376


def test_cells_are_as_full_as_their_numbers():
    mark = SQUARE.cells([[0, 0.5, 1], [1, 1, 2]])
    paths = re.findall('<path d="([^"]*)" ([^/]*)', mark)
    assert {look: path.count("M") for path, look in paths} == {
        'fill="none" stroke="var(--book-line,#a0a0a0)"': 1,
        'fill-opacity="0.5"': 1,
        'fill-opacity="1"': 4,
    }


def test_cells_lie_in_rows():
    (path,) = re.findall('<path d="([^"]*)"', SQUARE.cells(np.ones((2, 3))))
    corners = np.array([m.split() for m in re.findall(r"M(\d+ \d+)", path)], dtype=int)
    assert len(np.unique(corners[:, 0])) == 3
    assert len(np.unique(corners[:, 1])) == 2


@pytest.mark.parametrize(
    ("limits", "ticks"),
    [
        ((0, 1), ["0", "0.25", "0.5", "0.75", "1"]),
        ((-1.2, 1.2), ["−1", "−0.5", "0", "0.5", "1"]),
        ((0, 200), ["0", "50", "100", "150", "200"]),
        ((0.001, 0.004), ["0.001", "0.002", "0.003", "0.004"]),
    ],
)
def test_axes_have_round_numbers_within_their_limits(limits, ticks):
    axes = Panel("loss", limits, (0.1, 0.2)).axes()
    assert [words for words in re.findall(">([^<]+)<", axes) if words in ticks] == ticks


def test_a_logarithmic_axis_is_numbered_by_powers_of_ten():
    axes = Panel("loss", (0.01, 1), (5, 6), xlog=True).axes()
    assert re.findall(">([^<]+)<", axes)[1:4] == ["0.01", "0.1", "1"]


def test_an_axis_may_have_words():
    axes = Panel("loss", (0, 2), (0, 1), xticks={1: "two & more"}).axes()
    assert ">two &amp; more<" in axes
    assert ">2<" not in axes


def test_color_follows_the_page_and_has_a_stand_in():
    assert 'stroke="var(--book-warm,#d55e00)"' in SQUARE.line([0, 1], [0, 1], "warm")


def test_a_logarithmic_axis_cannot_begin_at_zero():
    with pytest.raises(ValueError, match="x must be above 0 on a logarithmic axis, got"):
        Panel("loss", (0, 1), (0, 1), xlog=True)


@pytest.mark.parametrize(
    "draw",
    [
        lambda: SQUARE.line([0, 600], [0, 1]),
        lambda: SQUARE.dots([-9], [1]),
        lambda: SQUARE.bars([10], [400]),
        lambda: SQUARE.text(0, -1, "low"),
    ],
)
def test_a_mark_outside_of_the_axes_is_refused(draw):
    with pytest.raises(ValueError, match=r"^[xy] must be within the panel's 0 to \d+, got"):
        draw()


def test_marks_need_axes():
    with pytest.raises(ValueError, match="panel 'mask' must have limits x and y for this"):
        Panel("mask").dots([1], [2])


OTHER = Panel("mask")
FRAMES = {
    f"{k}": (
        [SQUARE.line([0, 1], [0, k]), OTHER.cells([[k / 5]])],
        {"loss": k / 3, "zeros": k, "share": f"{k} of 5"},
    )
    for k in range(6)
}
PANELS = [(SQUARE, SQUARE.text(1, 2, "a < b")), (OTHER, "")]


@pytest.fixture(scope="module")
def html():
    return figure("<λ>", PANELS, FRAMES, start="3").html


def test_each_view_borrows_what_is_there_once(html):
    ids = re.findall(' id="([^"]*)"', html)
    assert len(set(ids)) == len(ids)
    assert set(re.findall('href="#([^"]*)"', html)) <= set(ids)
    assert set(re.findall(' for="([^"]*)"', html)) <= set(ids)


def test_every_frame_has_a_drawing_of_each_panel(html):
    name = re.search('class="moving" id="([^"]*)"', html)[1]
    for k, (marks, _) in enumerate(FRAMES.values()):
        for j, mark in enumerate(marks):
            assert f'<g id="{name}-{j}-{k}">{mark}</g>' in html


def test_the_first_the_chosen_and_the_last_frame_stand_still(html):
    assert re.findall("<p>([^<]*)</p>", html) == ["&lt;λ&gt; = 0", "&lt;λ&gt; = 3", "&lt;λ&gt; = 5"]


def test_a_still_is_named_by_its_numbers(html):
    assert 'aria-label="&lt;λ&gt; = 3, loss 1.00, zeros 3, share 3 of 5"' in html


def test_the_slider_starts_at_the_chosen_frame(html):
    slider = re.search("<input[^>]*>", html)[0]
    assert 'type="range"' in slider
    assert 'max="5" value="3"' in slider
    assert 'value="3"' in re.search("<input[^>]*>", figure("λ", PANELS, FRAMES).html)[0]


def test_the_table_has_the_numbers_of_every_frame(html):
    rows = re.findall("<tr>(.*?)</tr>", html)
    cells = [re.findall(">([^<]*)</t[hd]>", row) for row in rows]
    assert cells[0] == ["&lt;λ&gt;", "loss", "zeros", "share"]
    assert cells[1:] == [
        ["0", "0.00", "0", "0 of 5"],
        ["1", "0.333", "1", "1 of 5"],
        ["2", "0.667", "2", "2 of 5"],
        ["3", "1.00", "3", "3 of 5"],
        ["4", "1.33", "4", "4 of 5"],
        ["5", "1.67", "5", "5 of 5"],
    ]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (-0.5, "−0.500"),
        (200.4, "200"),
        (1234, "1234"),
        (np.int64(-7), "−7"),
        (1e-7, "1.00e-07"),
        ("-0.5, not-1", "−0.5, not-1"),
    ],
)
def test_numbers_have_three_digits_or_are_whole(value, written):
    frames = {"1": ([""], {"loss": value}), "2": ([""], {"loss": 0})}
    assert f"<td>{written}</td>" in figure("λ", [(SQUARE, "")], frames).html


def test_the_same_figure_is_the_same_text_and_another_has_other_ids(html):
    again = figure("<λ>", PANELS, FRAMES, start="3").html
    other = figure("<λ>", PANELS, FRAMES, start="4").html
    assert again == html
    ids = [set(re.findall(' id="([^"]*)"', text)) for text in (html, other)]
    assert not ids[0] & ids[1]


def test_a_notebook_shows_the_drawing_and_a_terminal_says_what_it_is():
    shown = figure("λ", PANELS, FRAMES)
    assert isinstance(shown, Figure)
    assert shown._repr_html_() == shown.html
    assert repr(shown) == "Figure that moves: loss and mask, for λ from 0 to 5."
    assert shown.html.count(f'aria-label="{shown!r}"') == 2
