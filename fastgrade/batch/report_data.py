"""What the gradebook and the journal know about an assignment, for the report."""

from __future__ import annotations

import contextlib
import datetime
import statistics
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fastgrade.batch.journal import Journal, path_of
from fastgrade.batch.similar import similar
from fastgrade.batch.solution import recorded_checks
from fastgrade.course import autograded_folder, source_folder
from fastgrade.course.config import Course
from fastgrade.course.gradebook import AssignmentCells, QuestionResult, Result
from fastgrade.notebook.ipynb import UnreadableError, load, tag_of, text_of
from fastgrade.verdict import Verdict

MOST = 10


@dataclass(frozen=True)
class Answer:
    """An answer as it was written, and by whom."""

    text: str
    students: tuple[str, ...]


@dataclass(frozen=True)
class Mistake:
    """A misconception that the tests recognized, and the answers that share it."""

    questions: tuple[str, ...]
    name: str
    hint: str
    count: int
    answers: tuple[Answer, ...] = ()


@dataclass(frozen=True)
class Alike:
    """Two answers that share passages: whose, and their lines, each with whether it is shared."""

    students: tuple[str, str]
    shared: int
    share: float
    sides: tuple[list[tuple[str, bool]], list[tuple[str, bool]]]


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
    places: str = ""
    similar: tuple[Alike, ...] = ()

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


def collect(course: Course, assignment: str) -> Report:
    """Return what the gradebook and the journal know about an assignment."""
    with course.gradebook() as book:
        cells = book.assignment(assignment)
        results, questions = book.results(cells), book.questions(cells)
    by_student = {result.student: result for result in results}
    verdicts: dict[str, list[Verdict]] = defaultdict(list)
    flags: dict[str, list[str]] = defaultdict(list)
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    code: dict[str, str] = defaultdict(str)
    with Journal(path_of(course.root, assignment), readonly=True) as journal:
        for entry in journal.entries():
            if entry.student not in by_student or entry.notebook not in cells.notebooks:
                continue
            verdict = journal.read(entry)
            folder = autograded_folder.locate(course.coursedir, assignment, entry.student)
            content = _content(folder / f"{entry.notebook}.ipynb")
            code[entry.student] += _code(content, written=True)
            if any(question.mistakes for question in verdict.questions):
                verdict = replace(verdict, autograded=content)
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
    check = recorded_checks(course.root).get(assignment)
    return Report(
        assignment=assignment,
        written=datetime.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z"),
        results=results,
        # A cell that earns nothing, such as a student's overview of what is done, asks nothing.
        questions=[question for question in questions if question.max_score],
        mistakes=_mistakes(verdicts),
        flagged=sorted((student, told) for student, told in flags.items() if told),
        slowest=sorted(times.items(), key=lambda item: (-item[1], item[0]))[:MOST],
        identical=sorted(same, key=lambda item: (-len(item[0]), item[0])),
        max_score=cells.max_score,
        graded_by_us=len(verdicts),
        places="" if check is None else check.told,
        similar=tuple(_alike(code, _given(course, cells))),
    )


def _content(path: Path) -> bytes | None:
    """Return the bytes of a file, None if it is not there any more."""
    return path.read_bytes() if path.is_file() else None


def _alike(code: Mapping[str, str], given: Sequence[str]) -> Iterator[Alike]:
    """Yield the pairs of answers that share passages; equal ones are one answer of several."""
    whose: dict[str, list[str]] = defaultdict(list)
    for student in sorted(code):
        whose[code[student]].append(student)
    answers = {", ".join(students): text for text, students in whose.items()}
    for pair in similar(answers, given):
        first, second = (
            [(line, number in lines) for number, line in enumerate(answers[who].splitlines())]
            for who, lines in zip(pair.students, pair.lines, strict=True)
        )
        yield Alike(pair.students, pair.shared, pair.share, (first, second))


def _given(course: Course, cells: AssignmentCells) -> list[str]:
    """Return the code that everybody may have: what was released, and the instructor's own."""
    given = [cell.source for n in cells.notebooks.values() for cell in n.sources.values()]
    for name in cells.notebooks:
        with contextlib.suppress(OSError):
            notebook = source_folder.source_notebook(course.coursedir, cells.name, name)
            given.append(_code(notebook))
    return given


def _code(content: bytes | None, written: bool = False) -> str:
    """Return the code of a notebook, perhaps only that of the cells where students write."""
    try:
        cells = load(content or b"")["cells"]
    except UnreadableError:
        return ""
    return "".join(
        text_of(cell["source"]) + "\n\n"
        for cell in cells
        if cell["cell_type"] == "code" and (tag_of(cell).get("solution") or not written)
    )


def _mistakes(verdicts: dict[str, list[Verdict]]) -> list[Mistake]:
    """Return each named mistake once, with the students who made it anywhere."""
    students: dict[str, set[str]] = defaultdict(set)
    questions: dict[str, set[str]] = defaultdict(set)
    answers: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    hints: dict[str, str] = {}
    for student, some in verdicts.items():
        for verdict in some:
            texts = _answers(verdict)
            for question in verdict.questions:
                for name, hint in question.mistakes:
                    students[name].add(student)
                    questions[name].add(question.grade_id)
                    hints.setdefault(name, hint)
                    answers[name][texts.get(question.grade_id, "")].add(student)
    ordered = sorted(students, key=lambda name: (-len(students[name]), name))
    return [
        Mistake(
            tuple(sorted(questions[name])),
            name,
            hints[name],
            len(students[name]),
            _most_frequent(answers[name]),
        )
        for name in ordered
    ]


def _most_frequent(answers: dict[str, set[str]]) -> tuple[Answer, ...]:
    found = [Answer(text, tuple(sorted(students))) for text, students in answers.items() if text]
    return tuple(sorted(found, key=lambda answer: (-len(answer.students), answer.students)))


def _answers(verdict: Verdict) -> dict[str, str]:
    """Return for each test of a graded notebook the answer above it, by the test's name."""
    try:
        cells = load(verdict.autograded or b"")["cells"]
    except UnreadableError:
        return {}
    found, answer = {}, ""
    for cell in cells:
        tag = tag_of(cell)
        if tag.get("solution") and cell["cell_type"] == "code":
            answer = text_of(cell["source"])
        elif tag.get("grade"):
            found[str(tag.get("grade_id"))] = answer
    return found
