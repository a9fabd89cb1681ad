"""The gradebook holds what nbgrader itself would have written, and keeps what humans wrote."""

import datetime
import sqlite3
import threading

import pytest
from nbgrader import api
from sqlalchemy import create_engine, inspect, text

from fastgrade.course.gradebook import (
    INDEXES,
    Gradebook,
    GradebookError,
    NotebookScores,
    SubmissionScores,
    safe_url,
)
from tests.fastgrade.classroom import RIGHT, WRONG, rows

DUE = datetime.datetime(2030, 1, 10, 12, 0)
BEFORE, AFTER = DUE - datetime.timedelta(days=1), DUE + datetime.timedelta(hours=1)
ALL = NotebookScores({"test_add": 2.0, "test_double": 3.0, "why": None}, {"add": None})
SOME = NotebookScores({"test_add": 0.0, "test_double": 3.0, "why": 0.0}, {"why": "No response."})


def entry(student, scores=ALL, timestamp=None, **more):
    return SubmissionScores(student, timestamp, {"arithmetic": scores}, **more)


@pytest.fixture
def book(classroom):
    with Gradebook(f"sqlite:///{classroom.database}") as book:
        yield book


@pytest.fixture
def ps1(book):
    return book.assignment("ps1")


@pytest.fixture
def official(classroom):
    """The gradebook through nbgrader's own API."""
    with classroom.gradebook() as official:
        yield official


@pytest.mark.slow
def test_the_rows_are_those_that_nbgrader_writes(classroom, tmp_path, released_course):
    classroom.hand_in("ada", RIGHT, timestamp="2030-01-11 12:00:00 UTC")
    classroom.hand_in("bob", WRONG, timestamp="2030-01-09 12:00:00 UTC")
    classroom.hand_in("cyd", {})
    classroom.configure("c.LateSubmissionPlugin.penalty_method = 'zero'")
    with classroom.gradebook() as official:
        official.update_or_create_assignment("ps1", duedate=DUE)
    ours = tmp_path / "ours.db"
    ours.write_bytes(classroom.database.read_bytes())
    classroom.nbgrader("autograde", "ps1")

    with Gradebook(f"sqlite:///{ours}", late_penalty=lambda student, score, late: score) as book:
        untouched = {"add": "No response.", "double": "No response.", "why": "No response."}
        full = NotebookScores({"test_add": 2, "test_double": 3, "why": None}, {})
        half = NotebookScores({"test_add": 0, "test_double": 3, "why": None}, {})
        nothing = NotebookScores({"test_add": 0, "test_double": 0, "why": 0}, untouched)
        one_day = datetime.timedelta(days=1)
        book.write(
            book.assignment("ps1"),
            [
                entry("ada", full, DUE + one_day),
                entry("bob", half, DUE - one_day),
                entry("cyd", nothing),
            ],
        )
    assert rows(ours) == rows(classroom.database)


def test_nbgrader_reads_the_scores(book, ps1, official):
    book.write(ps1, [entry("ada"), entry("bob", SOME)])
    submission = official.find_submission("ps1", "ada")
    assert (submission.score, submission.max_score) == (5.0, 6.0)
    assert submission.needs_manual_grade
    assert official.find_submission("ps1", "bob").score == 3.0
    assert not official.find_submission("ps1", "bob").needs_manual_grade
    assert official.find_comment("why", "arithmetic", "ps1", "bob").auto_comment == "No response."


def test_writing_twice_changes_nothing(book, ps1, classroom):
    book.write(ps1, [entry("ada", timestamp=BEFORE), entry("bob", SOME)])
    once = rows(classroom.database)
    book.write(ps1, [entry("ada", timestamp=BEFORE), entry("bob", SOME)])
    assert rows(classroom.database) == once
    assert once[0]


def test_a_regrade_keeps_what_humans_wrote(book, ps1, official):
    book.write(ps1, [entry("ada")])
    grade = official.find_grade("why", "arithmetic", "ps1", "ada")
    grade.manual_score, grade.extra_credit, grade.needs_manual_grade = 0.5, 0.25, False
    official.find_comment("why", "arithmetic", "ps1", "ada").manual_comment = "Well said."
    official.find_submission_notebook("arithmetic", "ps1", "ada").flagged = True
    official.db.commit()
    book.write(ps1, [entry("ada", SOME)])
    official.db.expire_all()
    grade = official.find_grade("why", "arithmetic", "ps1", "ada")
    assert (grade.manual_score, grade.extra_credit, grade.score) == (0.5, 0.25, 0.75)
    assert grade.needs_manual_grade, "a regraded answer is looked at again, as in nbgrader"
    assert official.find_comment("why", "arithmetic", "ps1", "ada").comment == "Well said."
    assert official.find_submission_notebook("arithmetic", "ps1", "ada").flagged
    assert official.find_submission("ps1", "ada").score == 3.75


