"""What a verdict says of honest, wrong, broken and odd submissions."""

import json
import os
import pickle
import subprocess
import sys
import threading
from dataclasses import replace

import nbformat
import numpy as np
import pytest
from nbgrader import utils

from fastgrade.engine.grader import Grader, MachineError, key
from fastgrade.engine.participants import StudentProcess
from fastgrade.notebook.assignment import plan
from fastgrade.notebook.submission import read
from fastgrade.sandbox import SandboxError
from fastgrade.sandbox.protection import Protection
from fastgrade.settings import Limits, Settings
from fastgrade.verdict import QuestionVerdict, Task, Verdict
from tests import ROOT
from tests.fastgrade.attacks import hostile
from tests.fastgrade.attacks.hostile import ANSWERS, SOURCE, STUB, code, notebook
from warmfork.zygote import ZygoteError

pytestmark = pytest.mark.slow

LIMITS = Limits(cell_seconds=5, memory_mb=400)
SETTINGS = Settings(preload=("numpy", "matplotlib.pyplot"), namespaces=False, limits=LIMITS)


@pytest.fixture(scope="module")
def grader():
    with Grader(SETTINGS) as grader:
        yield grader


def grade(grader, source, submission, **files):
    return grader.grade(Task("ps1", "ada", "ps1", source, submission, files))


def question(answer, test, *, setup="", points=2, given=None, extra=()):
    """Return an assignment of one question, and a submission to it."""

    def build(text):
        cells = [code(setup, "setup", locked=True)] if setup else []
        cells.append(code(text, "answer", solution=True))
        cells.append(code(test, "test", grade=True, locked=True, points=points))
        return notebook(*cells, *extra)

    return build(answer), build(answer if given is None else given)


def outcome(grader, *args, **kwargs):
    source, submission = question(*args, **kwargs)
    verdict = grade(grader, source, submission)
    (only,) = verdict.questions
    return only, verdict


def cells(verdict):
    return json.loads(verdict.autograded)["cells"]


# ---- points


@pytest.mark.parametrize(
    ("last", "points"),
    [("None", 2), ("1.5", 1.5), ("np.float64(0.5)", 0.5), ("'done'", 2), ("True", 2), ("0", 0)],
)
def test_the_last_value_of_a_test_is_partial_credit(grader, last, points):
    only, verdict = outcome(grader, "x = 1", f"import numpy as np\nassert x == 1\n{last}")
    assert only.points == points
    assert only.passed is (points == 2)
    test = nbformat.from_dict(cells(verdict)[-1])
    assert utils.determine_grade(test) == (points, 2), "nbgrader's own steps see the same"


@pytest.mark.parametrize(("last", "points"), [("float('nan')", 0), ("-3", 0), ("7", 2)])
def test_impossible_credit_is_no_credit_or_the_maximum(grader, last, points):
    only, verdict = outcome(grader, "x = 1", last)
    assert only.points == points
    assert bool(verdict.flags) is (last == "7")


def test_a_warning_costs_no_points(grader):
    answer = "import warnings\ndef f():\n    warnings.warn('careful')\n    return 1"
    only, verdict = outcome(grader, answer, "assert f() == 1")
    assert only.points == 2
    (output,) = cells(verdict)[-1]["outputs"]
    assert output["name"] == "stdout"
    assert "careful" in "".join(output["text"])


def test_message_hint_and_mistake_come_from_the_test(grader):
    test = (
        "class CheckFailed(AssertionError):\n    mistake = 'sign'\n    hint = 'look at the minus'\n"
        "raise CheckFailed('wrong sign')"
    )
    only, _ = outcome(grader, "x = 1", test)
    assert (only.message, only.hint) == ("wrong sign", "look at the minus")
    assert only.mistakes == (("sign", "look at the minus"),)


def test_all_mistakes_of_a_test_are_kept_and_those_of_partial_credit_too(grader):
    attributes = (
        "    mistakes = {'sign': 'look at the minus', 'scale': 'and at the factor'}\n"
        "    hint = 'look at the minus'\n"
    )
    both = (("sign", "look at the minus"), ("scale", "and at the factor"))
    failing = f"class CheckFailed(AssertionError):\n{attributes}raise CheckFailed('wrong')"
    only, _ = outcome(grader, "x = 1", failing)
    assert (only.points, only.mistakes) == (0, both)
    paying = f"class Earned(float):\n{attributes}    message = 'half of it'\nEarned(1)"
    only, _ = outcome(grader, "x = 1", paying)
    assert (only.points, only.message, only.mistakes) == (1, "half of it", both)
    full = f"class Earned(float):\n{attributes}Earned(2)"
    only, _ = outcome(grader, "x = 1", full)
    assert (only.points, only.message, only.mistakes) == (2, "", ())


def test_a_hint_that_the_message_wraps_is_not_told_twice(grader):
    test = (
        "class CheckFailed(AssertionError):\n    hint = 'look at the minus'\n"
        "raise CheckFailed('wrong sign\\nHint: look at\\n      the minus')"
    )
    _, verdict = outcome(grader, "x = 1", test)
    (output,) = cells(verdict)[-1]["outputs"]
    assert "\n".join(output["traceback"]).count("minus") == 1


