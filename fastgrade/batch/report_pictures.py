"""The pictures of the report: SVG that needs no file, readable in light and dark mode."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fastgrade.batch.report_data import MOST, Report

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's colors, which the color-blind can tell apart.
BLUE, ORANGE, GRAY = "#0072B2", "#E69F00", "#999999"
# Whatever is drawn in this color takes the color of text, in light and dark mode alike.
INK = "#0a0b0c"


@dataclass(frozen=True)
class Picture:
    """A drawing with the words that stand for it where it cannot be seen."""

    source: str
    alternative: str
    caption: str


def draw(report: Report) -> dict[str, Picture]:
    """Return the pictures of a report by name."""
    pictures = {"scores": _draw_scores(report)}
    if report.questions:
        pictures["questions"] = _draw_questions(report)
    if report.mistakes:
        pictures["mistakes"] = _draw_mistakes(report)
    return pictures


def _draw_scores(report: Report) -> Picture:
    top = max(report.max_score, max(report.scores), 1e-9)

    def paint(axes: Axes) -> None:
        bins = min(20, max(5, round(top)))
        axes.hist(report.scores, bins, range=(min(0.0, *report.scores), top), color=BLUE)
        axes.axvline(report.mean, color=ORANGE, linewidth=2, label=f"mean {report.mean:.2f}")
        axes.axvline(report.median, color=INK, linestyle="--", label=f"median {report.median:.2f}")
        axes.set(xlabel=f"score, of {report.max_score:g}", ylabel="students")
        axes.locator_params(axis="y", integer=True)
        axes.legend(frameon=False)

    return Picture(
        _svg(paint, (7.0, 3.2)),
        f"Histogram of {len(report.scores)} scores from {min(report.scores):.2f} to "
        f"{max(report.scores):.2f} of {report.max_score:g}: mean {report.mean:.2f}, median "
        f"{report.median:.2f}, standard deviation {report.spread:.2f}.",
        "How many students reached which score, late penalties taken off.",
    )


def _draw_questions(report: Report) -> Picture:
    questions = report.questions
    names = [question.name for question in questions]
    full = [question.full / question.number for question in questions]
    zero = [(question.zero - question.ungraded) / question.number for question in questions]
    waiting = [question.ungraded / question.number for question in questions]
    part = [max(0.0, 1.0 - f - z - w) for f, z, w in zip(full, zero, waiting, strict=True)]

    def paint(axes: Axes) -> None:
        left = [0.0] * len(names)
        for label, values, color in (
            ("full points", full, BLUE),
            ("some points", part, ORANGE),
            ("no points", zero, GRAY),
        ):
            axes.barh(names, values, left=left, color=color, label=label)
            left = [start + value for start, value in zip(left, values, strict=True)]
        axes.barh(
            names,
            waiting,
            left=left,
            color="none",
            edgecolor=INK,
            linewidth=[0.8 if share else 0.0 for share in waiting],
            label="not graded yet" if any(waiting) else None,
        )
        axes.invert_yaxis()
        axes.set(xlim=(0, 1), xlabel="share of students")
        axes.xaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")
        axes.legend(frameon=False, ncols=4, loc="lower center", bbox_to_anchor=(0.5, 1.0))

    told = "; ".join(
        f"{name} {100 * share:.0f} percent" for name, share in zip(names, full, strict=True)
    )
    return Picture(
        _svg(paint, (7.0, 1.2 + 0.32 * len(names))),
        f"Bar for each question with the share of students who got full points: {told}.",
        "Each question: who got all, some or none of its points.",
    )


def _draw_mistakes(report: Report) -> Picture:
    shown = report.mistakes[:MOST]

    def paint(axes: Axes) -> None:
        labels = [mistake.name for mistake in shown]
        bars = axes.barh(labels, [mistake.count for mistake in shown], color=BLUE)
        axes.bar_label(bars, padding=3, color=INK)
        axes.invert_yaxis()
        axes.set(xlabel="students")
        axes.margins(x=0.1)
        axes.locator_params(axis="x", integer=True)

    told = "; ".join(f"{m.name}, {m.count}" for m in shown)
    return Picture(
        _svg(paint, (7.0, 1.0 + 0.32 * len(shown))),
        f"Bar for each of the commonest named mistakes with its number of students: {told}.",
        "The commonest mistakes that the tests recognized.",
    )


def _svg(paint: Callable[[Axes], None], size: tuple[float, float]) -> str:
    """Draw a picture and return it as the address of an image that needs no file."""
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    style: Any = {
        **dict.fromkeys(
            ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), INK
        ),
        "axes.facecolor": "none",
        "axes.spines.right": False,
        "axes.spines.top": False,
        "font.size": 10,
        "svg.hashsalt": "fastgrade",
        "text.parse_math": False,
    }
    with mpl.rc_context(style):
        figure: Figure = Figure(figsize=size, layout="constrained")
        FigureCanvasSVG(figure)
        paint(figure.add_subplot())
        drawn = io.StringIO()
        figure.savefig(drawn, format="svg", transparent=True, metadata={"Date": None})
    themed = drawn.getvalue().replace(INK, "currentColor")
    start = themed.index("<svg")
    inside = themed.index(">", start) + 1
    colors = (
        "<style>:root{color:#1a1a1a}@media(prefers-color-scheme:dark){:root{color:#e8e8e8}}</style>"
    )
    image = themed[start:inside] + colors + themed[inside:]
    return "data:image/svg+xml;base64," + base64.b64encode(image.encode()).decode()
