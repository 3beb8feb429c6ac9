"""Rewrites vectors of RFC and NIST documents as JSON, one test a line.

    python3 trim.py <folder of the cryptography_vectors package>

AES-CTR of SP 800-38A appendix F.5 is written below; the package lacks it.
"""

import json
import pathlib
import re
import sys

SP_800_38A_PLAINTEXT = (
    "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
    "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"
)
SP_800_38A = [
    {
        "key": "2b7e151628aed2a6abf7158809cf4f3c",
        "iv": "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
        "plaintext": SP_800_38A_PLAINTEXT,
        "ciphertext": (
            "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff"
            "5ae4df3edbd5d35e5b4f09020db03eab1e031dda2fbe03d1792170a0f3009cee"
        ),
    },
    {
        "key": "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
        "iv": "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
        "plaintext": SP_800_38A_PLAINTEXT,
        "ciphertext": (
            "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5"
            "2b0930daa23de94ce87017ba2d84988ddfc9c58db67aada613c2dd08457941a6"
        ),
    },
]


def records(path):
    """Runs of `Name = value` lines in which no name comes twice, names in lower case."""
    record = {}
    for line in path.read_text().splitlines():
        match = re.match(r"(\w+)\s*=\s*(\S*)$", line.strip())
        if not match:
            continue
        key, value = match.group(1).lower(), match.group(2).lower()
        if key in record:
            yield record
            record = {}
        record[key] = value
    yield record


def pick(path, **names):
    """Records that have every named field, renamed."""
    return [
        {new: record[old] for new, old in names.items()}
        for record in records(path)
        if all(old in record for old in names.values())
    ]


def hashes(source):
    for name, path in {
        "sha256": "SHA2/SHA256ShortMsg.rsp",
        "sha384": "SHA2/SHA384ShortMsg.rsp",
        "sha512": "SHA2/SHA512ShortMsg.rsp",
        "blake2s": "blake2/blake2s.txt",
        "blake2b": "blake2/blake2b.txt",
    }.items():
        for test in pick(source / "hashes" / path, bits="len", message="msg", digest="md"):
            bits = int(test.pop("bits"))
            test["message"] = test["message"][: bits // 4]
            yield {"name": name, **test}


def hmacs(source):
    for name in ("sha256", "sha384", "sha512"):
        path = source / "HMAC" / f"rfc-4231-{name}.txt"
        for test in pick(path, key="key", message="msg", tag="md"):
            yield {"name": name, **test}


def ed25519(source):
    """Lines of seed‖key, key, message, signature‖message; the first three and the last are RFC 8032's."""
    lines = (source / "asymmetric/Ed25519/sign.input").read_text().splitlines()
    for line in lines[:3] + lines[31::32]:
        seed, key, message, signed = line.split(":")[:4]
        yield {
            "seed": seed[:64],
            "publicKey": key,
            "message": message,
            "signature": signed[:128],
        }


def ctr(source):
    names = {"key": "key", "iv": "iv", "plaintext": "plaintext", "ciphertext": "ciphertext"}
    for bits in (128, 256):
        yield from pick(source / f"ciphers/AES/CTR/aes-{bits}-ctr.txt", **names)
    yield from SP_800_38A


def main(source):
    files = {
        "x25519": pick(
            source / "asymmetric/X25519/rfc7748.txt",
            scalar="input_scalar",
            u="input_u",
            output="output_u",
        ),
        "ed25519": ed25519(source),
        "chacha20": pick(
            source / "ciphers/ChaCha20/rfc7539.txt",
            key="key",
            nonce="nonce",
            counter="initial_block_counter",
            plaintext="plaintext",
            ciphertext="ciphertext",
        ),
        "hkdf_sha256": pick(
            source / "KDF/rfc-5869-HKDF-SHA256.txt",
            ikm="ikm",
            salt="salt",
            info="info",
            length="l",
            prk="prk",
            okm="okm",
        ),
        "hash": hashes(source),
        "hmac": hmacs(source),
        "aes_ctr": ctr(source),
    }
    for name, tests in files.items():
        lines = [json.dumps(test, separators=(",", ":")) for test in tests]
        target = pathlib.Path(__file__).with_name(f"{name}.json")
        target.write_text("[\n" + ",\n".join(lines) + "\n]\n")


main(pathlib.Path(sys.argv[1]))