def test_hidden_tests_are_cut_from_the_notebook_and_tell_nothing(grader):
    test = "assert f(1) == 1\n### BEGIN HIDDEN TESTS\nassert f(2) == 54321\n### END HIDDEN TESTS"
    only, verdict = outcome(grader, "def f(x):\n    print(x, 'seen')\n    return 1", test)
    assert only.points == 0
    assert only.message == "a hidden test failed"
    assert b"54321" not in verdict.autograded
    (output,) = cells(verdict)[-1]["outputs"]
    assert output["output_type"] == "error"
    assert "seen" not in json.dumps(output)


@pytest.mark.parametrize(
    "test",
    [
        "import numpy as np\nnp.testing.assert_allclose(f(2), 54321)",
        "from pandas import Series, testing\n"
        "testing.assert_series_equal(Series([f(2)]), Series([54321]))",
        "import unittest\nunittest.TestCase().assertEqual(f(2), 54321)",
    ],
)
def test_a_library_does_not_quote_hidden_tests(grader, test):
    hidden = f"### BEGIN HIDDEN TESTS\n{test}\n### END HIDDEN TESTS"
    only, verdict = outcome(grader, "def f(x):\n    return x * 1000", hidden)
    assert (only.points, only.message) == (0, "a hidden test failed")
    assert b"54321" not in verdict.autograded
    assert b"2000" not in verdict.autograded
    visible, _ = outcome(grader, "def f(x):\n    return x * 1000", test)
    assert "54321" in visible.message


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("def f(x):\n    return y", "name 'y' is not defined"),
        ("def f():\n    return 1", "f() takes 0 positional arguments but 1 was given"),
        ("def f(x, y):\n    return 1", "f() missing 1 required positional argument: 'y'"),
        ("def f(x):\n    z += 1", "cannot access local variable 'z' where it is not associated"),
        ("def f(x):\n    return x / 0", "division by zero"),
        ("def f(x):\n    return [][x]", "list index out of range"),
        ("def f(x):\n    raise TypeError('f() takes 1 bcd 2 were given')", ""),
        (
            "def f(x):\n    raise TypeError('f() takes 54 positional arguments but 32 were given')",
            "",
        ),
        ("def f(x):\n    raise IndexError('bcd index out of range')", ""),
        ("def f(x):\n    raise NameError(f\"name 'n{x}' is not defined\")", ""),
        (
            "def f(x):\n    raise NameError(\"name 'n2' is not defined\")",
            "name 'n2' is not defined",
        ),
        (
            "# "
            + "n2 " * 3001
            + "\ndef f(x):\n    raise NameError(f\"name 'n{x}' is not defined\")",
            "",
        ),
    ],
)
def test_a_hidden_test_tells_what_only_the_interpreter_says(grader, answer, told):
    hidden = "### BEGIN HIDDEN TESTS\nf(2)\n### END HIDDEN TESTS"
    only, _ = outcome(grader, answer, hidden)
    text = only.message.partition(": ")[2]
    assert text.startswith(told) if told else text == ""


def test_an_error_that_is_no_assertion_says_in_which_line_of_the_test_it_came_up(grader):
    only, _ = outcome(grader, "def f(x):\n    return None", "twice = 2\ntwice + f(1)")
    assert only.message.startswith("unsupported operand type(s) for +: 'int' and 'NoneType'")
    assert only.message.endswith("(line 2 of the test)")


def test_a_failure_before_hidden_lines_is_explained(grader):
    test = "assert f(1) == 2, 'two'\n### BEGIN HIDDEN TESTS\nassert f(2) == 5\n### END HIDDEN TESTS"
    only, _ = outcome(grader, "def f(x):\n    return 1", test)
    assert only.message == "two"


# ---- what crosses


def test_arguments_changed_in_place_are_changed_for_the_test(grader):
    answer = "def f(a, d, k):\n    a[0] = 9; d['new'] = 1; d['W'] *= 2; k.append(4)"
    test = (
        "import numpy as np\na, d, k = np.zeros(3), {'W': np.ones(2)}, [1]\n"
        "w, view = d['W'], a[:1]\n"
        "f(a, d, k)\nassert a[0] == view[0] == 9 and d['new'] == 1 and k == [1, 4]\n"
        "assert w is d['W'] and w.tolist() == [2, 2]"
    )
    assert outcome(grader, answer, test)[0].points == 2


def test_generators_move_on_on_both_sides(grader):
    answer = (
        "def f(rng, draw):\n    a = rng.random(3)\n    b = draw(rng)\n    return a, b, rng.random()"
    )
    test = (
        "import numpy as np\nrng, twin = np.random.default_rng(3), np.random.default_rng(3)\n"
        "a, b, c = f(rng, lambda r: r.random(2))\nassert np.array_equal(a, twin.random(3))\n"
        "assert np.array_equal(b, twin.random(2)) and c == twin.random()\n"
        "assert rng.random() == twin.random()"
    )
    assert outcome(grader, answer, test)[0].points == 2


