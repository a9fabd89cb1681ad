"""Compute the results of the book's experiments anew, and compare: `make experiments`.

Arguments are names of chapters, as in ``05-dropout``; without one, all chapters.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "_ext"))

from regbook.recompute import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
