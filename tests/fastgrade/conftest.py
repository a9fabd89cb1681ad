"""The notebooks that the attacks are made of serve other tests too."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent / "attacks"))