def test_generators_spawn_as_in_a_notebook_on_both_sides(grader):
    answer = (
        "def draw(rng, lend):\n    child = rng.spawn(1)[0]\n"
        "    return child.random(3), lend(rng), rng.bit_generator.seed_seq.spawn(1)[0].spawn_key"
    )
    test = (
        "import numpy as np\nrng, twin = np.random.default_rng(3), np.random.default_rng(3)\n"
        "for number in range(2):\n"
        "    a, b, key = draw(rng, lambda r: r.spawn(2)[1].random(2))\n"
        "    assert np.array_equal(a, twin.spawn(1)[0].random(3))\n"
        "    assert np.array_equal(b, twin.spawn(2)[1].random(2))\n"
        "    assert key == twin.bit_generator.seed_seq.spawn(1)[0].spawn_key\n"
        "assert rng.spawn(1)[0].random() == twin.spawn(1)[0].random()"
    )
    only, _ = outcome(grader, answer, test)
    assert only.points == 2, only


THREAD = """
import threading, time
threading.Thread(target=time.sleep, args=[9], daemon=True).start()
"""


@pytest.mark.parametrize("beside", ["", THREAD], ids=["alone", "with a thread"])
@pytest.mark.parametrize(
    ("library", "wanted"),
    [("random", "random.Random(3).random()"), ("np.random", "np.random.RandomState(3).random()")],
)
def test_numbers_that_an_answer_has_seeded_go_on_in_its_tests(grader, beside, library, wanted):
    """As they do in a notebook, which nobody forks."""
    imports = "import random\nimport numpy as np\n"
    answer = f"{imports}{beside}{library}.seed(3)\ndef f():\n    return {library}.random()"
    only, _ = outcome(grader, answer, f"{imports}assert f() == {wanted}")
    assert only.points == 2


def test_functions_of_the_test_are_called_back_and_may_fail(grader):
    answer = (
        "def grad(f, w, eps=1e-6):\n"
        "    return [(f(w + eps) - f(w - eps)) / (2 * eps), f.__class__.__name__]\n"
    )
    test = (
        "slope, _ = grad(lambda w: w**2, 3.0)\nassert abs(slope - 6) < 1e-6\n"
        "class Mine(Exception): pass\ndef bad(w): raise Mine('mine')\n"
        "try:\n    grad(bad, 1.0)\nexcept Mine as error:\n    assert str(error) == 'mine'\n"
        "else:\n    assert False"
    )
    assert outcome(grader, answer, test)[0].points == 2


def test_a_function_of_the_test_called_wrongly_is_told_by_the_line_that_called_it(grader):
    answer = "def apply(f):\n    w = 2\n    return f(w, w)"
    test = (
        "import traceback\ntry:\n    apply(lambda w: w)\nexcept TypeError as error:\n"
        "    *_, last = traceback.extract_tb(error.__traceback__)\n"
        "    assert (last.lineno, last.line) == (3, 'return f(w, w)'), last\n"
        "else:\n    assert False"
    )
    only, _ = outcome(grader, answer, test)
    assert only.points == 2, only


def test_an_error_in_a_function_of_the_test_is_told_by_its_own_line(grader):
    answer = "def apply(f):\n    return f(2)"
    test = "def half(w):\n    assert w == 1\n\napply(half)"
    only, _ = outcome(grader, answer, test)
    assert "line 2 of the test" in only.message, only


def test_a_callback_may_call_the_answer_again(grader):
    answer = "def cost(w):\n    return w**2\ndef apply(f, w):\n    return f(w) + 1"
    test = "assert apply(lambda w: cost(w) * 10, 2) == 41"
    assert outcome(grader, answer, test)[0].points == 2


def test_student_classes_are_used_through_handles(grader):
    answer = (
        "class Stop:\n    def __init__(self, patience=2):\n"
        "        self.patience, self.best = patience, None\n        self.log = {}\n"
        "    def update(self, loss):\n        self.best = loss\n        self.log[loss] = self\n"
        "        return loss > 1\n    def __len__(self):\n        return 3\n"
        "    def __iter__(self):\n        return iter([1, self])\n"
    )
    test = (
        "s = Stop(patience=5)\nassert s.patience == 5 and s.best is None\n"
        "assert s.update(0.5) is False and s.best == 0.5\ns.best = 7\nassert s.best == 7\n"
        "assert len(s) == 3 and isinstance(s, Stop)\nfirst, itself = s\n"
        "assert first == 1 and itself is s and not hasattr(s, 'other')"
    )
    only, _ = outcome(grader, answer, test)
    assert only.points == 2, only


def test_signatures_and_names_can_be_looked_at(grader):
    answer = 'def f(x, *, keep_prob=0.5, rng=None):\n    "Text."\n'
    test = (
        "import inspect\np = inspect.signature(f).parameters\n"
        "assert list(p) == ['x', 'keep_prob', 'rng']\n"
        "assert p['keep_prob'].default == 0.5 and f.__name__ == 'f' and f.__doc__ == 'Text.'"
    )
    assert outcome(grader, answer, test)[0].points == 2


