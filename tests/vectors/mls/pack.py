"""Packs the test vectors of mlswg/mls-implementations: python3 pack.py <its folder test-vectors>

Keeps what is for cipher suites 1 and 3, and what is for none.
"""

import gzip
import json
import pathlib
import sys

SUITES = (1, 3, None)
here = pathlib.Path(__file__).parent

for source in sorted(pathlib.Path(sys.argv[1]).glob("*.json")):
    vectors = json.loads(source.read_text())
    kept = [each for each in vectors if each.get("cipher_suite") in SUITES]
    text = json.dumps(kept, separators=(",", ":")).encode()
    name = source.stem.replace("-", "_") + ".json.gz"
    (here / name).write_bytes(gzip.compress(text, 9, mtime=0))
