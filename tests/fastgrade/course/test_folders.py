"""Submissions are read without trust, and folders are replaced as a whole."""

import datetime
import errno
import os
import shutil
import stat
import zipfile

import pytest
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import is_ignored

from fastgrade.course import autograded_folder
from fastgrade.course.autograded_folder import HIDDEN, install, sweep
from fastgrade.course.files import fingerprint, merge
from fastgrade.course.source_folder import instructor_files
from fastgrade.course.submitted_folder import (
    LinkedFolderError,
    find_submissions,
    read_submission,
)
from fastgrade.course.writable import unwritable
from fastgrade.sandbox.workdir import remove

LIMIT = 1_000_000


@pytest.fixture
def coursedir(tmp_path):
    return CourseDirectory(root=str(tmp_path))


@pytest.fixture
def ada(tmp_path):
    folder = tmp_path / "submitted" / "ada" / "ps1"
    folder.mkdir(parents=True)
    (folder / "problem.ipynb").write_bytes(b"{}")
    return folder


def read(coursedir, notebooks=("problem",), limit=LIMIT):
    (submission,) = find_submissions(coursedir, "ps1")
    return read_submission(coursedir, submission, notebooks, limit)


def test_submissions_are_found_by_student(coursedir, ada, tmp_path):
    for name in ("bob", "cyd+1", ".hidden"):
        (tmp_path / "submitted" / name / "ps1").mkdir(parents=True)
    (tmp_path / "submitted" / "dan" / "ps10").mkdir(parents=True)
    (tmp_path / "submitted" / "eve").mkdir()
    (tmp_path / "submitted" / "eve" / "ps1").write_text("a file, no folder")
    assert [s.student for s in find_submissions(coursedir, "ps1")] == ["ada", "bob", "cyd+1"]


def test_nbgraders_structure_and_exclusions_hold(tmp_path):
    coursedir = CourseDirectory(
        root=str(tmp_path),
        directory_structure="{nbgrader_step}/{assignment_id}/{student_id}",
        student_id_exclude="bob, cyd",
    )
    for name in ("ada", "bob", "cyd"):
        (tmp_path / "submitted" / "ps1" / name).mkdir(parents=True)
    assert [s.student for s in find_submissions(coursedir, "ps1")] == ["ada"]


def test_an_ordinary_submission_is_read_whole(coursedir, ada):
    (ada / "data").mkdir()
    (ada / "data" / "x.csv").write_bytes(b"1,2")
    (ada / ".ipynb_checkpoints").mkdir()
    (ada / ".ipynb_checkpoints" / "problem-checkpoint.ipynb").write_bytes(b"old")
    (ada / "timestamp.txt").write_text("2030-01-10 13:00:00 Europe/Paris")
    handed_in = read(coursedir)
    assert handed_in.notebooks == {"problem": b"{}"}
    assert set(handed_in.files) == {"data/x.csv", "timestamp.txt"}
    assert handed_in.timestamp == datetime.datetime(2030, 1, 10, 12, 0)
    assert handed_in.flags == {}


def test_a_link_is_not_followed(coursedir, ada, tmp_path):
    (tmp_path / "gradebook.db").write_bytes(b"secret")
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "key").write_bytes(b"secret")
    (ada / "peek.txt").symlink_to(tmp_path / "gradebook.db")
    (ada / "folder").symlink_to(tmp_path / "secrets")
    handed_in = read(coursedir)
    assert handed_in.files == {}
    assert "peek.txt is a symbolic link, so it was not read" in handed_in.flags[""]
    assert "folder is a symbolic link, so it was not read" in handed_in.flags[""]


@pytest.mark.parametrize("linked", ["mallory", "mallory/ps1"])
def test_a_folder_that_is_a_link_to_a_classmates_is_not_read(coursedir, ada, tmp_path, linked):
    link = tmp_path / "submitted" / linked
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(ada.parent if linked == "mallory" else ada)
    mallory = find_submissions(coursedir, "ps1")[1]
    with pytest.raises(LinkedFolderError, match="is a symbolic link"):
        read_submission(coursedir, mallory, ["problem"], LIMIT)


def test_a_notebook_that_is_a_link_is_flagged_and_graded_as_empty(coursedir, ada, tmp_path):
    (tmp_path / "solution.ipynb").write_bytes(b"the answers")
    (ada / "problem.ipynb").unlink()
    (ada / "problem.ipynb").symlink_to(tmp_path / "solution.ipynb")
    handed_in = read(coursedir)
    assert handed_in.notebooks == {"problem": b""}
    assert handed_in.flags["problem"] == ("problem.ipynb is a symbolic link, so it was not read",)


