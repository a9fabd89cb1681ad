"""The tests, in rooms like those of the code; they import their helpers by full name."""

from pathlib import Path

#: The folder of the repository.
ROOT = Path(__file__).resolve().parents[1]
