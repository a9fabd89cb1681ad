"""Every live cell of every chapter, run as its page runs it: a script for ``python.mjs``."""

import json
import sys
import time

import course_session as session


def main() -> None:
    """Print for each page the cells that failed; stderr has how long each took."""
    session.warm("matplotlib")
    for page, plan in json.loads(globals()["arguments_"]).items():
        session.without(plan["absent"])
        told = []
        for number, cell in enumerate(plan["cells"]):
            if not cell["runs"]:
                continue
            # The cells that a reader can run have all of their lines left.
            began = time.perf_counter()
            done = session.run_cell(page, str(number), cell["runs"], lambda _: None)
            print(page, number, f"{time.perf_counter() - began:.1f} s", file=sys.stderr)
            if done["error"]:
                told.append([number, done["error"]["name"], done["error"]["message"]])
        session.reset(page)
        print(json.dumps([page, told]), flush=True)


main()