def test_a_pipe_stalls_nobody(coursedir, ada):
    os.mkfifo(ada / "pipe")
    assert read(coursedir).flags[""] == ("pipe is not a regular file, so it was not read",)


def test_a_huge_notebook_is_not_read(coursedir, ada):
    os.truncate(ada / "problem.ipynb", 200_000_000)
    handed_in = read(coursedir)
    assert handed_in.notebooks == {"problem": b""}
    assert "200 MB, more than the limit of 1 MB" in handed_in.flags["problem"][0]


def test_a_folder_is_read_up_to_a_limit(tmp_path, ada):
    coursedir = CourseDirectory(root=str(tmp_path), max_dir_size=2)
    for name in "abc":
        (ada / name).write_bytes(b"x" * 900)
    handed_in = read(coursedir)
    assert set(handed_in.files) == {"a", "b"}
    assert "c has" in handed_in.flags[""][0]


def test_a_missing_notebook_is_flagged(coursedir, ada):
    handed_in = read(coursedir, ["problem", "second"])
    assert set(handed_in.notebooks) == {"problem"}
    assert handed_in.flags == {"second": ("second.ipynb was not handed in",)}


def test_a_renamed_notebook_is_graded_and_flagged(coursedir, ada):
    (ada / "problem.ipynb").rename(ada / "problem (1).ipynb")
    handed_in = read(coursedir)
    assert handed_in.notebooks == {"problem": b"{}"}
    told = "problem.ipynb is missing; problem (1).ipynb was graded in its place"
    assert handed_in.flags == {"problem": (told,)}


def test_of_two_strange_notebooks_neither_is_taken(coursedir, ada):
    (ada / "problem.ipynb").rename(ada / "a.ipynb")
    (ada / "b.ipynb").write_bytes(b"{}")
    handed_in = read(coursedir)
    assert handed_in.notebooks == {}
    assert len(handed_in.flags[""]) == 2


def test_an_empty_folder_is_flagged(coursedir, ada):
    (ada / "problem.ipynb").unlink()
    handed_in = read(coursedir)
    assert (handed_in.notebooks, handed_in.files) == ({}, {})
    assert handed_in.flags == {"problem": ("problem.ipynb was not handed in",)}


def test_folders_without_a_bottom_stop_nobody(coursedir, ada):
    for name in ("a", "b" * 200):
        here = os.open(ada, os.O_RDONLY)
        for _ in range(1200 if name == "a" else 30):
            os.mkdir(name, dir_fd=here)
            inner = os.open(name, os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = inner
        os.close(here)
    (ada / "a/a/data.csv").write_text("x")
    handed_in = read(coursedir)
    assert handed_in.files == {"a/a/data.csv": b"x"}
    assert handed_in.notebooks == {"problem": b"{}"}
    remove(ada)


@pytest.mark.parametrize(
    "name", ["/".join("a" * 60), "/".join(["b" * 240] * 5)], ids=["nested", "long"]
)
def test_a_file_that_could_not_be_written_again_is_not_read(coursedir, ada, name):
    (ada / name).parent.mkdir(parents=True)
    (ada / name).write_text("x")
    handed_in = read(coursedir)
    assert handed_in.files == {}
    assert handed_in.flags[""] == (f"{name} lies too deep, so it was not read",)


def test_a_folder_in_the_place_of_the_notebook_gives_way(coursedir, ada):
    (ada / "problem.ipynb").rename(ada / "other.ipynb")
    (ada / "problem.ipynb").mkdir()
    (ada / "problem.ipynb" / "data.csv").write_text("x")
    handed_in = read(coursedir)
    assert handed_in.files == {}
    assert "data.csv lies where the notebook should be" in handed_in.flags[""][0]
    destination = autograded_folder.locate(coursedir, "ps1", "ada")
    install(coursedir, destination, handed_in.notebooks, handed_in.files)
    assert (destination / "problem.ipynb").read_bytes() == b"{}"


def test_thousands_of_files_are_read_up_to_a_number_and_the_notebook_first(
    coursedir, ada, monkeypatch
):
    for number in range(5100):
        (ada / f"{number}.txt").touch()
    os.mkdir(ada / ".ipynb_checkpoints")
    (ada / ".ipynb_checkpoints" / "problem-checkpoint.txt").touch()
    listed, scandir = [], os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: listed.append(path) or scandir(path))
    handed_in = read(coursedir)
    assert listed.count(ada) == 1  # nbgrader lists the folder again for each of its files
    assert len(listed) < 10
    assert handed_in.notebooks == {"problem": b"{}"}
    assert len(handed_in.files) == 4999
    assert handed_in.flags[""] == ("of more than 5000 files the others were not read",)