def test_what_a_human_settled_stays_settled_when_only_the_timestamp_changed(book, ps1, official):
    book.write(ps1, [entry("ada", timestamp=BEFORE)])
    grade = official.find_grade("why", "arithmetic", "ps1", "ada")
    grade.manual_score, grade.needs_manual_grade = 1.0, False
    official.db.commit()
    book.write(ps1, [entry("ada", timestamp=AFTER, regraded=False)])
    official.db.expire_all()
    assert not official.find_grade("why", "arithmetic", "ps1", "ada").needs_manual_grade
    assert official.find_submission("ps1", "ada").timestamp == AFTER


def test_a_notebook_that_was_not_handed_in_scores_zero_and_needs_nobody(book, ps1, official):
    book.write(ps1, [entry("ada", None)])
    submission = official.find_submission("ps1", "ada")
    assert submission.score == 0
    assert not submission.needs_manual_grade


def test_a_submission_without_a_time_keeps_the_recorded_one(book, ps1, official):
    book.write(ps1, [entry("ada", timestamp=BEFORE)])
    book.write(ps1, [entry("ada", timestamp=None)])
    assert official.find_submission("ps1", "ada").timestamp == BEFORE


@pytest.mark.parametrize(
    ("penalty", "recorded"), [(1.5, 1.5), (99.0, 5.0), (-3.0, 0.0), (None, None)]
)
def test_a_late_penalty_is_at_least_zero_and_at_most_the_score(
    classroom,
    official,
    penalty,
    recorded,
):
    official.update_or_create_assignment("ps1", duedate=DUE)
    asked = []

    def plugin(student, score, seconds):
        asked.append((student, score, seconds))
        return penalty

    with Gradebook(f"sqlite:///{classroom.database}", late_penalty=plugin) as book:
        ps1 = book.assignment("ps1")
        book.write(ps1, [entry("ada", timestamp=AFTER), entry("bob", timestamp=BEFORE)])
    assert asked == [("ada", 5.0, 3600.0)]
    late = official.find_submission_notebook("arithmetic", "ps1", "ada")
    assert late.late_submission_penalty == recorded
    assert (
        official.find_submission_notebook("arithmetic", "ps1", "bob").late_submission_penalty
        is None
    )


def test_an_extension_lifts_the_penalty(classroom, official):
    official.update_or_create_assignment("ps1", duedate=DUE)
    with Gradebook(f"sqlite:///{classroom.database}", late_penalty=lambda *_: 5.0) as book:
        book.write(book.assignment("ps1"), [entry("ada", timestamp=AFTER)])
        official.grant_extension("ps1", "ada", hours=2)
        book.write(book.assignment("ps1"), [entry("ada", timestamp=AFTER)])
    official.db.expire_all()
    assert official.find_submission("ps1", "ada").late_submission_penalty == 0.0


def test_what_is_held_is_told_by_student(book, ps1):
    book.write(ps1, [entry("ada", timestamp=BEFORE), entry("bob", SOME)])
    held = book.held(ps1)
    assert held["ada"].scores == {"arithmetic": (2, 5.0)}
    assert held["ada"].timestamp == BEFORE
    assert held["bob"].scores == {"arithmetic": (3, 3.0)}
    assert set(book.held(ps1, {"bob", "nobody"})) == {"bob"}


def test_results_agree_with_nbgrader(classroom, official):
    official.update_or_create_assignment("ps1", duedate=DUE)
    with Gradebook(f"sqlite:///{classroom.database}", late_penalty=lambda *_: 1.0) as book:
        ps1 = book.assignment("ps1")
        book.write(ps1, [entry("ada", timestamp=AFTER), entry("bob", SOME)])
        results = book.results(ps1)
        questions = {q.name: q for q in book.questions(ps1)}
    for result in results:
        submission = official.find_submission("ps1", result.student)
        assert result.score == submission.score - submission.late_submission_penalty
        assert result.max_score == submission.max_score
        assert result.needs_manual_grade == submission.needs_manual_grade
        assert result.seconds_late == submission.total_seconds_late
    assert [result.penalty for result in results] == [1.0, 0.0]
    add, why = questions["test_add"], questions["why"]
    assert (add.number, add.mean, add.full, add.zero, add.ungraded) == (2, 1.0, 1, 1, 0)
    assert (why.max_score, why.zero, why.ungraded) == (1.0, 2, 1)


