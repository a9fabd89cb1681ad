"""Notebooks of every age and from every editor get the grades that stock nbgrader gives them."""

import base64
import copy
import json
import os
import shutil

import nbformat
import pytest

from fastgrade.notebook.submission import read
from tests.fastgrade.classroom import RIGHT, Classroom

PIXEL = base64.b64encode(b"\x89PNG" + bytes(300)).decode()


def _answered(released):
    notebook = json.loads((released / "release/ps1/arithmetic.ipynb").read_text())
    for cell in notebook["cells"]:
        name = cell["metadata"].get("nbgrader", {}).get("grade_id")
        if name in RIGHT:
            cell["source"] = RIGHT[name]
    return notebook


def _minor(minor):
    def change(notebook):
        notebook["nbformat_minor"] = minor
        for cell in notebook["cells"]:
            if minor < 5:
                cell.pop("id", None)
        return json.dumps(notebook).encode()

    return change


def _old(notebook):
    joined = nbformat.reads(json.dumps(notebook), as_version=4)
    old = nbformat.convert(joined, 3)
    return nbformat.v3.writes_json(old).encode()


def _cells(change):
    def apply(notebook):
        notebook["cells"] = change(notebook["cells"])
        return json.dumps(notebook).encode()

    return apply


def _attached(cells):
    cells[-1]["attachments"] = {"image.png": {"image/png": PIXEL}}
    cells[-1]["source"] = "Because of ![this](attachment:image.png)."
    return cells


def _raw(cells):
    extra = {"cell_type": "raw", "metadata": {"raw_mimetype": "text/latex"}, "source": "$x$"}
    return [{**extra, "id": "r0"}, *cells, {**extra, "id": "r1"}]


def _foreign(cells):
    for cell in cells:
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == "add":
            cell["source"] = "# Größe 数 🎲 עברית\ndef add(größe, 数):\n    return größe + 数\n"
    return cells


def _returns(cells):
    for cell in cells:
        cell["source"] = "".join(cell["source"]).replace("\n", "\r\n")
    return cells


def _lines(cells):
    for cell in cells:
        cell["source"] = "".join(cell["source"]).splitlines(True)
    return cells


