"""The folder of a submission is measured and removed, whatever was made in it."""

import os
import threading

import pytest

from fastgrade.sandbox import workdir


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "student"
    folder.mkdir()
    return folder


def deep(folder, levels):
    """Make folders in folders, further down than any path reaches."""
    bottom = os.open(folder, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir("deeper", dir_fd=bottom)
        inner = os.open("deeper", os.O_RDONLY, dir_fd=bottom)
        os.close(bottom)
        bottom = inner
    with os.fdopen(os.open("file", os.O_WRONLY | os.O_CREAT, dir_fd=bottom), "wb") as file:
        file.write(b"x" * 100_000)
    os.close(bottom)


def test_files_and_folders_count(folder):
    (folder / "a").write_bytes(b"x" * 100_000)
    (folder / "sub").mkdir()
    (folder / "sub" / "b").write_bytes(b"x" * 100_000)
    assert 200_000 < workdir.usage(folder, 10**9) < 300_000
    assert workdir.usage(folder, 50_000) > 50_000


def test_empty_files_are_not_for_nothing(folder):
    for number in range(500):
        (folder / str(number)).touch()
    assert workdir.usage(folder, 10**6) > 10**6


def test_what_no_path_reaches_is_too_much(folder):
    deep(folder, 900)
    assert workdir.usage(folder, 10**9) > 10**9


@pytest.mark.parametrize("levels", [10, 900, 3000])
def test_deep_folders_are_removed(folder, levels):
    deep(folder, levels)
    workdir.remove(folder)
    assert not folder.exists()


def test_closed_folders_are_counted_and_removed(folder):
    for mode in (0o000, 0o300, 0o500):
        inner = folder / f"closed-{mode}" / "inner"
        inner.mkdir(parents=True)
        (inner / "file").write_bytes(b"x" * 100_000)
        inner.chmod(mode)
        inner.parent.chmod(mode)
    assert workdir.usage(folder, 10**9) > 300_000
    workdir.remove(folder)
    assert not folder.exists()


def test_links_are_not_followed(folder, tmp_path):
    other = tmp_path / "other"
    other.mkdir(mode=0o755)
    (other / "file").write_bytes(b"x" * 1_000_000)
    (folder / "link").symlink_to(other)
    (folder / "self").symlink_to(folder)
    workdir._open(str(folder / "link"))
    assert workdir.usage(folder, 10**9) < 50_000
    deep(folder, 900)
    workdir.remove(folder)
    assert (other / "file").stat().st_size == 1_000_000
    assert other.stat().st_mode & 0o777 == 0o755


def test_files_that_come_and_go_hide_no_others(folder):
    for number in range(200):
        (folder / f"stays-{number}").write_bytes(b"x" * 4096)
    done = threading.Event()

    def flicker():
        while not done.is_set():
            for number in range(20):
                (folder / f"a-{number}").touch()
                (folder / f"a-{number}").unlink()

    thread = threading.Thread(target=flicker)
    thread.start()
    try:
        assert all(workdir.usage(folder, 10**9) >= 200 * 8192 for _ in range(100))
    finally:
        done.set()
        thread.join()


def test_a_folder_that_is_gone_is_no_error(folder):
    workdir.remove(folder / "nothing")
    assert workdir.usage(folder / "nothing", 10) == 0
