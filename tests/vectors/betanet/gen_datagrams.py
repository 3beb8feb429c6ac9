"""Writes datagrams.json: datagrams of HTX sessions (docs/profile.md, section 5.1), made without any code of this repository.

    pip install cryptography==48.0.0
    python3 gen_datagrams.py > datagrams.json

The handshake's chaining key and hash are fixed here: session.json has how handshakes come to theirs.
"""

import hashlib
import json

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

PER_KEY = 1 << 16


def hkdf(ikm, salt, info, length):
    return HKDF(SHA256(), length, salt, info).derive(ikm)


def fixed(name, length=32):
    return hashlib.shake_256(name.encode()).digest(length)


def datagram(first, transcript, number, message):
    both = hkdf(first, b"datagram", transcript, 64)
    for _ in range(number // PER_KEY):
        both = hkdf(both[32:], b"next", transcript, 64)
    key = both[:32]
    salt = hkdf(key, b"ns", b"", 12)
    count = number.to_bytes(8, "little") + bytes(4)
    nonce = bytes(a ^ b for a, b in zip(salt, count))
    head = number.to_bytes(8, "big")
    return {
        "number": number,
        "message": message.hex(),
        "datagram": (head + ChaCha20Poly1305(key).encrypt(nonce, message, head)).hex(),
    }


def session(exporter):
    chaining, transcript = fixed("datagrams ck"), fixed("datagrams h")
    k0 = hkdf(chaining + exporter, transcript, b"htx inner v1", 64)
    numbers = [0, 1, 2, 255, 256, PER_KEY - 1, PER_KEY, PER_KEY + 1, 2 * PER_KEY, 9 * PER_KEY + 4_660]
    messages = [fixed(f"message {number}", number % 61) for number in numbers]
    return {
        "chaining_key": chaining.hex(),
        "handshake_hash": transcript.hex(),
        "exporter": exporter.hex(),
        **{
            side: [datagram(first, transcript, *each) for each in zip(numbers, messages)]
            for side, first in (("client", k0[:32]), ("server", k0[32:]))
        },
    }


print(json.dumps({"sessions": [session(b""), session(bytes(range(64)))]}, indent=1))