@pytest.mark.parametrize("kind", ["ValueError", "KeyError", "ZeroDivisionError", "OSError"])
def test_built_in_exceptions_keep_their_type(grader, kind):
    answer = f"def f(x):\n    raise {kind}('no')"
    test = (
        f"try:\n    f(1)\nexcept {kind} as error:\n    assert 'no' in str(error)\n"
        "else:\n    assert False"
    )
    assert outcome(grader, answer, test)[0].points == 2


def test_read_only_arguments_cannot_be_written(grader):
    answer = "def f(a):\n    a[0] = 1"
    test = (
        "import numpy as np\na = np.zeros(2)\na.flags.writeable = False\n"
        "try:\n    f(a)\nexcept ValueError:\n    pass\nelse:\n    assert False"
    )
    assert outcome(grader, answer, test)[0].points == 2


# ---- one question alone


def test_a_mutation_in_one_question_is_not_seen_by_the_next(grader):
    source = notebook(
        code(
            "calls = []\ndef f():\n    calls.append(1)\n    return len(calls)", "f", solution=True
        ),
        code("assert f() == 1", "one", grade=True, points=1),
        code("assert f() == 1", "two", grade=True, points=1),
    )
    assert grade(grader, source, source).points == 2


def test_a_crash_costs_its_question_alone(grader):
    source = notebook(
        code("import os\ndef f(x):\n    return os._exit(1) if x else 1", "f", solution=True),
        code("assert f(1) == 1", "one", grade=True, points=1),
        code("assert f(0) == 1", "two", grade=True, points=1),
    )
    verdict = grade(grader, source, source)
    assert [q.points for q in verdict.questions] == [0, 1]
    assert len(verdict.flags) == 1


def test_an_answer_that_has_ended_is_waited_for_asleep(grader, monkeypatch):
    """Its pipes stay ready to be read for good: to look at them keeps a processor from others."""
    looks, attend = [], StudentProcess.attend

    def count(self, *arguments):
        looks.append(self)
        return attend(self, *arguments)

    monkeypatch.setattr(StudentProcess, "attend", count)
    test = "import time\ntry:\n    f()\nexcept BaseException:\n    time.sleep(1)"
    outcome(grader, "import os\ndef f():\n    os._exit(1)", test)
    assert len(looks) < 200


def test_cells_go_on_after_one_that_ends_the_process(grader):
    source = notebook(
        code("x = 1", "x", solution=True),
        code("import os\nos._exit(3)", "y", solution=True),
        code("z = x + 1", "z", solution=True),
        code("assert (x, z) == (1, 2)", "test", grade=True, points=1),
    )
    verdict = grade(grader, source, source)
    assert verdict.points == 1
    assert "ended by itself" in verdict.flags[0]


@pytest.mark.parametrize("mode", ["ps1", "live"])
def test_a_cell_that_crashes_is_not_told_of_the_disk_of_an_earlier_one(classroom_free, mode):
    hoard = "for n in range(9):\n    open(str(n), 'wb').write(bytes(8 << 20))"
    source = notebook(
        code(f"{hoard}\nimport time\ntime.sleep(9)", "hoard", solution=True),
        code("import os\nos.abort()", "abort", solution=True),
        code("assert True", "test", grade=True, points=1),
    )
    verdict = classroom_free.grade(Task(mode, "ada", "ps1", source, source))
    hoarded, aborted = verdict.flags
    assert hoarded == "The cell 'hoard' used more than 64 MB of disk."
    assert aborted.startswith("The cell 'abort' crashed (SIG")  # it cannot send itself the signal
    assert verdict.points == 1


def test_a_test_that_crashes_is_not_told_of_the_disk_of_an_earlier_cell(classroom_free):
    hoard = "for n in range(9):\n    open(str(n), 'wb').write(bytes(8 << 20))"
    source = notebook(
        code(f"{hoard}\nimport time\ntime.sleep(9)", "hoard", solution=True),
        code("import os\ndef f():\n    os.abort()", "abort", solution=True),
        code("f()", "test", grade=True, points=1),
    )
    judged = classroom_free.grade(Task("ps1", "ada", "ps1", source, source))
    assert "disk" not in judged.questions[0].message
    beside = classroom_free.grade(Task("live", "ada", "ps1", source, source))
    assert "crashed (SIG" in beside.questions[0].message


def test_disk_that_an_answer_uses_in_a_test_costs_that_question_alone(classroom_free):
    hoard = "    for n in range(9):\n        open(str(n), 'wb').write(bytes(8 << 20))\n"
    source = notebook(
        code(f"def hoard():\n{hoard}    import time\n    time.sleep(9)", "f", solution=True),
        code("hoard()", "one", grade=True, points=1),
        code("x = 1", "x", solution=True),
        code("assert x == 1", "two", grade=True, points=1),
        code("assert x == 1 and callable(hoard)", "three", grade=True, points=1),
    )
    verdict = classroom_free.grade(Task("ps1", "ada", "ps1", source, source))
    assert [only.points for only in verdict.questions] == [0, 1, 1]
    assert verdict.flags == ("The answer to 'one' used more than 64 MB of disk.",)


