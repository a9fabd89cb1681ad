"""One self-contained page about how a class did, for the instructor.

The scores come from the gradebook, so manual grades and late penalties count. What only the
autograder knows (named mistakes, flags, times, identical submissions) comes from the journal.

The page loads nothing: pictures are SVG inside it, and a Content-Security-Policy says so to the
browser. Everything that a student wrote is escaped.
"""

from __future__ import annotations

import base64
import datetime
import io
import os
import statistics
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined

from fastgrade.batch.journal import Journal, path_of
from fastgrade.course.config import Course
from fastgrade.course.gradebook import QuestionResult, Result
from fastgrade.verdict import Verdict

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SLOWEST = 10
# Okabe and Ito's colors, which the color-blind can tell apart.
BLUE, ORANGE, GRAY = "#0072B2", "#E69F00", "#999999"
# Whatever is drawn in this color takes the color of text, in light and dark mode alike.
INK = "#0a0b0c"


@dataclass(frozen=True)
class Mistake:
    """A misconception that the tests recognized, and how many students share it."""

    questions: tuple[str, ...]
    name: str
    hint: str
    count: int


@dataclass(frozen=True)
class Picture:
    """A drawing with the words that stand for it where it cannot be seen."""

    source: str
    alternative: str
    caption: str


@dataclass(frozen=True)
class Report:
    """All that the page tells."""

    assignment: str
    written: str
    results: list[Result]
    questions: list[QuestionResult]
    mistakes: list[Mistake]
    flagged: list[tuple[str, list[str]]]
    slowest: list[tuple[str, float]]
    identical: list[tuple[list[str], float]]
    max_score: float
    graded_by_us: int

    @property
    def scores(self) -> list[float]:
        """The scores of all students."""
        return [result.score for result in self.results]

    @property
    def mean(self) -> float:
        """The mean score; zero where nobody handed in."""
        return statistics.fmean(self.scores) if self.results else 0.0

    @property
    def median(self) -> float:
        """The median score; zero where nobody handed in."""
        return statistics.median(self.scores) if self.results else 0.0

    @property
    def spread(self) -> float:
        """The standard deviation of the scores; zero for fewer than two."""
        return statistics.stdev(self.scores) if len(self.results) > 1 else 0.0

    @property
    def waiting(self) -> int:
        """How many submissions a human must still look at."""
        return sum(result.needs_manual_grade for result in self.results)

    @property
    def late(self) -> int:
        """How many submissions came after they were due."""
        return sum(result.seconds_late > 0 for result in self.results)


def write_report(course: Course, assignment: str, output: Path | None = None) -> Path:
    """Write the page about an assignment and return where it stands.

    Parameters
    ----------
    course : Course
        Where.
    assignment : str
        About what.
    output : Path, optional
        The file; by default ``report-ASSIGNMENT.html`` in the course.

    Raises
    ------
    GradebookError
        If the gradebook does not know the assignment.
    """
    report = collect(course, assignment)
    output = output or course.root / f"report-{assignment}.html"
    _write(output, render(report))
    return output


def collect(course: Course, assignment: str) -> Report:
    """Return what the gradebook and the journal know about an assignment."""
    with course.gradebook() as book:
        cells = book.assignment(assignment)
        results, questions = book.results(cells), book.questions(cells)
    by_student = {result.student: result for result in results}
    verdicts: dict[str, list[Verdict]] = defaultdict(list)
    flags: dict[str, list[str]] = defaultdict(list)
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    with Journal(path_of(course.root, assignment), readonly=True) as journal:
        for entry in journal.entries():
            if entry.student not in by_student or entry.notebook not in cells.notebooks:
                continue
            verdict = journal.read(entry)
            verdicts[entry.student].append(verdict)
            flags[entry.student] += verdict.flags
            groups[entry.notebook, entry.key].append(entry.student)
        for student in by_student:
            mark = journal.applied(student)
            if mark is not None and mark.flags:
                flags[student] = [*mark.flags, *flags[student]]
    times = {student: sum(v.seconds for v in some) for student, some in verdicts.items()}
    same = [
        (sorted(students), statistics.fmean(by_student[s].score for s in students))
        for students in groups.values()
        if len(students) > 1
    ]
    return Report(
        assignment=assignment,
        written=datetime.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z"),
        results=results,
        questions=questions,
        mistakes=_mistakes(verdicts),
        flagged=sorted((student, told) for student, told in flags.items() if told),
        slowest=sorted(times.items(), key=lambda item: (-item[1], item[0]))[:SLOWEST],
        identical=sorted(same, key=lambda item: (-len(item[0]), item[0])),
        max_score=cells.max_score,
        graded_by_us=len(verdicts),
    )


def render(report: Report) -> str:
    """Return the page as HTML."""
    environment = Environment(
        loader=PackageLoader("fastgrade.batch"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = lambda value: f"{100 * value:.0f} %"
    return environment.get_template("report.html.j2").render(
        report=report, pictures=draw(report) if report.results else {}
    )


def _mistakes(verdicts: dict[str, list[Verdict]]) -> list[Mistake]:
    """Return each named mistake once, with the students who made it anywhere."""
    students: Counter[str] = Counter()
    questions: dict[str, set[str]] = defaultdict(set)
    hints: dict[str, str] = {}
    for some in verdicts.values():
        made = set()
        for question in (q for verdict in some for q in verdict.questions if q.mistake):
            made.add(question.mistake)
            questions[question.mistake].add(question.grade_id)
            hints.setdefault(question.mistake, question.hint)
        students.update(made)
    ordered = sorted(students.items(), key=lambda item: (-item[1], item[0]))
    return [
        Mistake(tuple(sorted(questions[name])), name, hints[name], count) for name, count in ordered
    ]


# ---- pictures ----


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
        axes.yaxis.get_major_locator().set_params(integer=True)
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
    shown = report.mistakes[:SLOWEST]

    def paint(axes: Axes) -> None:
        labels = [mistake.name for mistake in shown]
        bars = axes.barh(labels, [mistake.count for mistake in shown], color=BLUE)
        axes.bar_label(bars, padding=3, color=INK)
        axes.invert_yaxis()
        axes.set(xlabel="students")
        axes.margins(x=0.1)
        axes.xaxis.get_major_locator().set_params(integer=True)

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

    style = {
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


def _write(path: Path, page: str) -> None:
    """Replace a file as a whole; only its owner can read it, for it names students."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, building = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with open(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(page)
        os.replace(building, path)
    except BaseException:
        os.unlink(building)
        raise
