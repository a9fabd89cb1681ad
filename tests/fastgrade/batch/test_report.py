"""The report tells what gradebook and journal know, alone in one file, and runs nothing."""

import base64
import html.parser
import re

import nbformat
import pytest

from fastgrade.batch.report import render
from fastgrade.batch.report_data import Alike, Answer, Mistake, Report, collect
from fastgrade.batch.report_pictures import draw
from fastgrade.course.config import load_course
from fastgrade.course.gradebook import (
    Gradebook,
    NotebookScores,
    QuestionResult,
    Result,
    SubmissionScores,
)
from tests.fastgrade.classroom import RIGHT, WRONG

pytestmark = pytest.mark.slow

EVIL = "<script>alert(1)</script>'\"&$x$"


class Page(html.parser.HTMLParser):
    """The elements of a page."""

    def __init__(self, text):
        super().__init__()
        self.elements = []
        self.text = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.text.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def result(student, score, **more):
    known = {"penalty": 0.0, "needs_manual_grade": False, "seconds_late": 0.0, **more}
    return Result(student, score, 6.0, **known)


def report(**more):
    known = {
        "assignment": "ps1",
        "written": "2030-01-01 12:00 UTC",
        "results": [result("ada", 6.0), result("bob", 3.0, penalty=1.0, seconds_late=60.0)],
        "questions": [QuestionResult("arithmetic", "test_add", 2.0, 2, 1.0, 1, 1, 0)],
        "mistakes": [Mistake(("test_add",), "minus for plus", "mind the sign", 1)],
        "flagged": [("bob", ["A cell is missing."])],
        "slowest": [("bob", 1.25), ("ada", 0.5)],
        "identical": [(["ada", "bob"], 4.5)],
        "max_score": 6.0,
        "graded_by_us": 2,
        **more,
    }
    return Report(**known)


def pictures(text):
    """The pictures of a page, decoded."""
    return [
        base64.b64decode(image["src"].removeprefix("data:image/svg+xml;base64,")).decode()
        for image in Page(text).all("img")
    ]


def test_everything_is_in_the_page():
    text = render(report())
    words = " ".join(" ".join(Page(text).text).split())
    for told in (
        "4.50 ± 2.12",
        "minus for plus test_add 1 mind the sign",
        "bob A cell is missing.",
        "ada, bob 2 4.50",
        "bob 1.25",
        "test_add 2 1.00 50 % 50 % 0",
    ):
        assert told in words, told


def test_every_picture_says_in_words_what_it_shows():
    images = Page(render(report())).all("img")
    assert len(images) == 3
    scores, questions, mistakes = (image["alt"] for image in images)
    assert "2 scores from 3.00 to 6.00 of 6: mean 4.50" in scores
    assert "test_add 50 percent" in questions
    assert "minus for plus, 1" in mistakes


@pytest.mark.browser
def test_the_page_is_accessible_on_a_phone(browser, tmp_path):
    """With tables wider than the screen, which the keyboard can scroll."""
    from axe_playwright_python.sync_playwright import Axe

    wide = "a_name_that_is_longer_than_a_phone_is_wide_by_some_signs"
    words = (Answer("x = 1\n", ("ada",)),)
    path = tmp_path / "report.html"
    path.write_text(
        render(
            report(
                mistakes=[Mistake((wide, wide), "minus for plus", "mind the sign", 1, words)],
                questions=[QuestionResult("arithmetic", wide, 2.0, 2, 1.0, 1, 1, 0)],
            )
        ),
        encoding="utf-8",
    )
    view = browser.new_page(viewport={"width": 390, "height": 900})
    view.goto(path.as_uri())
    assert view.evaluate("document.documentElement.scrollWidth") <= 390
    wider = "(all) => all.some((one) => one.scrollWidth > one.clientWidth)"
    assert view.locator(".wide").evaluate_all(wider)
    options = {"preload": False, "resultTypes": ["violations"]}
    found = Axe().run(view, options=options).response["violations"]
    view.close()
    assert [(one["id"], one["nodes"][0]["html"][:200]) for one in found] == []


def test_the_page_asks_nothing_of_any_host():
    text = render(report())
    page = Page(text)
    assert not page.all("script")
    assert not page.all("link")
    for image in page.all("img"):
        assert image["src"].startswith("data:")
    (policy,) = [
        m["content"] for m in page.all("meta") if "content" in m and "'none'" in m["content"]
    ]
    assert policy.startswith("default-src 'none'")
    assert not re.search(r"url\(\s*['\"]?http", text)


def test_what_students_wrote_is_text_not_markup():
    evil = report(
        results=[result(EVIL, 1.0)],
        questions=[QuestionResult("n", EVIL, 2.0, 1, 1.0, 0, 0, 0)],
        mistakes=[Mistake((EVIL,), EVIL, EVIL, 1, (Answer(EVIL, (EVIL,)),))],
        flagged=[(EVIL, [EVIL])],
        slowest=[(EVIL, 1.0)],
        identical=[([EVIL, EVIL], 1.0)],
        similar=(Alike((EVIL, EVIL), 12, 0.9, ([(EVIL, True)], [(EVIL, False)])),),
        assignment=EVIL,
    )
    text = render(evil)
    page = Page(text)
    assert not page.all("script")
    assert "<script" not in text
    assert EVIL in "".join(page.text)
    for picture in pictures(text):
        assert "<script" not in picture


def test_pictures_follow_light_and_dark_mode():
    for picture in pictures(render(report())):
        assert "currentColor" in picture
        assert "prefers-color-scheme:dark" in picture
        assert "#0a0b0c" not in picture
        assert not re.search(r"fill: #000000|fill: #ffffff|stroke: #000000", picture)


