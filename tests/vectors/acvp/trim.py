"""Trims NIST's ACVP files for ML-KEM-768 to the fields our tests read, one test a line.

    python3 trim.py <folder of the fips203 crate>/tests/nist_vectors

Keys and ciphertexts that a test only compares are kept as their SHA-256.
"""

import hashlib
import json
import pathlib
import sys


def sha256(text):
    return hashlib.sha256(bytes.fromhex(text)).hexdigest()


def keygen(group, test):
    return {
        "seed": (test["d"] + test["z"]).lower(),
        "ekSha256": sha256(test["ek"]),
        "dkSha256": sha256(test["dk"]),
    }


def encapsulation(group, test):
    return {
        "m": test["m"].lower(),
        "ek": test["ek"].lower(),
        "cSha256": sha256(test["c"]),
        "k": test["k"].lower(),
    }


def decapsulation(group, test):
    return {
        "dk": group["dk"].lower(),
        "c": test["c"].lower(),
        "k": test["k"].lower(),
        "reason": test["reason"],
    }


def main(source):
    here = pathlib.Path(__file__).parent
    for folder, functions in {
        "ML-KEM-keyGen-FIPS203": {"keygen": keygen},
        "ML-KEM-encapDecap-FIPS203": {
            "encapsulation": encapsulation,
            "decapsulation": decapsulation,
        },
    }.items():
        data = json.loads((source / folder / "internalProjection.json").read_text())
        for name, pick in functions.items():
            tests = [
                json.dumps({"tcId": test["tcId"], **pick(group, test)}, separators=(",", ":"))
                for group in data["testGroups"]
                if group["parameterSet"] == "ML-KEM-768"
                and group.get("function", "keygen") == name
                for test in group["tests"]
            ]
            target = here / f"ml_kem_768_{name}.json"
            target.write_text("[\n" + ",\n".join(tests) + "\n]\n")


main(pathlib.Path(sys.argv[1]))
