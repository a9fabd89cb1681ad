"""Who wishes to be alone is, and nobody waits for ever."""

import threading
from concurrent.futures import ThreadPoolExecutor

from fastgrade.engine.turns import Turns


def test_nobody_else_is_in_with_one_who_is_alone():
    turns, lock, seen = Turns(), threading.Lock(), []
    inside = []

    def enter(number):
        place = turns.alone() if number % 3 == 0 else turns.together()
        with place:
            with lock:
                inside.append(number)
                seen.append(sorted(inside))
            for _ in range(1000):
                pass
            with lock:
                inside.remove(number)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(enter, range(300)))
    assert len(seen) == 300
    assert all(len(there) == 1 for there in seen if any(n % 3 == 0 for n in there))


def test_many_are_in_together():
    turns, all_in = Turns(), threading.Barrier(4, timeout=60)

    def enter(_):
        with turns.together():
            all_in.wait()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(enter, range(4)))
