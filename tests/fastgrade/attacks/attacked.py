"""The course that the attacks attack."""

import os
import sqlite3
from types import SimpleNamespace

from fastgrade.settings import Limits, Settings
from tests.fastgrade.attacks import hostile

LIMITS = Limits(
    cell_seconds=1.0,
    total_seconds=8.0,
    cpu_seconds=8,
    memory_mb=300,
    file_mb=8,
    disk_mb=32,
    open_files=100,
    processes=8,
    output_bytes=200_000,
    message_mb=4,
)


def make_course(folder):
    """Write a course with secrets in its files, and a folder that nobody may touch."""
    course, victim = folder / "course", folder / "victim"
    for path in (course / "source/ps1", course / "submitted/classmate/ps1", victim):
        path.mkdir(parents=True)
    (course / "source/ps1/ps1.ipynb").write_bytes(hostile.SOURCE)
    (course / "submitted/classmate/ps1/ps1.ipynb").write_text(hostile.SECRETS["classmate"])
    (course / "answers.py").write_text(hostile.FORBIDDEN_MODULE)
    with sqlite3.connect(course / "gradebook.db") as connection:
        connection.execute("create table grade (student text, manual_score real)")
        connection.execute("insert into grade values (?, 1)", (hostile.SECRETS["gradebook"],))
    connection.close()
    (victim / "file").write_text("untouched")
    return SimpleNamespace(course=course, victim=victim)


def fingerprint(*folders):
    """Return all that can be seen of some folders: names, modes, times, owners, contents."""
    seen = []
    for folder in folders:
        for root, names, files in os.walk(folder):
            names[:] = sorted(name for name in names if name != "__pycache__")
            for name in sorted(files):
                path = os.path.join(root, name)
                status = os.stat(path)
                with open(path, "rb") as file:
                    seen.append(
                        (path, status.st_mode, status.st_uid, status.st_mtime_ns, file.read())
                    )
    return seen


def settings_of(classroom, **others):
    return Settings(
        preload=("numpy",),
        judge_preload=("numpy", "answers"),
        forbidden_modules=("answers",),
        judge_environment={"COURSE_SECRET": hostile.SECRETS["environment"]},
        limits=LIMITS,
        **others,
    )
