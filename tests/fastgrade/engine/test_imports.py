"""What a notebook imports is imported once, before anybody's time is counted."""

import pytest

from fastgrade.engine.grader import Grader
from fastgrade.settings import Limits, Settings
from fastgrade.verdict import Task
from tests.fastgrade.cells import code, notebook

pytestmark = pytest.mark.slow


def grade(settings, answer, test, setup="", **files):
    source = notebook(
        code(setup, "setup", locked=True),
        code(answer, "answer", solution=True),
        code(test, "test", grade=True, locked=True, points=1),
    )
    with Grader(settings) as grader:
        return grader.grade(Task("ps1", "ada", "ps1", source, source, files))


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A function that installs a module."""
    monkeypatch.syspath_prepend(tmp_path)

    def install(name, text):
        (tmp_path / f"{name}.py").write_text(text)
        return str(tmp_path / f"{name}.py")

    return install


def test_a_package_that_takes_longer_to_import_than_a_cell_may_run_costs_nothing(package):
    package("heavy", "import time\ntime.sleep(3)\nVALUE = 7")
    verdict = grade(
        Settings(limits=Limits(cell_seconds=2)),
        "def f(): return heavy.VALUE",
        "assert f() == heavy.VALUE",
        setup="import heavy",
    )
    assert verdict.points == 1, verdict.flags


@pytest.mark.parametrize(
    ("text", "is_hidden", "is_shared"),
    [
        ("", False, True),
        ("import threading\nthreading.Thread(target=threading.Event().wait).start()", False, False),
        ("", True, False),
    ],
    ids=["plain", "starts a thread", "hidden from answers"],
)
def test_forks_share_no_module_that_they_must_not_have(package, text, is_hidden, is_shared):
    file = package("odd", text)
    verdict = grade(
        Settings(forbidden_files=(file,) if is_hidden else ()),
        "import sys\nbefore = 'odd' in sys.modules\n"
        "try:\n    import odd\nexcept OSError:\n    pass",
        f"assert before is {is_shared}",
    )
    assert verdict.points == 1, verdict.flags
