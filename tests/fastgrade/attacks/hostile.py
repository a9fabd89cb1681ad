"""Hostile submissions: one file each below ``submissions/``, whose README says how to add one.

They answer one small assignment (`SOURCE`), or one of their own.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.fastgrade.cells import code, notebook

#: In hidden tests, in the judge's environment, in a forbidden module, in files of the course.
SECRETS = {
    "test": "f7c1d0aa51",
    "environment": "9e0b44c2d7",
    "module": "3a86e17f0c",
    "gradebook": "c4d92b68ee",
    "classmate": "77aa03bd19",
    "input": "715537.25",
}


def spelled(number: str) -> str:
    """Return the digits of a number as letters."""
    return "".join("abcdefghij"[int(digit)] for digit in number if digit.isdigit())


FORBIDDEN_MODULE = f'''"""Reference answers."""

TOKEN = "{SECRETS["module"]}"


def square(x):
    return x**2
'''


ANSWERS = {
    "square": "def square(x):\n    return x**2",
    "average": "def average(f, n):\n    return sum(f(i) for i in range(n)) / n",
    "fill": "def fill(a):\n    a[:] = 7.0\n    return a",
    "counter": (
        "class Counter:\n"
        "    def __init__(self):\n        self.count = 0\n"
        "    def tick(self):\n        self.count += 1\n        return self.count"
    ),
}
STUB = "raise NotImplementedError('write your answer here')"
_HIDDEN = "### BEGIN HIDDEN TESTS\n{}\n### END HIDDEN TESTS"
TESTS = {
    "square": "assert square(3) == 9\n"
    + _HIDDEN.format(
        f"token = '{SECRETS['test']}'\n"
        f"assert square({SECRETS['input']}) == {SECRETS['input']} ** 2\n"
        "assert np.allclose(square(np.array([1.5, -2.0])), [2.25, 4.0]), token"
    ),
    "average": _HIDDEN.format(
        "assert average(lambda i: 3.0 * i, 5) == 6.0\n"
        f"token = '{SECRETS['test']}'\n"
        "got = average(np.sqrt, 3)\n"
        "2 * (1 - abs(got - np.sqrt([0, 1, 2]).mean()))"
    ),
    "fill": "a = np.zeros(3)\nb = fill(a)\nassert np.array_equal(a, [7.0] * 3)\n"
    "assert np.array_equal(b, [7.0] * 3)",
    "counter": "c = Counter()\nassert [c.tick(), c.tick()] == [1, 2]\nassert c.count == 2",
}
POINTS = {"square": 2, "average": 2, "fill": 1, "counter": 1}


def submission(
    answers: dict[str, str], tests: dict[str, str], extra: tuple[dict, ...] = ()
) -> bytes:
    cells = [code("import numpy as np\nfrom answers import square as reference")]
    for name in ANSWERS:
        cells.append(code(answers.get(name, STUB), name, solution=True))
        cells.append(
            code(tests.get(name, ""), f"test-{name}", grade=True, locked=True, points=POINTS[name])
        )
    return notebook(*cells, *extra)


SOURCE = submission(ANSWERS, TESTS)


@dataclass(frozen=True)
class Attack:
    """One hostile submission.

    Parameters
    ----------
    kind : {"read", "forge", "harm", "stall"}
        What it is after; the folder of its file.
    name : str
        What it is called in reports; the name of its file.
    tries : str
        What it does, in a sentence.
    answers : dict of str to str
        Source of its solution cells, by name; the others are left as they were.
    earns : float
        Points that it has earned by an honest answer.
    extra : list of str
        Cells that it adds at the end.
    notebook : str
        Code that changes the notebook ``nb``, or makes the bytes ``data`` from it.
    course : dict of str to dict
        Its own assignment, if it needs one: for each question ``answer``, ``test`` and ``points``.
    accomplice : dict of str to str
        Answers of a second submission that is graded at the same time.
    needs : str
        The level of protection below which it is not held back.
    account : bool
        Whether it is tried as an ordinary account, too, all of whose submissions are one user.
    """

    kind: str
    name: str
    tries: str
    answers: dict[str, str] = field(default_factory=dict)
    earns: float = 0.0
    extra: list[str] = field(default_factory=list)
    notebook: str = ""
    course: dict[str, dict[str, Any]] = field(default_factory=dict)
    accomplice: dict[str, str] = field(default_factory=dict)
    needs: str = ""
    account: bool = False

    @property
    def source(self) -> bytes:
        """The instructor's notebook."""
        return _assignment(self.course) if self.course else SOURCE

    def submission(self, course: str, victim: str, answers: dict[str, str] | None = None) -> bytes:
        """Return the bytes that are handed in."""

        def fill_in(text: str) -> str:
            return text.replace("{course}", course).replace("{victim}", victim)

        given = self.answers if answers is None else answers
        given = {name: fill_in(text) for name, text in given.items()}
        extra = tuple(code(fill_in(text)) for text in self.extra)
        if self.course:
            data = _assignment(self.course, given, extra)
        else:
            data = submission(given, {}, extra)
        return _changed(data, self.notebook) if self.notebook else data


def _assignment(
    course: dict[str, dict[str, Any]], answers: dict[str, str] | None = None, extra: tuple = ()
) -> bytes:
    cells = [code("import numpy as np")]
    for name, question in course.items():
        answer = question["answer"] if answers is None else answers.get(name, STUB)
        test = {"grade": True, "locked": True, "points": question["points"]}
        cells += [code(answer, name, solution=True), code(question["test"], f"test-{name}", **test)]
    return notebook(*cells, *extra)


def _changed(data: bytes, change: str) -> bytes:
    nb = json.loads(data)
    tests = [cell for cell in nb["cells"] if cell["metadata"].get("nbgrader", {}).get("grade")]
    names = {"nb": nb, "tests": tests, "json": json}
    exec(change, names)  # one of our own files
    made = names.get("data") or json.dumps(nb)
    return made if isinstance(made, bytes) else made.encode()


def load(folder: Path) -> list[Attack]:
    """Return the attacks whose files lie in the folders of a folder."""
    paths = sorted(folder.glob("*/*.yaml"))
    return [
        Attack(path.parent.name, path.stem, **yaml.safe_load(path.read_text())) for path in paths
    ]


ATTACKS = load(Path(__file__).with_name("submissions"))