def test_the_same_report_is_the_same_page():
    assert render(report()) == render(report())


@pytest.mark.parametrize(
    "scores", [[0.0], [6.0], [0.0] * 5, [2.5, 7.5], [-1.0, 3.0], list(range(7)) * 50]
)
def test_any_scores_can_be_drawn(scores):
    results = [result(f"s{n}", float(score)) for n, score in enumerate(scores)]
    assert set(draw(report(results=results))) == {"scores", "questions", "mistakes"}


def test_nobody_and_nothing_can_be_reported():
    text = render(report(results=[], questions=[], mistakes=[], flagged=[], slowest=[]))
    assert "Nobody's submission has been graded yet." in text
    text = render(report(mistakes=[], flagged=[], identical=[], slowest=[], graded_by_us=0))
    for told in (
        *("no named mistake", "Nothing was odd", "No two are the same", "No times"),
        "No two share enough",
    ):
        assert told in text
    assert "2 of them were not graded by fastgrade" in text


NAMED = """
class CheckFailed(AssertionError):
    mistakes = {"minus for plus": "Mind the sign."}

if add(2, 1) == 1:
    raise CheckFailed("not right yet")
assert add(2, 1) == 3
"""


def test_answers_are_gathered_by_the_mistake_that_they_share(classroom):
    source = classroom.root / "source/ps1/arithmetic.ipynb"
    notebook = nbformat.read(source, as_version=4)
    (test,) = (
        c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") == "test_add"
    )
    test.source = NAMED
    nbformat.write(notebook, source)
    classroom.nbgrader("generate_assignment", "ps1", "--force")
    minus, reverse = ("def add(a, b):\n    return " + text for text in ("a - b", "-(b - a)"))
    for student, text in {"ada": reverse, "bob": minus, "cyd": minus}.items():
        classroom.hand_in(student, RIGHT | {"add": text})
    classroom.fastgrade("ps1")
    (mistake,) = collect(load_course(classroom.root), "ps1").mistakes
    assert (mistake.name, mistake.count, mistake.questions) == ("minus for plus", 3, ("test_add",))
    assert mistake.answers == (Answer(minus, ("bob", "cyd")), Answer(reverse, ("ada",)))


def test_of_many_different_answers_the_most_frequent_are_shown():
    answers = tuple(Answer(f"answer {n}", (f"student {n}",)) for n in range(12))
    text = render(report(mistakes=[Mistake(("test_add",), "sign", "mind it", 12, answers)]))
    assert "12 different answers" in text
    assert "answer 9" in text
    assert "answer 10" not in text
    assert "2 more" in text


LONG = """
def add(a, b):
    total, sign = 0, 1
    for number in (a, b):
        if number < 0:
            sign, number = -1, -number
        while number > 0:
            total, number = total + sign * min(number, 1), number - 1
    print("the sum is", total, "after", sign)
    return total
"""


def test_similar_answers_stand_side_by_side(classroom):
    other = LONG.replace("total", "s").replace("number", "n").replace("sign", "q") + "# mine\n"
    for student, text in {"ada": LONG, "bob": LONG, "cyd": other}.items():
        classroom.hand_in(student, RIGHT | {"add": text})
    classroom.hand_in("dan", RIGHT)
    classroom.fastgrade("ps1")
    found = collect(load_course(classroom.root), "ps1")
    (pair,) = found.similar
    assert pair.students == ("ada, bob", "cyd")
    text = render(found)
    page = Page(text)
    assert {"href": "#similar-1"} in page.all("a")
    assert "similar-1" in [section["id"] for section in page.all("section")]
    marked = re.findall("<mark>(.*?)</mark>", text)
    assert any("min(number, 1)" in line for line in marked)
    assert any("min(n, 1)" in line for line in marked)
    for word in ("cheat", "plagiar", "copied", "fraud", "suspic"):
        assert word not in text.lower()


def test_the_command_reports_on_a_graded_class(classroom):
    classroom.hand_in("ada", RIGHT)
    classroom.hand_in("bob", RIGHT)
    classroom.hand_in("cyd", WRONG | {"why": "Other words."})
    classroom.hand_in("dan", {"add": "import os\nos._exit(0)", "double": "1 +", "why": ""})
    classroom.fastgrade("ps1")
    with classroom.gradebook() as book:
        book.find_grade("why", "arithmetic", "ps1", "ada").manual_score = 1.0
        book.db.commit()
    found = collect(load_course(classroom.root), "ps1")
    assert [(r.student, r.score) for r in found.results] == [
        ("ada", 6.0),
        ("bob", 5.0),
        ("cyd", 3.0),
        ("dan", 0.0),
    ]
    assert found.identical == [(["ada", "bob"], 5.5)]
    assert [student for student, _ in found.flagged] == ["dan"]
    assert {student for student, _ in found.slowest} == {"ada", "bob", "cyd", "dan"}
    assert [question.name for question in found.questions] == ["test_add", "test_double", "why"]
    done = classroom.fastgrade("report", "ps1")
    assert "report-ps1.html" in done.stdout
    path = classroom.root / "report-ps1.html"
    assert "dan" in path.read_text()
    assert path.stat().st_mode & 0o077 == 0, "it names students"


def test_a_course_that_fastgrade_never_graded_can_be_reported(classroom):
    with Gradebook(f"sqlite:///{classroom.database}") as book:
        scores = NotebookScores({"test_add": 2.0}, {})
        book.write(book.assignment("ps1"), [SubmissionScores("ada", None, {"arithmetic": scores})])
    classroom.fastgrade("report", "ps1")
    text = (classroom.root / "report-ps1.html").read_text()
    assert "1 of them were not graded by fastgrade" in text
    assert not (classroom.root / ".fastgrade").exists()
