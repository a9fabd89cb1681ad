"""Notebooks that were handed in under another name or in another place than they should.

A mail program or a browser makes ``ps1.ipynb.txt`` or ``ps1.json`` of a notebook, another system
``PS1.IPYNB``, and whoever hands in a folder or an archive puts it one level deeper.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Collection, Iterator, Mapping
from pathlib import PurePosixPath

__all__ = ["find"]

_ENDINGS = (".ipynb", ".ipynb.txt", ".ipynb.json", ".json", ".txt")
_UNREADABLE = (
    *(zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError),
    *(OSError, EOFError, ValueError),
)


def find(name: str, files: Mapping[str, bytes], limit: int) -> tuple[str, bytes] | None:
    """Return where a notebook lies and what it holds; None if nothing, or not only one, may be it.

    Parameters
    ----------
    name : str
        Of the notebook, without ``.ipynb``.
    files : dict of str to bytes
        What else was handed in.
    limit : int
        Bytes from which a notebook in an archive is not read.
    """
    wanted = {f"{name}{ending}".lower() for ending in _ENDINGS}
    found: list[tuple[str, bytes]] = []
    for place, content in files.items():
        if PurePosixPath(place).name.lower() in wanted:
            found.append((place, content))
        elif place.lower().endswith(".zip"):
            found += _members(place, content, wanted, limit)
    return found[0] if len(found) == 1 else None


def _members(
    place: str, content: bytes, wanted: Collection[str], limit: int
) -> Iterator[tuple[str, bytes]]:
    """Yield the wanted files of an archive; what it says of their size is not believed."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = [
                member
                for member in archive.infolist()
                if PurePosixPath(member.filename).name.lower() in wanted
                and "__MACOSX" not in member.filename
            ]
            if len(members) == 1:
                with archive.open(members[0]) as file:
                    data = file.read(limit + 1)
                if len(data) <= limit:
                    yield f"{place}/{members[0].filename}", data
    except _UNREADABLE:
        return
