"""Record what stock ``nbgrader autograde`` does with each hostile submission.

``python -m tests.fastgrade.attacks.record_stock [NAME ...]``, as root with bubblewrap and writable
control groups, for the attacks do there what they say: the run happens in namespaces of its own,
on a private /tmp, with the rest of the file system read-only and processes and memory bounded.
Writes ``stock.json`` beside this file; ``--table`` prints the table of the guide from it.

``kill-parent`` and ``kill-by-number`` would end this recording too: for them nbgrader runs in a
process namespace of its own, inside of that one.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from fastgrade.sandbox import workdir
from tests.fastgrade.attacks.attacked import fingerprint, make_course
from tests.fastgrade.attacks.hostile import ATTACKS, SECRETS, Attack

RESULTS = Path(__file__).with_name("stock.json")
TIMEOUT = 60
KILLERS = ("kill-parent", "kill-by-number")
CONFIG = """
c = get_config()
c.CourseDirectory.course_id = "ps"
c.Execute.timeout = 3
"""


def outside(names: list[str]) -> None:
    """Start the recording in a container."""
    for kind, limits in (
        ("pids", {"pids.max": "600"}),
        ("memory", {"memory.limit_in_bytes": "3G"}),
    ):
        group = Path(f"/sys/fs/cgroup/{kind}/fastgrade-stock")
        group.mkdir(exist_ok=True)
        for name, value in limits.items():
            (group / name).write_text(value)
        (group / "cgroup.procs").write_text(str(os.getpid()))
    command = ["bwrap", "--unshare-all", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
    command += ["--tmpfs", "/tmp", "--die-with-parent", "--new-session"]
    command += [sys.executable, "-m", "tests.fastgrade.attacks.record_stock", "--inside", *names]
    done = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    known = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    assert done.stdout is not None
    for line in done.stdout:
        result = json.loads(line)
        known[result.pop("name")] = result
        RESULTS.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")
        print(line.strip(), flush=True)
    done.wait()


def inside(names: list[str]) -> None:
    """Run the attacks, one by one, each on a fresh course."""
    template = Path("/tmp/template")
    made = make_course(template)
    course = made.course
    (course / "nbgrader_config.py").write_text(CONFIG)
    shutil.rmtree(course / "submitted/classmate")
    (course / "gradebook.db").unlink()
    nbgrader(course, "generate_assignment", "ps1")
    with sqlite3.connect(course / "gradebook.db") as connection:
        connection.execute("create table notes (text)")
        connection.execute("insert into notes values (?)", (SECRETS["gradebook"],))
    connection.close()
    for attack in ATTACKS:
        if not names or attack.name in names:
            print(json.dumps({"name": attack.name, **record(attack, template)}), flush=True)


def record(attack: Attack, template: Path) -> dict[str, object]:
    """Return what stock nbgrader makes of one attack."""
    place = Path("/tmp/attack")
    workdir.remove(place)
    shutil.copytree(template, place)
    course, victim = place / "course", place / "victim"
    folder = course / "submitted/mallory/ps1"
    folder.mkdir(parents=True)
    (folder / "ps1.ipynb").write_bytes(attack.submission(str(course), str(victim)))
    classmate = course / "submitted/classmate/ps1"
    classmate.mkdir(parents=True)
    (classmate / "ps1.ipynb").write_text(SECRETS["classmate"])
    guarded = [course / "source", course / "submitted", victim]
    before = fingerprint(*guarded)
    start = time.monotonic()
    wrapper = ["bwrap", "--unshare-pid", "--dev-bind", "/", "/", "--proc", "/proc"]
    ended = nbgrader(
        course,
        *("autograde", "ps1", "--student", "mallory"),
        wrapper=wrapper if attack.name in KILLERS else (),
    )
    if ended in (-signal.SIGKILL, 128 + signal.SIGKILL):
        ended = "killed"
    seconds = time.monotonic() - start
    path = course / "autograded/mallory/ps1/ps1.ipynb"
    told = ""
    if path.exists():
        for cell in json.loads(path.read_text(errors="replace"))["cells"]:
            told += json.dumps(cell.get("outputs", []))
    points = None
    try:
        with sqlite3.connect(course / "gradebook.db") as connection:
            row = connection.execute(
                "select sum(coalesce(manual_score, auto_score)) from grade"
            ).fetchone()
        points = row[0]
    except sqlite3.Error:
        points = "gradebook destroyed"
    try:
        changed = fingerprint(*guarded) != before
    except OSError:
        changed = True
    left = [pid for pid in processes() if pid != os.getpid()]
    for pid in left:
        try:
            os.kill(pid, signal.SIGKILL)
        except OSError:
            continue
    return {
        "points": points,
        "leaked": sorted(name for name, secret in SECRETS.items() if secret in told),
        "graded": path.exists(),
        "status": ended,
        "changed": changed,
        "left": len(left),
        "seconds": round(seconds, 1),
        "bytes": path.stat().st_size if path.exists() else 0,
    }


def processes() -> list[int]:
    """Return all processes here but the first, which is the container's."""
    return [int(entry) for entry in os.listdir("/proc") if entry.isdigit() and int(entry) > 2]


def nbgrader(course: Path, *arguments: str, wrapper: Sequence[str] = ()) -> int | str:
    """Run nbgrader in the course; return its status, or that it did not end."""
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(course),
        "COURSE_SECRET": SECRETS["environment"],
        "HOME": "/tmp",
        "OMP_NUM_THREADS": "1",
    }
    process = subprocess.Popen(
        [*wrapper, str(Path(sys.executable).parent / "nbgrader"), *arguments],
        cwd=course,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        return process.wait(TIMEOUT)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return "did not end"


def told(attack: Attack, result: dict) -> str:
    """Say in a few words what stock nbgrader did."""
    said = []
    if result["points"] == "gradebook destroyed":
        said.append("destroys the gradebook")
    elif isinstance(result["points"], int | float) and result["points"] > attack.earns:
        said.append(f"gains {result['points'] - attack.earns:g} points")
    if result["leaked"]:
        said.append("reads " + ", ".join(f"the {name}'s secret" for name in result["leaked"]))
    if result["changed"]:
        said.append("changes files of the course")
    if result["status"] == "killed" and attack.name in KILLERS:
        said.append("kills the grader, and every other process of the user")
    elif result["status"] == "killed":
        said.append("uses up all memory or disk, until the system ends the grader")
    elif result["status"] == "did not end":
        said.append(f"the batch hangs (ended after {TIMEOUT} s)")
    elif not result["graded"]:
        said.append("the submission is not graded; the command fails")
    if result["left"]:
        said.append(f"leaves {result['left']} processes")
    if result["bytes"] > 2_000_000:
        said.append(f"writes a notebook of {result['bytes'] / 1e6:.0f} MB")
    if not said and result["seconds"] > 12:
        said.append(f"takes {result['seconds']:.0f} s")
    return "; ".join(said) or "nothing gained"


def table() -> str:
    """Return the table of the guide, in MyST Markdown."""
    results = json.loads(RESULTS.read_text())
    lines = ["| attack | tries | stock nbgrader | fastgrade |", "| --- | --- | --- | --- |"]
    for attack in ATTACKS:
        if attack.name in results:
            stock = told(attack, results[attack.name])
            lines.append(f"| {attack.kind}: {attack.name} | {attack.tries} | {stock} | held back |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    arguments = sys.argv[1:]
    if arguments[:1] == ["--inside"]:
        inside(arguments[1:])
    elif arguments[:1] == ["--table"]:
        print(table(), end="")
    else:
        outside(arguments)
