"""Import jsonschema without the grammar that it compiles for a format nobody here checks.

Where rfc3987_syntax is installed (JupyterLab brings it), ``import jsonschema`` builds a parser for
internationalized addresses, which takes 1.2 of the 2 seconds that the command needs to start. No
schema of a notebook has a field of that format.
"""

import sys

_NAME = "rfc3987_syntax"

if "jsonschema" not in sys.modules and _NAME not in sys.modules:
    sys.modules[_NAME] = None  # type: ignore[assignment]
    try:
        import jsonschema  # noqa: F401
    finally:
        del sys.modules[_NAME]
