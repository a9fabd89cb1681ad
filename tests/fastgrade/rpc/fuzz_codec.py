"""Feed the judge's decoder a million malformed inputs.

``python -m tests.fastgrade.rpc.fuzz_codec``.
Prints how many were refused, how many were values, the slowest, and how memory grew. The suite
runs a few thousand through hypothesis; this is for changes of the format.
"""

import argparse
import random
import resource
import struct
import time

import numpy as np

from fastgrade.rpc.codec import Decoder, Encoder, WireError


def seeds() -> list[bytes]:
    """Return payloads of every kind, to start from."""
    rng = np.random.default_rng(1)
    values = [
        (None, True, 3, -(2**100), 1.5, 2 - 1j, "text", b"bytes", slice(1, 2), {1, 2}),
        {"W1": rng.normal(size=(3, 4)), "b": [1, 2, (3,)], 4: frozenset({5})},
        [np.arange(5), np.asfortranarray(np.eye(3)), np.array(True), np.float32(2), np.bool_(0)],
        [np.random.Generator(kind(3)) for kind in (np.random.PCG64, np.random.MT19937)],
        [np.random.Generator(kind(3)) for kind in (np.random.Philox, np.random.SFC64)],
        np.random.RandomState(1),
        ((rng.normal(size=20), {"keep_prob": 0.5}), {"axis": None, "dtype": float}),
    ]
    encoder = Encoder(lambda value: (1, 7, {"name": "f"}))
    return [encoder.encode(value) for value in values] + [encoder.encode((len, [print]))]


def mutate(random_: random.Random, data: bytes, others: list[bytes]) -> bytes:
    """Return `data` with one to eight changes of the kinds that find bugs."""
    changed = bytearray(data)
    for _ in range(random_.randint(1, 8)):
        place = random_.randrange(len(changed) + 1)
        kind = random_.randrange(7)
        if kind == 0 and place < len(changed):
            changed[place] = random_.randrange(256)
        elif kind == 1 and place < len(changed):
            changed[place] ^= 1 << random_.randrange(8)
        elif kind == 2:
            del changed[place : place + random_.randint(1, 16)]
        elif kind == 3:
            changed[place:place] = changed[place : place + random_.randint(1, 64)]
        elif kind == 4:
            size = random_.choice([0, 1, 255, 65535, 10**6, 2**31 - 1, 2**31, 2**32 - 1])
            changed[place : place + 4] = struct.pack(">I", size)
        elif kind == 5:
            other = random_.choice(others)
            start = random_.randrange(len(other))
            changed[place:place] = other[start : start + random_.randint(1, 200)]
        else:
            changed[place:place] = bytes([random_.choice(b"NTFidcsbltSZDLanuyGRhH")])
    return bytes(changed)


def main() -> None:
    """Run the fuzzer and print what it found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("inputs", type=int, nargs="?", default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    random_, corpus = random.Random(arguments.seed), seeds()
    pool = list(corpus)
    decoder = Decoder(lambda kind, number, meta: (kind, number), {7: "mine"}.__getitem__)
    refused = values = 0
    slowest = 0.0
    start, before = time.perf_counter(), 0
    for number in range(arguments.inputs):
        if number == arguments.inputs // 10:
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        data = mutate(random_, random_.choice(pool), corpus)
        begin = time.perf_counter()
        try:
            decoder.decode(data)
            values += 1
            if len(data) < 4096 and len(pool) < 2000 and random_.random() < 0.05:
                pool.append(data)
        except WireError:
            refused += 1
        slowest = max(slowest, time.perf_counter() - begin)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        f"{arguments.inputs} inputs in {time.perf_counter() - start:.0f} s: {refused} refused, "
        f"{values} values, no other exception; slowest {slowest * 1e3:.1f} ms; peak memory grew "
        f"by {after - before} KiB after the first tenth"
    )


if __name__ == "__main__":
    main()
