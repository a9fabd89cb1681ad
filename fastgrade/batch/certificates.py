"""Certificates for a Dask cluster: who has the folder may take part, and nobody else.

One key serves all: machines that grade for one course trust each other with its submissions, and
Dask checks only that a certificate was signed by one that it was given.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

__all__ = ["CertificateError", "flags", "make"]

CERTIFICATE, KEY = "certificate.pem", "key.pem"
_DAYS = 400


class CertificateError(RuntimeError):
    """Certificates cannot be made or found."""


def make(folder: Path) -> None:
    """Make a key and its certificate in a new folder that only its owner can enter.

    Raises
    ------
    CertificateError
        If the folder exists, or OpenSSL is missing or fails.
    """
    try:
        folder.mkdir(mode=0o700, parents=True)
        subprocess.run(
            [
                *("openssl", "req", "-x509", "-newkey", "rsa:3072", "-nodes", "-sha256"),
                *("-days", str(_DAYS), "-subj", "/CN=fastgrade"),
                *("-keyout", str(folder / KEY), "-out", str(folder / CERTIFICATE)),
            ],
            check=True,
            capture_output=True,
            text=True,
            umask=0o077,
        )
    except FileExistsError:
        raise CertificateError(f"the folder {folder} exists already") from None
    except FileNotFoundError:
        raise CertificateError("OpenSSL is needed: install the command openssl") from None
    except (OSError, subprocess.CalledProcessError) as error:
        told = getattr(error, "stderr", "") or error
        raise CertificateError(f"no certificate could be made: {told}") from None


def flags(folder: Path) -> dict[str, str]:
    """Return the files of a folder by what Dask's command line calls them.

    Raises
    ------
    CertificateError
        If they are not there.
    """
    certificate, key = folder / CERTIFICATE, folder / KEY
    for path in (certificate, key):
        if not os.access(path, os.R_OK):
            raise CertificateError(
                f"{path} cannot be read: make it with 'fastgrade certificates {folder}'"
            )
    return {"tls-ca-file": str(certificate), "tls-cert": str(certificate), "tls-key": str(key)}
