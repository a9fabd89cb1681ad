"""Makes `import fastgrade` find the package, not this folder of the same name."""

import sys
from pathlib import Path

ROOT = str(Path(__file__).resolve().parents[2])
if sys.path[0] != ROOT:
    sys.path.insert(0, ROOT)
# The notebooks that the attacks are made of serve other tests too.
sys.path.append(str(Path(__file__).resolve().parent / "attacks"))
for name in [name for name in sys.modules if name.partition(".")[0] == "fastgrade"]:
    if getattr(sys.modules[name], "__file__", None) is None:
        del sys.modules[name]
