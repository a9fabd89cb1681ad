"""What the guide's page on platforms and clusters says works as written."""

import re
import shutil
import subprocess

import pytest

from fastgrade.course.config import load_course
from fastgrade.course.downloads import CanvasDownload, MoodleDownload
from tests import ROOT
from tests.fastgrade.classroom import RIGHT, WRONG, counts, environment, rows

GUIDE = (ROOT / "book" / "instructors" / "platforms.md").read_text(encoding="utf-8")


def block(language, start):
    (found,) = re.findall(rf"^```{language}\n({re.escape(start)}.*?)^```", GUIDE, re.M | re.S)
    return found


def test_the_regular_expressions_are_those_that_hold_unless_changed(classroom):
    classroom.configure(block("python", "# name_1234"))
    config = load_course(classroom.root).autograde.config
    for download in (CanvasDownload, MoodleDownload):
        assert config[download.__name__]["named_regexp"] == download().named_regexp


@pytest.mark.slow
def test_a_class_graded_in_parts_has_the_grades_of_one_that_was_not(classroom, tmp_path):
    for name, answers in {"ada": RIGHT, "alan": WRONG, "emmy noether": RIGHT}.items():
        classroom.hand_in(name, {**answers, "why": f"Because of {name}."})
    whole = tmp_path / "whole"
    shutil.copytree(classroom.root, whole)

    def bash(script, **more):
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=classroom.root,
            env=environment(**more),
            capture_output=True,
            text=True,
            check=True,
            timeout=600,
        )

    for part in (0, 1):
        bash(
            block("bash", "#!/bin/bash"),
            SLURM_ARRAY_TASK_ID=part,
            SLURM_ARRAY_TASK_COUNT=2,
            SLURM_CPUS_PER_TASK=1,
        )
    done = bash(block("bash", "mkdir -p -m 700 .fastgrade"))
    told = counts(done)
    assert (told["graded"], told["written again from the journal"]) == (0, 3)
    classroom.root = whole
    classroom.fastgrade("ps1")
    together = rows(tmp_path / "course" / "gradebook.db")
    assert together == rows(whole / "gradebook.db")
    assert len(together[0]) == 9