def test_forks_that_wait_for_tests_do_not_add_up_to_memory_that_nobody_uses():
    """A notebook of 30 MB with 20 questions, which starts a process of its own."""
    cells = [code("import numpy as np\nx = np.ones(30 << 17)", "x", solution=True)]
    for number in range(20):
        cells.append(code(f"y{number} = {number}", f"y{number}", solution=True))
        cells.append(code(f"assert y{number} == {number}", f"t{number}", grade=True, points=1))
    own = "import os, time\nif os.fork() == 0:\n    time.sleep(60)\ntime.sleep(1)"
    source = notebook(*cells, code(own), code("assert x[0]", "last", grade=True, points=1))
    with Grader(Settings(limits=Limits(memory_mb=200))) as grader:
        verdict = grade(grader, source, source)
    assert (verdict.points, verdict.flags) == (21, ())


def test_memory_that_the_processes_of_a_submission_use_is_summed():
    answer = (
        "import os, time\nfor _ in range(6):\n    if os.fork() == 0:\n"
        "        hoard = bytearray(60 << 20)\n        hoard[::4096] = hoard[::4096]\n"
        "        time.sleep(60)\ntime.sleep(4)"
    )
    source = notebook(
        code(answer, "a", solution=True),
        *(code("assert True", f"t{n}", grade=True, points=1) for n in range(8)),
    )
    with Grader(Settings(limits=Limits(memory_mb=200))) as grader:
        verdict = grade(grader, source, source)
    assert verdict.flags == ("The cell 'a' used more than 200 MB of memory.",)


# ---- what the judge runs


def test_modules_of_the_instructor_beside_the_notebook_can_be_imported(grader):
    files = {
        "checks.py": b"from pathlib import Path\nimport helpers.more\ndef check(f):\n"
        b"    text = (Path(__file__).parent / 'data/one.txt').read_text()\n"
        b"    assert f(int(text)) == 2\n",
        "helpers/__init__.py": b"",
        "helpers/more.py": b"two = 2",
        "data/one.txt": b"1",
    }
    source = notebook(
        code("from helpers import more", "setup", locked=True),
        code("def f(x):\n    return x + 1", "f", solution=True),
        code("from checks import check\ncheck(f)", "one", grade=True, points=1),
        code("assert f(1) == more.two", "two", grade=True, points=1),
    )
    task = Task("ps1", "ada", "ps1", source, source, files, tuple(files))
    assert grader.grade(task).points == 2


def test_modules_that_were_handed_in_are_not_run_by_the_judge(grader):
    source = notebook(
        code("x = 1", "x", solution=True),
        code("from checks import check\ncheck(x)", "t", grade=True, points=1),
    )
    files = {"checks.py": b"def check(x):\n    pass", "mine.py": b""}
    with pytest.raises(MachineError, match=r"No module named 'checks'.*the instructor's only"):
        grader.grade(Task("ps1", "ada", "ps1", source, source, files, ("mine.py",)))


@pytest.mark.parametrize(
    ("test", "files", "told"),
    [
        (
            "import pickle\nassert pickle.load(open('model.pkl', 'rb'))() == f()",
            {"model.pkl": pickle.dumps(os.getpid)},
            "a test unpickles posix.getpid",
        ),
        (
            "import sys\nsys.path.insert(0, '.')\nimport mine  # mine.py\nassert f() and mine.two",
            {"mine.py": b"two = f = 2"},
            "a test runs mine.py",
        ),
    ],
)
def test_what_was_handed_in_is_neither_unpickled_nor_run_by_the_judge(grader, test, files, told):
    source, given = question("import os\ndef f():\n    return os.getpid()", test)
    (only,) = grade(grader, source, given, **files).questions
    assert only.points == 0
    assert told in only.message