def test_oddities_are_told_up_to_a_number(coursedir, ada):
    for number in range(300):
        os.symlink("/etc/hostname", ada / f"{number}{'x' * 200}")
    told = read(coursedir).flags[""]
    assert len(told) == 101
    assert told[-1] == "and 200 more oddities"


@pytest.mark.parametrize("patterns", [["*.pyc", "feedback"], [".*"], ["*"], ["[ab]*", "?"]])
def test_what_nbgrader_ignores_is_ignored(tmp_path, ada, patterns):
    names = ["a", "ab.pyc", ".b.pyc", "feedback", ".git", "cd", "x[1]", "z\u0308"]
    for name in names:
        (ada / name).touch()
    (ada / "problem.ipynb").unlink()
    handed_in = read(CourseDirectory(root=str(tmp_path), ignore=patterns))
    assert set(handed_in.files) == {n for n in names if not is_ignored(str(ada / n), patterns)}


@pytest.mark.parametrize(
    "content",
    [
        *("", "soon", "9" * 60, "2030-99-99 00:00:00 UTC", "\x00\xff"),
        # Neither raises what one expects of a parser.
        "23:591234567890123456789012345678901234567890-24:00'inf/etc/passwd",
        "2030-01-01 1:00 /proc/self/mem",
        "2030-01-01 1:00 :/proc/self/mem",
        "2030-01-01 1:00 ../../../proc/self/mem",
    ],
)
def test_a_timestamp_that_is_none_is_flagged(coursedir, ada, content):
    (ada / "timestamp.txt").write_text(content, encoding="latin-1")
    handed_in = read(coursedir)
    assert handed_in.timestamp is None
    assert "timestamp.txt" in handed_in.flags[""][0]


def test_names_that_are_no_text_survive(coursedir, ada):
    (ada / os.fsdecode(b"caf\xe9.txt")).write_bytes(b"x")
    handed_in = read(coursedir)
    (name,) = handed_in.files
    assert fingerprint(handed_in.files)
    install(coursedir, autograded_folder.locate(coursedir, "ps1", "ada"), {}, handed_in.files)
    assert os.fsencode(name) in os.listdir(
        os.fsencode(autograded_folder.locate(coursedir, "ps1", "ada"))
    )


def test_the_instructors_files_win_unless_the_course_says_otherwise(coursedir, tmp_path):
    source = tmp_path / "source" / "ps1"
    source.mkdir(parents=True)
    for name in ("problem.ipynb", "data.csv", "helper.py"):
        (source / name).write_bytes(b"ours")
    ours = instructor_files(coursedir, "ps1", ["helper.py"])
    assert ours == {"data.csv": b"ours"}
    theirs = {"data.csv": b"theirs", "helper.py": b"theirs", "data.csv/x": b"theirs"}
    assert merge(theirs, ours) == {"data.csv": b"ours", "helper.py": b"theirs"}
    assert merge({"data": b"theirs"}, {"data/x": b"ours"}) == {"data/x": b"ours"}


def test_an_installed_folder_is_complete_and_cannot_be_written(coursedir):
    folder = autograded_folder.locate(coursedir, "ps1", "ada")
    install(coursedir, folder, {"problem": b"{}"}, {"data/x.csv": b"1", "timestamp.txt": b"t"})
    assert (folder / "problem.ipynb").read_bytes() == b"{}"
    assert (folder / "data" / "x.csv").read_bytes() == b"1"
    assert stat.S_IMODE((folder / "problem.ipynb").stat().st_mode) == 0o444
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755
    assert os.listdir(folder.parent) == ["ps1"]


def test_a_new_folder_takes_the_place_of_the_old(coursedir):
    folder = autograded_folder.locate(coursedir, "ps1", "ada")
    install(coursedir, folder, {"problem": b"old"}, {"old.txt": b""})
    install(coursedir, folder, {"problem": b"new"}, {})
    assert os.listdir(folder) == ["problem.ipynb"]
    assert (folder / "problem.ipynb").read_bytes() == b"new"
    assert os.listdir(folder.parent) == ["ps1"]


def test_a_group_can_share_the_folder(tmp_path):
    coursedir = CourseDirectory(root=str(tmp_path), groupshared=True)
    folder = autograded_folder.locate(coursedir, "ps1", "ada")
    install(coursedir, folder, {"problem": b"{}"}, {})
    assert stat.S_IMODE((folder / "problem.ipynb").stat().st_mode) == 0o664
    assert folder.stat().st_mode & 0o2770 == 0o2770