def test_a_batch_is_all_or_nothing(book, ps1, monkeypatch):
    def fails(student, score, seconds):
        raise OverflowError(student)

    book.late_penalty = fails
    with book.engine.begin() as connection:
        connection.execute(text("UPDATE assignment SET duedate = '2020-01-01 00:00:00.000000'"))
    ps1 = book.assignment("ps1")
    with pytest.raises(OverflowError):
        book.write(ps1, [entry("ada"), entry("bob", timestamp=AFTER)])
    assert book.held(ps1) == {}
    with book.engine.connect() as connection:
        assert connection.execute(text("SELECT id FROM student")).all() == []


def test_a_lock_that_somebody_holds_is_waited_for(book, ps1, classroom):
    other = sqlite3.connect(classroom.database, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    release = threading.Timer(0.5, lambda: other.execute("ROLLBACK"))
    release.start()
    book.write(ps1, [entry("ada")])
    release.join()
    other.close()
    assert set(book.held(ps1)) == {"ada"}


def test_a_student_is_not_added_where_the_course_forbids_it(classroom, official):
    with Gradebook(f"sqlite:///{classroom.database}", create_students=False) as book:
        ps1 = book.assignment("ps1")
        with pytest.raises(GradebookError, match="no student 'ada'"):
            book.write(ps1, [entry("ada")])
        official.add_student("ada")
        book.write(ps1, [entry("ada")])
        assert set(book.held(ps1)) == {"ada"}


def test_wal_and_indexes_are_set_once_and_reported(book):
    told = book.prepare()
    assert len(told) == 2
    assert "WAL" in told[0]
    assert f"{len(INDEXES)} indexes" in told[1]
    assert book.prepare() == []
    assert book.journal_mode() == "wal"
    assert book.missing_indexes() == []


def test_every_foreign_key_is_indexed(book):
    book.prepare()
    inspector = inspect(book.engine)
    for table in inspector.get_table_names():
        leading = {index["column_names"][0] for index in inspector.get_indexes(table)}
        leading |= {
            constraint["column_names"][0] for constraint in inspector.get_unique_constraints(table)
        }
        leading |= set(inspector.get_pk_constraint(table)["constrained_columns"])
        for key in inspector.get_foreign_keys(table):
            assert key["constrained_columns"][0] in leading, (table, key)


def test_nbgraders_look_up_of_a_grade_reads_no_whole_table_of_grades(book, ps1):
    book.prepare()
    book.write(ps1, [entry("ada")])
    with book.engine.connect() as connection:
        plan = connection.execute(
            text(
                "EXPLAIN QUERY PLAN SELECT g.id FROM grade g "
                "JOIN submitted_notebook sn ON sn.id = g.notebook_id "
                "JOIN submitted_assignment sa ON sa.id = sn.assignment_id "
                "WHERE sa.student_id = 'ada'"
            )
        ).fetchall()
    assert not any(row.detail.startswith("SCAN") for row in plan), plan


def test_an_empty_or_foreign_database_is_explained(tmp_path):
    with Gradebook(f"sqlite:///{tmp_path}/new.db") as book:
        assert not book.is_set_up()
        with pytest.raises(GradebookError, match="nbgrader generate_assignment"):
            book.prepare()
        with pytest.raises(GradebookError, match="nbgrader generate_assignment ps9"):
            book.assignment("ps9")


def test_an_unknown_assignment_is_explained(book):
    with pytest.raises(GradebookError, match=r"no assignment 'ps9'.*ps1"):
        book.assignment("ps9")


def test_a_grade_cell_that_was_added_later_gets_its_row(book, ps1, official):
    book.write(ps1, [entry("ada")])
    official.add_grade_cell("extra", "arithmetic", "ps1", max_score=4, cell_type="code")
    scores = NotebookScores({**ALL.scores, "extra": 4.0}, {})
    book.write(book.assignment("ps1"), [entry("ada", scores)])
    assert official.find_submission("ps1", "ada").score == 9.0


def test_a_password_is_never_shown():
    assert "secret" not in safe_url("postgresql://teacher:secret@host/grades")


def test_the_schema_stays_nbgraders(book):
    book.prepare()
    tables = set(inspect(create_engine(book.db_url)).get_table_names())
    assert tables == {*api.Base.metadata.tables, "alembic_version"}


def test_more_submissions_than_a_statement_takes(book, ps1):
    names = [f"s{number}" for number in range(1201)]
    book.write(ps1, [entry(name) for name in names])
    assert set(book.held(ps1)) == set(names)
    assert set(book.held(ps1, {*names[100:], "nobody"})) == set(names[100:])
    assert set(book.held(ps1, {f"x{number}" for number in range(20_000)} | {"s7"})) >= {"s7"}
