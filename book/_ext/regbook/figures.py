"""Plots are drawn for the page: once wide and once for a phone, on the page's own ground.

This module works in the chapters' kernels. Beside the PNG that a notebook keeps, a matplotlib
figure gives HTML with two drawings, of which the style sheet shows one. For the narrow one, panels
that stand side by side are stacked, and letters keep their size.
"""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING, Any

import numpy as np

from regbook.inline_svg import TURNED, for_the_page
from reglib.plotting.style import PANEL

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

NARROW = 3.5  # inches: 336 pixels of a phone's 390
LOWEST = 3.3  # inches: from here on a panel is as low as its new width makes it
MANY = 1500  # dots of a cloud, above which it is a raster
WHITE = 0.95  # the least of red, green and blue of what counts as white


def load_ipython_extension(shell: Any) -> None:
    """Let a kernel show figures as the page needs them."""
    formatter = shell.display_formatter.mimebundle_formatter
    formatter.for_type_by_name("matplotlib.figure", "Figure", bundle)


def bundle(figure: Figure, include: Any = None, exclude: Any = None) -> Any:
    """Return a figure as a PNG for notebooks and as HTML for the page."""
    from IPython.core.pylabtools import retina_figure

    image, size = retina_figure(figure, base64=True)
    return {"image/png": image, "text/html": html(figure)}, {"image/png": size}


def html(figure: Figure) -> str:
    """Return both drawings of a figure, whose accessible name the page fills in.

    The figure is laid out anew for it and stays so.
    """
    for ax in figure.axes:
        clear(ax)
    figure.patch.set_visible(False)
    wide = drawing(figure, "diagram-wide")
    make_narrow(figure)
    return (
        '<div class="plot diagram-responsive" role="img" aria-label="">'
        f"{wide}{drawing(figure, 'diagram-narrow')}</div>"
    )


def drawing(figure: Figure, kind: str) -> str:
    """Return a figure as an SVG element of a page."""
    import matplotlib

    svg = StringIO()
    options = {"bbox_inches": "tight", "pad_inches": 0.03, "metadata": {"Date": None}}
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "book"}):
        figure.savefig(svg, format="svg", dpi=144, **options)
    return for_the_page(svg.getvalue(), kind)


def clear(ax: Axes) -> None:
    """Let the page be the ground of axes, and of their images where these are white."""
    from matplotlib.colors import same_color

    if same_color(ax.get_facecolor(), PANEL):
        ax.patch.set_visible(False)
    for cloud in ax.collections:
        if len(cloud.get_offsets()) > MANY:
            cloud.set_rasterized(True)
    for line in ax.lines:
        if line.get_marker() != "None" and len(line.get_xdata()) > MANY:
            line.set_rasterized(True)
    for mark in (*ax.images, *ax.collections):
        values = mark.get_array()
        photograph = mark.get_cmap().name == "gray" or (values is not None and values.ndim > 2)
        if values is not None and not photograph:
            make_white_clear(mark)


def make_white_clear(mark: Any) -> None:
    """Let a color map that has white be clear there, and look the same on white."""
    from matplotlib.colors import ListedColormap

    colors = mark.get_cmap()(np.arange(mark.get_cmap().N))
    white = colors[:, :3].min(axis=1, keepdims=True)
    if white.max() < WHITE:
        return
    opacity = np.maximum(1 - white, 1e-9)
    hues = np.clip((colors[:, :3] - white) / opacity, 0, 1)
    mark.set_cmap(ListedColormap(np.hstack([hues, opacity])))
    mark.set_url(TURNED)


def make_narrow(figure: Figure) -> None:
    """Lay a figure out for a phone: one panel a row, or as many pictures as have room."""
    from matplotlib.text import Text

    panels = [ax for ax in figure.axes if ax.get_subplotspec() is not None]
    width, height = figure.get_size_inches()
    if not in_one_grid(panels):
        figure.set_size_inches(NARROW, max(height * NARROW / width, min(height, LOWEST)))
        return
    rows, columns = panels[0].get_subplotspec().get_gridspec().get_geometry()
    pictures = all(ax.images and not (ax.axison and len(ax.get_xticks())) for ax in panels)
    fixed = any(ax.get_aspect() != "auto" for ax in panels)
    for ax in panels:
        narrow_legend(ax)
    if fixed and figure.get_layout_engine() is not None:
        figure.set_layout_engine("compressed")
    for number in range(columns if pictures else 1, 0, -1):
        if columns % number:
            continue
        stack(figure, panels, number)
        across, down = NARROW / number, height / rows
        shrunk = down * across / (width / columns)
        down = shrunk + 0.2 if fixed else max(shrunk, min(down, LOWEST))
        figure.set_size_inches(NARROW, down * rows * columns / number)
        words = [mark for ax in panels for mark in ax.get_children() if isinstance(mark, Text)]
        if number == 1 or not overlap(words):
            return


def in_one_grid(panels: list[Axes]) -> bool:
    """Return whether panels lie in one grid, each in a cell of its own."""
    specs = [ax.get_subplotspec() for ax in panels]
    return len({spec.get_gridspec() for spec in specs}) == 1 and all(
        len(span) == 1 for spec in specs for span in (spec.rowspan, spec.colspan)
    )


def stack(figure: Figure, panels: list[Axes], number: int) -> None:
    """Put panels of a grid into one that is ``number`` wide, in the order of reading."""
    rows, columns = panels[0].get_subplotspec().get_gridspec().get_geometry()
    if columns == number:
        return
    grid = figure.add_gridspec(rows * columns // number, number)
    for ax in panels:
        spec = ax.get_subplotspec()
        place = spec.rowspan.start * columns + spec.colspan.start
        ax.set_subplotspec(grid[place])
        if place % number == 0:
            ax.tick_params(labelleft=True)


def narrow_legend(ax: Axes) -> None:
    """Let a legend that lies stand."""
    legend = ax.get_legend()
    if legend is not None and legend._ncols > 1:
        words = [text.get_text() for text in legend.get_texts()]
        ax.legend(legend.legend_handles, words, title=legend.get_title().get_text())


def overlap(texts: list[Text]) -> bool:
    """Return whether some of the texts run into each other or out of the figure."""
    figure = texts[0].get_figure(root=True)
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in texts if text.get_text() and text.get_visible()]
    outside = any(box.x1 > figure.bbox.x1 for box in boxes)
    return outside or any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
