"""nbgrader's own settings count for `fastgrade`, or it says that they do not."""

import pytest

from tests.fastgrade.classroom import RIGHT, WRONG, counts

HOOKS = """
import json
def _note(when):
    def hook(assignment, student, notebooks):
        with open("hooks.jsonl", "a") as file:
            file.write(json.dumps([when, assignment, student, notebooks]) + "\\n")
        if student == "eve":
            raise ValueError("no eve")
    return hook
c.Autograde.pre_convert_hook = _note("pre")
c.Autograde.post_convert_hook = _note("post")
"""


def calls(classroom):
    import json

    path = classroom.root / "hooks.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_hooks_are_called_once_for_each_submission_that_is_graded(classroom):
    classroom.configure(HOOKS)
    for student, answers in {"ada": RIGHT, "eve": WRONG}.items():
        classroom.hand_in(student, answers)
    done = classroom.fastgrade("ps1")
    seen = calls(classroom)
    assert sorted((when, student) for when, _, student, _ in seen) == [
        *(("post", "ada"), ("post", "eve")),
        *(("pre", "ada"), ("pre", "eve")),
    ]
    for _, assignment, student, notebooks in seen:
        assert assignment == "ps1"
        assert notebooks == [str(classroom.folder(student) / "arithmetic.ipynb")]
    assert "pre_convert_hook failed for eve: ValueError: no eve" in done.stdout
    assert classroom.score("eve") == 3.0, "a hook that fails costs nothing"
    classroom.fastgrade("ps1")
    assert calls(classroom) == seen, "what is up to date is not processed"


@pytest.mark.slow
def test_stock_nbgrader_calls_hooks_with_the_same_words(classroom):
    classroom.configure(HOOKS)
    classroom.hand_in("ada", RIGHT)
    classroom.nbgrader("autograde", "ps1", "--student", "ada")
    stock = calls(classroom)
    (classroom.root / "hooks.jsonl").unlink()
    classroom.fastgrade("ps1", "--students", "ada", "--force")
    assert calls(classroom) == stock


def test_a_hook_may_mend_what_was_handed_in(classroom):
    folder = classroom.hand_in("ada", WRONG)
    classroom.configure(
        "def _mend(assignment, student, notebooks):",
        "    text = open(notebooks[0]).read().replace('a - b', 'a + b')",
        "    open(notebooks[0], 'w').write(text)",
        "c.Autograde.pre_convert_hook = _mend",
    )
    classroom.fastgrade("ps1")
    assert classroom.score("ada") == 5.0
    assert "a + b" in (folder / "arithmetic.ipynb").read_text()
    assert counts(classroom.fastgrade("ps1"))["up to date"] == 1


def test_force_may_stand_in_the_configuration(classroom):
    classroom.hand_in("ada", RIGHT)
    classroom.fastgrade("ps1")
    classroom.configure("c.Autograde.force = True")
    assert counts(classroom.fastgrade("ps1"))["graded"] == 1


@pytest.mark.parametrize("off", ["enabled", "steps"])
def test_late_penalties_can_be_switched_off(classroom, off):
    classroom.configure("c.LateSubmissionPlugin.penalty_method = 'zero'")
    with classroom.gradebook() as book:
        book.update_or_create_assignment("ps1", duedate="2020-01-01 00:00:00 UTC")
    classroom.hand_in("ada", RIGHT, timestamp="2020-01-02 00:00:00 UTC")
    classroom.fastgrade("ps1")
    assert penalty(classroom) == 5.0
    classroom.configure(
        "c.AssignLatePenalties.enabled = False"
        if off == "enabled"
        else "c.Autograde.autograde_preprocessors = [f'nbgrader.preprocessors.{name}' for name in "
        "('Execute', 'IgnorePattern', 'LimitOutput', 'SaveAutoGrades', 'CheckCellMetadata')]"
    )
    classroom.fastgrade("ps1")
    assert not penalty(classroom)


def penalty(classroom):
    with classroom.gradebook() as book:
        return book.find_submission("ps1", "ada").late_submission_penalty


def test_students_who_are_not_enrolled_can_be_refused(classroom):
    classroom.configure("c.Autograde.create_student = False")
    with classroom.gradebook() as book:
        book.add_student("ada")
    for student in ("ada", "eve"):
        classroom.hand_in(student, RIGHT)
    done = classroom.fastgrade("ps1", check=False)
    assert done.returncode == 1
    assert "failed eve" in done.stderr
    assert classroom.score("ada") == 5.0


def test_files_get_the_permissions_that_the_course_sets(classroom):
    classroom.configure("c.Autograde.permissions = 640")
    classroom.hand_in("ada", RIGHT)
    classroom.fastgrade("ps1")
    assert (classroom.autograded("ada") / "arithmetic.ipynb").stat().st_mode & 0o777 == 0o640


def test_students_and_exclusions_of_the_configuration_hold(classroom):
    for student in ("ada", "bob", "eve"):
        classroom.hand_in(student, RIGHT)
    classroom.configure(
        "c.CourseDirectory.student_id = '[ae]*'", "c.CourseDirectory.student_id_exclude = 'eve'"
    )
    classroom.fastgrade("ps1")
    assert [classroom.autograded(name).exists() for name in ("ada", "bob", "eve")] == [
        *(True, False, False)
    ]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("c.CourseDirectory.notebook_id = 'arith*'", "notebook_id"),
        ("c.Execute.enabled = False", "nbgrader autograde --no-execute"),
        ("c.SaveAutoGrades.enabled = False", "SaveAutoGrades"),
        (
            "c.Autograde.autograde_preprocessors = ['nbgrader.preprocessors.Execute']",
            "SaveAutoGrades",
        ),
        ("c.Autograde.exporter_class = 'nbconvert.exporters.HTMLExporter'", "HTMLExporter"),
    ],
)
def test_what_would_change_grades_is_refused(classroom, line, told):
    classroom.configure(line)
    classroom.hand_in("ada", RIGHT)
    done = classroom.fastgrade("ps1", check=False)
    assert done.returncode == 3
    assert told in done.stderr
    assert not classroom.autograded("ada").exists()


def test_what_has_no_effect_is_named(classroom):
    classroom.configure(
        "c.Execute.timeout = 30",
        "c.Execute.skip_cells_with_tag = ''",
        "c.Execute.kernel_name = 'other'",
        "c.ExecutePreprocessor.extra_arguments = ['--pylab']",
        "c.OverwriteCells.missing_cell_notification = 'gone'",
        "c.Autograde.sanitize_preprocessors = ['nbgrader.preprocessors.ClearOutput',"
        " 'nbgrader.preprocessors.ClearSolutions']",
    )
    classroom.hand_in("ada", RIGHT)
    done = classroom.fastgrade("ps1")
    line = next(line for line in done.stdout.splitlines() if "Without effect here" in line)
    assert line.split(": ")[1].rstrip(".").split(", ") == [
        "ClearSolutions in Autograde.sanitize_preprocessors",
        "Execute.kernel_name",
        "ExecutePreprocessor.extra_arguments",
        "OverwriteCells.missing_cell_notification",
    ]


def test_an_ordinary_course_is_told_nothing(classroom):
    classroom.hand_in("ada", RIGHT)
    assert "Without effect" not in classroom.fastgrade("ps1").stdout
