"""Compile the Python files of archives to bytecode, the same bytes each time; Pyodide runs this."""

import importlib.util
import io
import marshal
import tarfile
import zipfile
from collections.abc import Mapping

STDLIB = "python_stdlib.zip"
#: Flags of a .pyc that is taken as it is, without a look at its source (PEP 552).
UNCHECKED = (1).to_bytes(4, "little")


def bytecode(source: bytes, filename: str) -> bytes:
    """Return the content of a .pyc."""
    code = compile(source, filename, "exec", dont_inherit=True, optimize=0)
    head = importlib.util.MAGIC_NUMBER + UNCHECKED + importlib.util.source_hash(source)
    return head + marshal.dumps(code)


def compiled(archives: Mapping[str, bytes]) -> bytes:
    """Return a tar of the .pyc of every module in the archives but tests, by archive's name."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for archive in sorted(archives):
            place = "/lib/python312.zip/" if archive == STDLIB else "/lib/python3.12/site-packages/"
            with zipfile.ZipFile(io.BytesIO(archives[archive])) as files:
                for name in sorted(files.namelist()):
                    if not name.endswith(".py") or "/tests/" in name:
                        continue
                    content = bytecode(files.read(name), place + name)
                    member = tarfile.TarInfo(f"{archive.split('-')[0]}/{name}c")
                    member.size = len(content)
                    tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()