def test_arrays_and_tables_may_be_unpickled_where_foreign_code_is_refused(tmp_path):
    program = f"""
import datetime, os, pickle
import numpy as np
import pandas as pd
from fastgrade.engine.foreign_code import ForeignCode
table = pd.DataFrame({{"a": [1.5, 2], "b": ["x", "y"]}}, index=pd.to_datetime(["2026-01-01"] * 2))
values = (np.arange(3.0), np.float64(2), {{1, 2}}, datetime.date(2026, 1, 1), table, table["a"])
ForeignCode({str(tmp_path)!r}).refuse()
for value in values:
    assert type(pickle.loads(pickle.dumps(value))) is type(value)
for value in (os.getpid, pd.read_csv, np.save):
    try:
        pickle.loads(pickle.dumps(value))
    except TypeError:
        continue
    raise AssertionError(value)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr


def test_setup_of_the_instructor_reaches_the_tests(grader):
    setup = (
        "import numpy as np\nfrom math import *\ndata = {'x': np.arange(3.0)}\ndata['y'] = 1\n"
        "def helper(f):\n    return f(data['x']).sum() + cos(0)\n%matplotlib inline"
    )
    only, verdict = outcome(
        grader, "def f(x):\n    return 2 * x", "assert helper(f) == 7", setup=setup
    )
    assert only.points == 2, verdict


def test_libraries_come_from_the_instructor_even_if_only_the_answer_imports_them(grader):
    answer = "import numpy as np\ndef f():\n    return 1"
    patched = "import numpy as np\nnp.isclose = lambda *a: True\ndef f():\n    return 2"
    assert outcome(grader, answer, "assert np.isclose(f(), 1)")[0].points == 2
    assert outcome(grader, answer, "assert np.isclose(f(), 1)", given=patched)[0].points == 0


def test_values_computed_with_answers_are_the_students(grader):
    source = notebook(
        code("def f(x):\n    return 2 * x", "f", solution=True),
        code("value = f(21)", "use", locked=True),
        code("assert value == 42", "test", grade=True, points=1),
    )
    wrong = source.replace(b"return 2 * x", b"return 3 * x")
    assert grade(grader, source, source).points == 1
    assert grade(grader, source, wrong).points == 0


@pytest.mark.parametrize(("begin", "end"), [("BEGIN SOLUTION", "END SOLUTION"), ("<<<", ">>>")])
def test_what_students_are_given_is_told_by_the_marks_of_the_course(begin, end):
    cell = f"import math\n# {begin}\nimport cmath\n# {end}\nimport re"
    source = notebook(
        code(cell, "f", solution=True), code("math, cmath, re", "test", grade=True, points=1)
    )
    assert plan(source, "BEGIN HIDDEN", (begin, end), ()).imported[1] == {"cmath"}


def test_demonstrations_do_not_run_in_the_judge():
    source = notebook(
        code("import numpy as np\nX = np.ones(3)\nimport matplotlib.pyplot as plt"),
        code("plt.plot(X)\nslow = [i for i in range(10**7)]"),
        code("def f(x):\n    return x", "f", solution=True),
        code("assert f(X).sum() == 3", "test", grade=True, points=1),
    )
    judge = "\n".join(plan(source, "BEGIN", ("BEGIN", "END"), ()).judge)
    assert "X = np.ones(3)" in judge
    assert "slow" not in judge
    assert "plt" not in judge


# ---- odd submissions


ODD = {
    "empty": (b"", "empty"),
    "not json": (b"PK\x03\x04", "not JSON"),
    "binary": (bytes(range(128, 256)) * 9, "not text"),
    "truncated": (SOURCE[: len(SOURCE) // 2], "not JSON"),
    "a list": (b"[1, 2]", "no notebook"),
    "no cells": (b'{"nbformat": 4}', "no list of cells"),
    "cells of another kind": (
        b'{"nbformat": 4, "cells": [1, null, {"cell_type": "x"}]}',
        "malformed",
    ),
    "deep": (b"[" * 100_000, "not JSON"),
    "old format without sense": (b'{"nbformat": 3, "worksheets": 7}', "format"),
}


@pytest.mark.parametrize("name", ODD)
def test_what_is_no_notebook_is_flagged_and_scores_nothing(grader, name):
    data, reason = ODD[name]
    verdict = grade(grader, SOURCE, data)
    assert verdict.points == 0
    assert verdict.max_points == 6
    assert any(reason in flag for flag in verdict.flags), verdict.flags
    assert json.loads(verdict.autograded)["nbformat"] == 4


def test_a_huge_submission_is_not_read():
    submitted = read(b"x" * (3 << 20), limit_mb=2)
    assert submitted.cells == ()
    assert "3 MB" in submitted.flags[0]


def test_another_kernel_is_flagged_and_the_courses_is_used(grader):
    data = SOURCE.replace(b'"python3"', b'"ir"').replace(b'"python"', b'"R"')
    verdict = grade(grader, SOURCE, data)
    assert verdict.points == 6
    assert "ir" in verdict.flags[0]


def test_missing_and_renamed_cells_are_flagged_and_the_rest_is_graded(grader):
    data = SOURCE.replace(b'"grade_id": "square"', b'"grade_id": "quadrat"')
    verdict = grade(grader, SOURCE, data)
    assert any("'square' is missing" in flag for flag in verdict.flags)
    assert any("'quadrat' is not one" in flag for flag in verdict.flags)
    assert verdict.points >= 4


def test_a_missing_cell_is_not_filled_with_the_solution(grader):
    nb = json.loads(SOURCE)
    nb["cells"] = [cell for cell in nb["cells"] if cell["id"] != "square"]
    verdict = grade(grader, SOURCE, json.dumps(nb).encode())
    assert verdict.questions[0].points == 0
    assert "x**2" not in json.dumps(cells(verdict))


def test_of_two_copies_the_last_is_graded_and_both_run(grader):
    nb = json.loads(SOURCE)
    copy = json.loads(json.dumps(nb["cells"][1]))
    copy.update(id="copy", source="helper = 2\ndef square(x):\n    return 0")
    nb["cells"].insert(1, copy)
    nb["cells"][2]["source"] = "def square(x):\n    return x**helper"
    verdict = grade(grader, SOURCE, json.dumps(nb).encode())
    assert verdict.points == 6
    assert "more than once" in verdict.flags[0]


def test_cells_that_a_student_adds_run_where_they_stand(grader):
    nb = json.loads(SOURCE)
    nb["cells"].insert(1, code("def helper(x):\n    return x * x"))
    nb["cells"][2]["source"] = "def square(x):\n    return helper(x)"
    data = json.dumps(nb).encode()
    verdict = grade(grader, SOURCE, data)
    assert verdict.points == 6
    assert "helper" in cells(verdict)[1]["source"][0]


def test_added_cells_can_be_left_out(classroom_free):
    nb = json.loads(SOURCE)
    nb["cells"].insert(1, code("def helper(x):\n    return x * x"))
    nb["cells"][2]["source"] = "def square(x):\n    return helper(x)"
    verdict = classroom_free.grade(Task("strict", "ada", "ps1", SOURCE, json.dumps(nb).encode()))
    assert verdict.points == 4
    assert len(cells(verdict)) == len(json.loads(SOURCE)["cells"])


@pytest.fixture(scope="module")
def classroom_free():
    assignments = {"strict": {"extra_cells": "drop"}, "live": {"mode": "kernel"}}
    others = {"open": {"redact_hidden": False}}
    settings = Settings(
        preload=("numpy",),
        namespaces=False,
        limits=replace(LIMITS, disk_mb=64),
        assignments={**assignments, **others},
    )
    with Grader(settings) as grader:
        yield grader


def test_kernel_mode_runs_tests_beside_the_answers(classroom_free):
    source = notebook(
        code("class A:\n    pass\nobj = A()\nobj.value = [1]", "a", solution=True),
        code("obj.value.append(2)\nassert obj.value == [1, 2]", "one", grade=True, points=1),
        code("assert obj.value == [1, 2] and isinstance(obj, A)\n0.5", "two", grade=True, points=1),
        code("assert obj.value == 3", "three", grade=True, points=1),
    )
    verdict = classroom_free.grade(Task("live", "ada", "ps1", source, source))
    assert [q.points for q in verdict.questions] == [1, 0.5, 0]
    assert verdict.questions[2].message.startswith("AssertionError")


def test_hidden_tests_stay_in_the_notebook_if_the_course_wants_that(classroom_free):
    verdict = classroom_free.grade(Task("open", "ada", "ps1", SOURCE, SOURCE))
    assert b"BEGIN HIDDEN" in verdict.autograded


def test_manually_graded_cells_wait_for_a_person(grader):
    text = {**code("YOUR ANSWER HERE", "essay", grade=True, solution=True, points=3)}
    text["cell_type"] = "markdown"
    text.pop("outputs")
    text.pop("execution_count")
    released = utils.compute_checksum(nbformat.from_dict(text))
    text["metadata"]["nbgrader"]["checksum"] = released
    source = notebook({**text, "source": "The model answer."})
    answered = grade(grader, source, notebook({**text, "source": "Mine."}))
    blank = grade(grader, source, notebook(text))
    assert answered.questions[0].passed is None
    assert "Mine." in cells(answered)[0]["source"]
    assert blank.questions[0].passed is False


# ---- files and folders


def test_files_of_the_assignment_are_there_and_private(grader):
    source = notebook(
        code(
            "import os\ntext = open('data/x.txt').read()\nopen('mine', 'w').write('1')",
            "a",
            solution=True,
        ),
        code(
            "assert text == 'hello'\nassert open('data/x.txt').read() == 'hello'",
            "t",
            grade=True,
            points=1,
        ),
    )
    task = Task("ps1", "ada", "ps1", source, source, {"data/x.txt": b"hello"})
    assert grader.grade(task).points == 1
    assert os.listdir(grader._folder.path) == []


def test_forbidden_files_are_out_of_reach_and_readable_ones_are_not(tmp_path):
    for name in ("open.csv", "closed.csv"):
        (tmp_path / name).write_text(name)
    source = notebook(
        code(f"seen = open({str(tmp_path / 'open.csv')!r}).read()", "a", solution=True),
        code(f"more = open({str(tmp_path / 'closed.csv')!r}).read()", "b", solution=True),
        code("assert seen == 'open.csv'", "one", grade=True, points=1),
        code("assert more == 'closed.csv'", "two", grade=True, points=1),
    )
    settings = Settings(readable=(str(tmp_path),), forbidden_files=(str(tmp_path / "closed.csv"),))
    with Grader(settings) as grader:
        verdict = grade(grader, source, source)
    assert [only.points for only in verdict.questions] == [1, 0]


@pytest.mark.parametrize("name", ["/etc/passwd", "../x", "a/../../x"])
def test_files_outside_of_the_folder_are_refused(grader, name):
    with pytest.raises(ValueError, match="files must have paths relative"):
        grader.grade(Task("ps1", "ada", "ps1", SOURCE, SOURCE, {name: b""}))


# ---- the grader itself


def test_one_grader_serves_many_threads(grader):
    verdicts = []
    threads = [
        threading.Thread(target=lambda: verdicts.append(grade(grader, SOURCE, SOURCE)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [verdict.points for verdict in verdicts] == [6] * 4


def test_hidden_tests_are_refused_without_protection():
    nothing = Protection(
        "rlimits", True, 0, False, False, False, False, "", ("Landlock is missing.",)
    )
    with Grader(SETTINGS, nothing) as grader:
        with pytest.raises(SandboxError, match=r"hidden tests .* 'rlimits'.*Landlock is missing"):
            grade(grader, SOURCE, SOURCE)
        visible = notebook(
            code("x = 1", "x", solution=True), code("assert x", "t", grade=True, points=1)
        )
        assert grade(grader, visible, visible).points == 1


def test_a_preload_that_does_not_exist_is_named():
    with (
        pytest.raises(ZygoteError, match="no_such_module"),
        Grader(Settings(preload=("no_such_module",))),
    ):
        pass


def test_a_preload_that_is_forbidden_is_named():
    settings = Settings(preload=("numpy", "json.tool"), forbidden_modules=("json.tool",))
    with pytest.raises(ZygoteError, match=r"json\.tool"), Grader(settings):
        pass


def test_an_instructors_notebook_that_is_none_is_an_error(grader):
    with pytest.raises(ValueError, match="source must be a notebook"):
        grade(grader, b"{", SOURCE)


def test_keys_depend_on_what_counts_and_on_nothing_else():
    task = Task("ps1", "ada", "ps1", SOURCE, SOURCE)
    nb = json.loads(SOURCE)
    nb["metadata"]["x"] = 1
    nb["cells"][0]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "x"}]
    same = Task("ps1", "bob", "ps1", SOURCE, json.dumps(nb).encode())
    other = Task("ps1", "ada", "ps1", SOURCE, SOURCE.replace(b"x**2", b"x*x"))
    files = Task("ps1", "ada", "ps1", SOURCE, SOURCE, {"a": b"1"})
    keys = [key(each, SETTINGS) for each in (task, same, other, files)]
    assert keys[0] == keys[1]
    assert len(set(keys)) == 3
    assert key(task, Settings()) != keys[0]


def test_what_was_read_of_a_submission_is_the_submission(grader):
    nb = json.loads(SOURCE)
    nb["cells"][1]["source"] = "def square(x):\n    return '\ud800'"
    given = Task("ps1", "ada", "ps1", SOURCE, json.dumps(nb).encode())
    known = replace(given, submission=read(given.submission))
    assert key(known, SETTINGS) == key(given, SETTINGS)
    assert Task.from_json(known.to_json()) == known
    verdicts = [grader.grade(task) for task in (given, known)]
    assert verdicts[0].questions == verdicts[1].questions
    assert verdicts[0].autograded == verdicts[1].autograded


def test_verdicts_and_tasks_survive_json(grader):
    task = Task("ps1", "ada", "ps1", SOURCE, b"\x00\xff", {"d": b"\x01"})
    assert Task.from_json(task.to_json()) == task
    verdict = grade(grader, SOURCE, SOURCE)
    assert Verdict.from_json(verdict.to_json()) == verdict
    assert isinstance(verdict.questions[0], QuestionVerdict)
    for text in ("[]", "{}", '{"questions": 3}'):
        with pytest.raises(ValueError, match=r"verdict must be|got"):
            Verdict.from_json(text)
        with pytest.raises(ValueError, match=r"task must be|got"):
            Task.from_json(text)


def test_a_verdict_of_an_earlier_version_can_be_read(grader):
    """The journal keeps them for years, and the report shows them."""
    verdict = grade(grader, SOURCE, SOURCE)
    old = json.loads(verdict.to_json())
    old["key"] = "0" * 64
    old["questions"] = [{**question, "seconds": 0.1} for question in old["questions"]]
    assert Verdict.from_json(json.dumps(old)) == verdict


def test_untouched_stubs_earn_nothing(grader):
    stubs = hostile.submission(dict.fromkeys(ANSWERS, STUB), {})
    assert grade(grader, SOURCE, stubs).points == 0


def test_the_student_never_sees_the_environment_of_the_judge():
    settings = Settings(namespaces=False, judge_environment={"COURSE_SECRET": "s3cret"})
    source = notebook(
        code("import os\nseen = os.environ.get('COURSE_SECRET')", "a", solution=True),
        code(
            "import os\nassert os.environ['COURSE_SECRET'] == 's3cret'\nassert seen is None",
            "t",
            grade=True,
            points=1,
        ),
    )
    with Grader(settings) as grader:
        assert grade(grader, source, source).points == 1


def test_results_do_not_depend_on_who_else_is_graded(grader):
    source, submission = question("x = id(object())", "assert x")
    assert [grade(grader, source, submission).points for _ in range(3)] == [2, 2, 2]
    assert np.isfinite(grade(grader, source, submission).seconds)


def test_processor_time_that_an_answer_uses_up_is_its_own_fault_wherever_that_was():
    limits = Limits(cell_seconds=600, total_seconds=1200, cpu_seconds=1)
    test = "for i in range(n):\n    pass"
    with Grader(Settings(namespaces=False, limits=limits)) as grader:
        only, _ = outcome(grader, "n = 10**15", test)
        assert (only.points, only.message) == (
            0,
            "the test could not cope with what your code returned",
        )
        only, verdict = outcome(grader, "while True:\n    pass", test)
        assert only.points == 0
        assert "used more than 1 s of processor time" in verdict.flags[0]
