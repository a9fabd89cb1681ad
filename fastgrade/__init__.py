"""Grade nbgrader courses fast, in parallel and in a sandbox.

A submission goes in as bytes and comes back as a `Verdict`. Student code runs in a sandboxed
fork of a warm process, the tests run in another process, and only plain data crosses between the
two. Nothing here knows a particular course: what it preloads, hides and allows stands in
``nbgrader_config.py``.
"""

__version__ = "0.1.0"

#: Raised by one whenever the same submission could get another verdict; part of every key.
ENGINE = 1

__all__ = ["ENGINE", "__version__"]
