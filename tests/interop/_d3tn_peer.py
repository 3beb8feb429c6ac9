"""pyd3tn for tests: one request a line on stdin, its answers on stdout, fields separated by spaces, bytes in hex.

read BUNDLE        -> ok DESTINATION SOURCE REPORT_TO TIME SEQUENCE LIFETIME_MS PAYLOAD AGAIN
                      (AGAIN: the bundle as pyd3tn writes it, check values made anew)
random SEED COUNT  -> COUNT lines of that form, of bundles that pyd3tn has made
time ROUNDS BUNDLE -> ok ENCODE DECODE VALIDATE, seconds for ROUNDS of each; VALIDATE decodes and checks

What fails is answered `error TEXT`.
"""

import random
import sys
from timeit import timeit

from pyd3tn.bundle7 import (
    Bundle,
    BundleAgeBlock,
    BundleProcFlag,
    CanonicalBlock,
    CreationTimestamp,
    CRCType,
    EID,
    HopCountBlock,
    PayloadBlock,
    PreviousNodeBlock,
    PrimaryBlock,
)

FLAGS = (0x20, 0x40, 0x4000, 0x10000, 0x20000, 0x40000)
CRC_TYPES = (CRCType.NONE, CRCType.CRC16, CRCType.CRC32)


def describe(bundle):
    primary = bundle.primary_block
    return " ".join(
        str(field)
        for field in (
            "ok",
            primary.destination,
            primary.source,
            primary.report_to,
            primary.creation_time[0],
            primary.creation_time[1],
            primary.lifetime,
            bundle.payload_block.data.hex(),
            bytes(bundle).hex(),
        )
    )


def read(data):
    return describe(parse(data))


def parse(data):
    bundle = Bundle.parse(data)
    for block in bundle:
        if block.crc_type != CRCType.NONE and block.calculate_crc() != block.crc_provided:
            raise ValueError("crc")
    return bundle


def time(rounds, data):
    bundle = parse(data)
    works = (lambda: bytes(bundle), lambda: Bundle.parse(data), lambda: parse(data))
    return " ".join(["ok", *(str(timeit(work, number=rounds)) for work in works)])


def endpoint(rng):
    if rng.random() < 0.5:
        numbers = [rng.randrange(1, 2**32), rng.randrange(2 ** rng.randrange(33))]
        if rng.random() < 0.3:
            numbers.insert(0, rng.randrange(2**32))
        return EID("ipn:" + ".".join(str(number) for number in numbers))
    service = rng.choice(["", "in", "~group", "a/b?c=d"])
    return EID(f"dtn://node{rng.randrange(100_000)}.x-y_z/{service}")


def random_bundle(rng):
    options = lambda: {
        "crc_type": rng.choice(CRC_TYPES),
        "block_proc_flags": rng.choice([0, 1, 2, 4, 0x10]),
    }
    payload = rng.randbytes(rng.randrange(60))
    flags = sum(flag for flag in FLAGS if rng.random() < 0.5)
    offset = rng.randrange(1_000_000)
    is_fragment = rng.random() < 0.25
    if is_fragment:
        flags |= 1
    blocks = []
    if rng.random() < 0.5:
        blocks.append(HopCountBlock(rng.randrange(1, 256), rng.randrange(256), block_number=2, **options()))
    if rng.random() < 0.5:
        blocks.append(PreviousNodeBlock(endpoint(rng), block_number=rng.randrange(3, 300), **options()))
    if rng.random() < 0.5:
        blocks.append(BundleAgeBlock(rng.randrange(10**9), block_number=rng.randrange(300, 70_000), **options()))
    primary = PrimaryBlock(
        bundle_proc_flags=BundleProcFlag(flags),
        crc_type=rng.choice(CRC_TYPES),
        destination=endpoint(rng),
        source=endpoint(rng),
        report_to=None if rng.random() < 0.2 else endpoint(rng),
        creation_time=CreationTimestamp(rng.randrange(946_684_801, 4 * 10**9), rng.randrange(2 ** rng.randrange(64))),
        lifetime=rng.randrange(2 ** rng.randrange(64)),
        fragment_offset=offset if is_fragment else None,
        total_payload_length=offset + len(payload) + rng.randrange(1_000) if is_fragment else None,
    )
    return Bundle(primary, PayloadBlock(payload, **options()), blocks)


def answer(line):
    request, *fields = line.split()
    if request == "read":
        return read(bytes.fromhex(fields[0]))
    if request == "random":
        rng = random.Random(int(fields[0]))
        return "\n".join(describe(random_bundle(rng)) for _ in range(int(fields[1])))
    if request == "time":
        return time(int(fields[0]), bytes.fromhex(fields[1]))
    raise ValueError("unknown request")


for line in sys.stdin:
    try:
        text = answer(line)
    except Exception as error:
        text = "error " + repr(error).replace("\n", " ")
    print(text, flush=True)
