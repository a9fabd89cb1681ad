"""What has been graded, in a file that only ever grows.

A run may be killed at any moment. What it had finished by then must not be lost, and must not
be graded again. So every verdict is appended to a journal and forced to disk before the
gradebook hears of it, and a second line follows when the gradebook has taken it. The next run
reads the journal, and does only what is missing.

A line is eight hexadecimal digits of CRC-32, a space, and a JSON object. There are two kinds:

``verdict``
    One notebook of one student: the key under which it was graded (a hash of everything that
    the grade depends on), the digest of the autograded notebook, and the verdict itself without
    the notebook's bytes, which stand in ``autograded/``.
``applied``
    The gradebook and the ``autograded/`` folder of one student agree with the verdicts so far.

A line that was cut short by a crash is cut off when the journal is next opened. A line that
was damaged later is reported and left out, so the submission is graded again.
"""

from __future__ import annotations

import hashlib
import json
import os
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

try:
    import fcntl
except ImportError:  # Windows: no advisory locks, and one run at a time is up to the user
    fcntl = None  # type: ignore[assignment]

from fastgrade.verdict import Verdict

FOLDER = ".fastgrade"


class JournalBusyError(RuntimeError):
    """Another process is writing to this journal."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Where the newest verdict for one notebook of one student stands in the journal."""

    student: str
    notebook: str
    key: str
    sha256: str | None
    size: int
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Applied:
    """What the gradebook and the folder of one student held when they were last written.

    ``notebooks`` maps a notebook to ``[key, number of automatic scores, their sum]``, ``flags``
    says what was odd about the folder that was handed in, and ``fingerprint`` is a hash of all
    that is recorded beside the verdicts: files, the time of submission, the time it was due.
    """

    student: str
    fingerprint: str
    notebooks: dict[str, list[Any]] = field(default_factory=dict)
    flags: list[str] = field(default_factory=list)


def path_of(root: str | os.PathLike[str], assignment: str) -> Path:
    """Return where the journal of an assignment stands below the root of a course."""
    return Path(root) / FOLDER / f"{assignment}.journal"


class Journal:
    """The journal of one assignment.

    Parameters
    ----------
    path : path
        Of the file; its folder is created, readable by its owner only.
    readonly : bool
        Whether to open it without a lock and without repairing anything, as the report and a dry
        run do. A missing file is then an empty journal.

    Raises
    ------
    JournalBusyError
        If another process has opened this journal for writing.
    """

    def __init__(self, path: str | os.PathLike[str], readonly: bool = False) -> None:
        self.path = Path(path)
        self.readonly = readonly
        self.damaged = 0
        self._entries: dict[tuple[str, str], Entry] = {}
        self._by_key: dict[str, tuple[str, str]] = {}
        self._applied: dict[str, Applied] = {}
        self._file: BinaryIO | None = None
        if not readonly:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            self._file = os.fdopen(descriptor, "r+b", buffering=0)
            self._lock()
        elif self.path.exists():
            self._file = open(self.path, "rb", buffering=0)  # noqa: SIM115
        self._end = self._load()

    def _lock(self) -> None:
        if fcntl is None or self._file is None:
            return
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise JournalBusyError(f"another run is grading: {self.path} is locked") from None

    def _load(self) -> int:
        if self._file is None:
            return 0
        end = 0
        with open(self.path, "rb") as lines:
            for line in lines:
                if not line.endswith(b"\n"):
                    break
                record = _decode(line)
                if record is None:
                    self.damaged += 1
                else:
                    self._index(record, end, len(line))
                end += len(line)
        if not self.readonly and end < os.fstat(self._file.fileno()).st_size:
            # The tail that a killed run left: nothing was promised about it yet.
            os.ftruncate(self._file.fileno(), end)
        return end

    def _index(self, record: dict[str, Any], offset: int, length: int) -> None:
        if record["kind"] == "verdict":
            who = record["student"], record["notebook"]
            entry = Entry(*who, record["key"], record["sha256"], record["size"], offset, length)
            self._entries[who] = entry
            self._by_key[entry.key] = who
        elif record["kind"] == "applied":
            self._applied[record["student"]] = Applied(
                **{name: value for name, value in record.items() if name != "kind"}
            )

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file and give up the lock."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def __len__(self) -> int:
        return len(self._entries)

    def entry(self, student: str, notebook: str) -> Entry | None:
        """Return the newest entry for a notebook of a student, or None."""
        return self._entries.get((student, notebook))

    def with_key(self, key: str) -> Entry | None:
        """Return the newest entry graded under a key, whoever handed it in, or None."""
        who = self._by_key.get(key)
        entry = self._entries.get(who) if who else None
        return entry if entry is not None and entry.key == key else None

    def applied(self, student: str) -> Applied | None:
        """Return what was last written for a student, or None."""
        return self._applied.get(student)

    def entries(self) -> Iterator[Entry]:
        """Iterate over the newest entry of every notebook of every student."""
        return iter(list(self._entries.values()))

    def read(self, entry: Entry) -> Verdict:
        """Return the verdict of an entry; its notebook's bytes are not in it.

        Raises
        ------
        ValueError
            If the line was damaged since the journal was opened.
        """
        if self._file is None:
            raise ValueError("journal is closed")
        line = os.pread(self._file.fileno(), entry.length, entry.offset)
        record = _decode(line)
        if record is None:
            raise ValueError(f"damaged line at byte {entry.offset} of {self.path}")
        return Verdict.from_json(json.dumps(record["verdict"]))

    def add_verdicts(self, verdicts: Iterable[tuple[str, Verdict]]) -> None:
        """Append verdicts, and return when they are on the disk.

        Parameters
        ----------
        verdicts : iterable of pairs
            The key under which it was graded, and the verdict, which holds the bytes that stand
            in ``autograded/``.
        """
        self._append(
            {
                "kind": "verdict",
                "student": verdict.student,
                "notebook": verdict.notebook,
                "key": key,
                "sha256": None if verdict.autograded is None else digest(verdict.autograded),
                "size": len(verdict.autograded or b""),
                "verdict": json.loads(replace(verdict, autograded=None).to_json()),
            }
            for key, verdict in verdicts
        )

    def add_applied(self, marks: Iterable[Applied]) -> None:
        """Append that the gradebook and the folders of some students are up to date."""
        self._append({"kind": "applied", **asdict(mark)} for mark in marks)

    def _append(self, records: Iterable[dict[str, Any]]) -> None:
        if self._file is None or self.readonly:
            raise ValueError("journal is not open for writing")
        offset = self._end
        chunks = []
        positions = []
        for record in records:
            line = _encode(record)
            positions.append((record, offset, len(line)))
            offset += len(line)
            chunks.append(line)
        data = memoryview(b"".join(chunks))
        try:
            while data:
                data = data[self._file.write(data) :]
            os.fsync(self._file.fileno())
        except OSError:  # a full disk: leave no half line for the next append to stick to
            os.ftruncate(self._file.fileno(), self._end)
            raise
        self._end = offset
        for position in positions:
            self._index(*position)


def digest(content: bytes) -> str:
    """Return the SHA-256 of a notebook's content in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def _encode(record: dict[str, Any]) -> bytes:
    body = json.dumps(record, separators=(",", ":")).encode()
    return b"%08x %s\n" % (zlib.crc32(body), body)


def _decode(line: bytes) -> dict[str, Any] | None:
    checksum, _, body = line.rstrip(b"\n").partition(b" ")
    if checksum != b"%08x" % zlib.crc32(body):
        return None
    try:
        record = json.loads(body)
    except ValueError:
        return None
    return record if isinstance(record, dict) and "kind" in record else None