def _outputs(size):
    def change(cells):
        image = base64.b64encode(os.urandom(size * 3 // 4)).decode()
        for cell in cells:
            if cell["cell_type"] == "code":
                cell["outputs"] = [
                    {
                        "output_type": "display_data",
                        "metadata": {},
                        "data": {"image/png": image, "text/plain": ["<Figure>"]},
                    }
                ]
                image = PIXEL
        return cells

    return change


def _widgets(notebook):
    view = {"model_id": "abc", "version_major": 2, "version_minor": 0}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"] = [
                {
                    "output_type": "display_data",
                    "metadata": {},
                    "data": {"application/vnd.jupyter.widget-view+json": view},
                }
            ]
    state = {"abc": {"model_module": "@jupyter-widgets/base", "model_name": "M", "state": {}}}
    notebook["metadata"]["widgets"] = {
        "application/vnd.jupyter.widget-state+json": {
            "state": state,
            "version_major": 2,
            "version_minor": 0,
        }
    }
    return json.dumps(notebook).encode()


def _plain(notebook):
    return json.dumps(notebook).encode()


FORMATS = {
    "version-3": _old,
    **{f"version-4-{minor}": _minor(minor) for minor in range(6)},
    "attachments": _cells(_attached),
    "raw-cells": _cells(_raw),
    "escaped-letters": _cells(_foreign),
    "plain-letters": lambda notebook: json.dumps(
        {**notebook, "cells": _foreign(notebook["cells"])}, ensure_ascii=False
    ).encode(),
    "returns-in-the-file": lambda notebook: (
        json.dumps(notebook, indent=1).replace("\n", "\r\n").encode()
    ),
    "returns-in-cells": _cells(_returns),
    "lists-of-lines": _cells(_lines),
    "space-around": lambda notebook: b"\n\n  " + _plain(notebook) + b"\n\n",
    "pictures-of-a-megabyte": _cells(_outputs(1 << 20)),
    "widgets": _widgets,
}
#: What stock nbgrader cannot read, or grades otherwise, with the points that are honest; none where
#: nothing can be read.
OURS_ALONE = {
    "byte-order-mark": (lambda notebook: b"\xef\xbb\xbf" + _plain(notebook), 5.0),
    "without-outputs": (
        _cells(lambda cells: [{k: v for k, v in c.items() if k != "outputs"} for c in cells]),
        5.0,
    ),
    "same-ids": (_cells(lambda cells: [{**cell, "id": "same"} for cell in cells]), 5.0),
    "later-minor": (_minor(99), 5.0),
    "later-major": (lambda notebook: _plain({**notebook, "nbformat": 5}), None),
    "utf-16": (lambda notebook: _plain(notebook).decode().encode("utf-16"), None),
    "not-a-number": (lambda notebook: _plain({**notebook, "more": float("nan")}), 5.0),
    "pictures-of-fifty-megabytes": (_cells(_outputs(50 << 20)), 5.0),
    "pictures-of-two-hundred-megabytes": (_cells(_outputs(200 << 20)), None),
}


def hand_in(course, released, student, change):
    folder = course.folder(student)
    folder.mkdir(parents=True)
    (folder / "arithmetic.ipynb").write_bytes(change(copy.deepcopy(_answered(released))))


@pytest.mark.slow
def test_every_format_gets_the_grade_of_stock_nbgrader(released_course, tmp_path):
    courses = {}
    for kind in ("stock", "ours"):
        shutil.copytree(released_course, tmp_path / kind)
        courses[kind] = Classroom(tmp_path / kind)
        for name, change in FORMATS.items():
            hand_in(courses[kind], released_course, name, change)
    courses["stock"].nbgrader("autograde", "ps1")
    done = courses["ours"].fastgrade("ps1")
    assert "flagged" not in [line.split()[0] for line in done.stdout.splitlines() if line.split()]
    grades = {
        kind: {name: course.grades(name) for name in FORMATS} for kind, course in courses.items()
    }
    assert grades["ours"] == grades["stock"]
    assert {course.score("version-3") for course in courses.values()} == {5.0}
    for name in FORMATS:
        theirs, ours = (
            nbformat.read(courses[kind].autograded(name) / "arithmetic.ipynb", as_version=4)
            for kind in ("stock", "ours")
        )
        answers = [
            [
                (cell.cell_type, cell.source.splitlines(), cell.get("attachments"))
                for cell in notebook.cells
                if cell.metadata.get("nbgrader", {}).get("solution")
            ]
            for notebook in (theirs, ours)
        ]
        assert answers[0] == answers[1], name
        nbformat.validate(ours)


@pytest.mark.slow
def test_what_stock_nbgrader_cannot_read_is_graded_as_far_as_that_is_honest(
    released_course,
    classroom,
):
    for name, (change, _) in OURS_ALONE.items():
        hand_in(classroom, released_course, name, change)
    done = classroom.fastgrade("ps1", check=False)
    scores = {
        name: classroom.score(name) if classroom.is_recorded(name) else None for name in OURS_ALONE
    }
    assert scores == {name: points for name, (_, points) in OURS_ALONE.items()}
    for name, (_, points) in OURS_ALONE.items():
        assert (f"failed {name}" in done.stderr) == (points is None)


def _third(cells, **others):
    return json.dumps({"nbformat": 3, "worksheets": [{"cells": cells}], **others}).encode()


HEADING = {"cell_type": "heading", "level": 10**13, "source": "x", "metadata": {}}
MARKDOWN = {"cell_type": "markdown", "source": "x", "metadata": {}}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (_third([HEADING]), "level must be at most 6"),
        (_third([MARKDOWN] * 60_000), "too many parts"),
        (_third([], nbformat="9" * 1000), "format that cannot be read"),
        (_third([], nbformat="x" * 100_000), "format that cannot be read"),
    ],
    ids=["heading", "parts", "number", "text"],
)
def test_an_old_format_makes_nothing_large_or_slow(content, told):
    submitted = read(content)
    assert submitted.cells == ()
    (flag,) = submitted.flags
    assert told in flag
    assert len(flag) < 400