def test_what_a_killed_run_left_is_swept(coursedir):
    folder = autograded_folder.locate(coursedir, "ps1", "ada")
    install(coursedir, folder, {"problem": b"kept"}, {})
    half = folder.with_name(f"{HIDDEN}ps1-abcdefgh")
    half.mkdir()
    (half / "problem.ipynb").write_bytes(b"hal")
    other = folder.with_name(f"{HIDDEN}ps1-extra-abcdefgh")
    other.mkdir()
    sweep(folder)
    assert sorted(os.listdir(folder.parent)) == [other.name, "ps1"]
    assert (folder / "problem.ipynb").read_bytes() == b"kept"


def test_a_folder_that_was_moved_aside_is_put_back(coursedir):
    folder = autograded_folder.locate(coursedir, "ps1", "ada")
    install(coursedir, folder, {"problem": b"kept"}, {})
    folder.rename(folder.with_name(f"{HIDDEN}ps1-abcdefgh.old"))
    sweep(folder)
    assert (folder / "problem.ipynb").read_bytes() == b"kept"


@pytest.mark.parametrize("meanwhile", ["removed", "made again"])
def test_a_folder_that_nbgrader_touches_meanwhile_is_replaced_all_the_same(
    tmp_path, monkeypatch, meanwhile
):
    building, destination = tmp_path / "building", tmp_path / "ps1"
    for folder in (building, destination):
        folder.mkdir()
        (folder / "notebook").write_text(folder.name)
    rename = os.rename
    calls = []

    def beside(source, target):
        """Rename, while somebody else is at work once."""
        calls.append((source, target))
        if source == destination and len(calls) == 2:
            if meanwhile == "removed":
                shutil.rmtree(destination)
            else:
                rename(source, target)
                destination.mkdir()
                (destination / "notebook").write_text("theirs")
                return None
        return rename(source, target)

    monkeypatch.setattr(autograded_folder.os, "rename", beside)
    autograded_folder._swap(building, destination)
    assert (destination / "notebook").read_text() == "building"
    assert os.listdir(tmp_path) == ["ps1"]


def test_a_folder_that_is_made_again_and_again_is_an_error_in_the_end(tmp_path, monkeypatch):
    building = tmp_path / "building"
    building.mkdir()

    def never(source, target):
        raise OSError(errno.ENOTEMPTY, "not empty") if source == building else FileNotFoundError()

    monkeypatch.setattr(autograded_folder.os, "rename", never)
    with pytest.raises(OSError, match="not empty"):
        autograded_folder._swap(building, tmp_path / "ps1")


@pytest.mark.parametrize(
    "place",
    ["problem.ipynb.txt", "problem.json", "PROBLEM.IPYNB", "ps1/problem.ipynb", "ps1.zip"],
)
def test_a_notebook_under_another_name_or_a_level_deeper_is_found_and_flagged(
    coursedir, ada, place
):
    (ada / "problem.ipynb").unlink()
    (ada / place).parent.mkdir(exist_ok=True)
    if place.endswith(".zip"):
        with zipfile.ZipFile(ada / place, "w") as archive:
            archive.writestr("ps1/problem.ipynb", b"{1}")
            archive.writestr("__MACOSX/._problem.ipynb", b"")
    else:
        (ada / place).write_bytes(b"{1}")
    handed_in = read(coursedir)
    assert handed_in.notebooks == {"problem": b"{1}"}
    assert f"problem.ipynb was handed in as {place}" in handed_in.flags["problem"][0]


def test_of_two_that_may_be_the_notebook_and_of_a_bomb_none_is_taken(coursedir, ada):
    (ada / "problem.ipynb").unlink()
    with zipfile.ZipFile(ada / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("problem.ipynb", b"0" * 3 * LIMIT)
    assert "problem" not in read(coursedir).notebooks
    for place in ("problem.json", "problem.ipynb.txt"):
        (ada / place).write_bytes(b"{}")
    assert "problem" not in read(coursedir).notebooks


@pytest.mark.parametrize(
    ("setting", "value"),
    # Where nobody can make a file, root neither.
    [("root", "/sys"), ("autograded_directory", "/sys/x"), ("db_url", "sqlite:////sys/x.db")],
)
def test_a_place_that_cannot_be_written_is_told_with_its_setting(tmp_path, setting, value):
    places = {"root": str(tmp_path), "db_url": f"sqlite:///{tmp_path}/x.db"}
    assert unwritable(CourseDirectory(**places)) is None
    told = unwritable(CourseDirectory(**{**places, setting: value}))
    assert f"c.CourseDirectory.{setting} says where it lies" in told
    assert list(tmp_path.iterdir()) == []
