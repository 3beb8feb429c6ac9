"""Writes session.json: a peer record and the start of HTX sessions, made without any code of this repository.

    pip install cryptography==48.0.0 kyber-py==1.2.0
    python3 gen_session.py > session.json

Noise comes from ../noise/gen_hybrid.py, the ticket from betanet-1.1.json beside this file. Every value that a real
peer draws at random is fixed here. docs/profile.md says what each field is.
"""

import base64
import hashlib
import hmac
import json
import pathlib
import sys

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

HERE = pathlib.Path(__file__).parent
sys.dont_write_bytecode = True
sys.path.append(str(HERE.parent / "noise"))
from gen_hybrid import CLASSIC, Party, hfs, public, seed  # noqa: E402

SUITE = {
    "classic": (1, "Noise_XK_25519_ChaChaPoly_SHA256"),
    "hybrid": (2, "Noise_XKhfs_25519+MLKEM768_ChaChaPoly_SHA256"),
}
# CBOR: the defaults of docs/profile.md, and the minima
CLIENT_PARAMETERS = bytes.fromhex("a401190400021a00400000031a01000000041a00010000")
SERVER_PARAMETERS = bytes.fromhex("a401100219ffff031a000ffff004194000")
STREAM, PING, CLOSE, KEY_UPDATE, WINDOW_UPDATE = range(5)


def hkdf(ikm, salt, info, length):
    prk = hmac.new(salt, ikm, hashlib.sha256).digest()
    out = block = b""
    for i in range(1, -(-length // 32) + 1):
        block = hmac.new(prk, block + info + bytes([i]), hashlib.sha256).digest()
        out += block
    return out[:length]


class Direction:
    """The frames of one side."""

    def __init__(self, key, transcript):
        self.key, self.secret, self.transcript = key, key, transcript
        self.restart()

    def restart(self):
        self.salt = hkdf(self.key, b"ns", b"", 12)
        self.counter = 0

    def frame(self, kind, payload, stream=0):
        header = len(payload).to_bytes(3, "big") + bytes([kind])
        if kind in (STREAM, WINDOW_UPDATE):
            header += bytes([stream])  # a QUIC varint below 64
        counter = self.counter.to_bytes(8, "little") + bytes(4)
        nonce = bytes(a ^ b for a, b in zip(self.salt, counter))
        self.counter += 1
        return (header + ChaCha20Poly1305(self.key).encrypt(nonce, payload, header)).hex()

    def rekey(self):
        following = hkdf(self.secret, b"next", self.transcript, 64)
        self.key, self.secret = following[:32], following[32:]
        self.restart()


def session(suite, ticket, exporter):
    number, name = SUITE[suite]
    ticket_hash = hashlib.sha256(ticket).digest()
    prologue = b"/betanet/htx/1.1.0" + bytes([number]) + ticket_hash
    keys = {part: seed(f"session {part}") for part in ("init_s", "resp_s", "init_e", "resp_e")}
    init_kem, resp_kem = seed("session init_kem", 64), seed("session resp_kem")
    known = public(keys["resp_s"])
    init = Party(name, "SHA256", True, keys["init_s"], keys["init_e"], init_kem, known, prologue, ["s"])
    resp = Party(name, "SHA256", False, keys["resp_s"], keys["resp_e"], resp_kem, None, prologue, ["s"])
    premessage, classic = CLASSIC["XK"]
    tokens = hfs(classic) if suite == "hybrid" else [m.split() for m in classic]
    wire = []
    payloads = [b"", SERVER_PARAMETERS, CLIENT_PARAMETERS]
    for i, (message, payload) in enumerate(zip(tokens, payloads)):
        sender, receiver = (init, resp) if i % 2 == 0 else (resp, init)
        sent = sender.write(message, payload)
        assert receiver.read(message, sent) == payload
        wire.append((bytes([number]) if i == 0 else b"") + len(sent).to_bytes(2, "big") + sent)
    assert (init.h, init.ck) == (resp.h, resp.ck)
    k0 = hkdf(init.ck + exporter, init.h, b"htx inner v1", 64)
    client, server = Direction(k0[:32], init.h), Direction(k0[32:], init.h)
    salts = client.salt.hex(), server.salt.hex()
    client_frames = [
        client.frame(STREAM, b"\0hello", 1),
        client.frame(PING, b"\0" + bytes(range(8))),
        client.frame(STREAM, bytes(5), 0),
        client.frame(KEY_UPDATE, (1).to_bytes(4, "big")),
    ]
    client.rekey()
    client_frames.append(client.frame(STREAM, b"\x01 again", 1))
    server_frames = [
        server.frame(PING, b"\1" + bytes(range(8))),
        server.frame(WINDOW_UPDATE, (32768).to_bytes(4, "big"), 1),
        server.frame(WINDOW_UPDATE, (524280).to_bytes(4, "big"), 0),
        server.frame(STREAM, b"\x02\0\x0e", 1),
        server.frame(CLOSE, b"\0\0" + b"done"),
    ]
    return {
        "suite": suite,
        "ticket": ticket.hex(),
        "exporter": exporter.hex(),
        "prologue": prologue.hex(),
        "client_static": keys["init_s"].hex(),
        "server_static": keys["resp_s"].hex(),
        "client_random": (keys["init_e"] + (init_kem if suite == "hybrid" else b"")).hex(),
        "server_random": (keys["resp_e"] + (resp_kem if suite == "hybrid" else b"")).hex(),
        "client_parameters": CLIENT_PARAMETERS.hex(),
        "server_parameters": SERVER_PARAMETERS.hex(),
        "wire": [message.hex() for message in wire],
        "handshake_hash": init.h.hex(),
        "chaining_key": init.ck.hex(),
        "K0c": k0[:32].hex(),
        "K0s": k0[32:].hex(),
        "NSc": salts[0],
        "NSs": salts[1],
        "client_frames": client_frames,
        "K1c": client.key.hex(),
        "server_frames": server_frames,
    }


def cbor(value):
    """Deterministic CBOR of maps in key order, lists, text, bytes and unsigned integers."""

    def head(major, n):
        size = next(k for k in (0, 1, 2, 4, 8) if n < (24 if k == 0 else 256**k))
        return bytes([major << 5 | (n if size == 0 else 24 + size.bit_length() - 1)]) + (n.to_bytes(size, "big") if size else b"")

    if isinstance(value, int):
        return head(0, value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(map(cbor, value))
    return head(5, len(value)) + b"".join(cbor(k) + cbor(v) for k, v in sorted(value.items()))


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def peer_record():
    identity = Ed25519PrivateKey.from_private_bytes(seed("record identity"))
    key_id, ticket_public = seed("record key id", 8), public(seed("record ticket key"))
    offer = (
        "v1; carriers=cookie:0.5,query:0.3,body:0.2; len=24..64; "
        f"id={base64url(key_id)}; pub={base64url(ticket_public)}; cookie=__Host-sid"
    )
    payload = cbor({
        1: identity.public_key().public_bytes_raw(),
        2: 1_795_000_000,
        3: 1_800_000_000,
        4: ["tcp://example.org:443", "quic://[2001:db8::1]:443"],
        5: public(seed("session resp_s")),
        6: [offer],
    })
    signature = identity.sign(b"betanet-peer-record-v1" + payload)
    return {
        "identity_seed": seed("record identity").hex(),
        "offer": offer,
        "ticket_key_id": key_id.hex(),
        "ticket_public": ticket_public.hex(),
        "payload": payload.hex(),
        "text": "betanet-record:" + base64url(cbor([payload, signature])),
    }


vectors = json.loads((HERE / "betanet-1.1.json").read_text())
ticket = bytes.fromhex(vectors["ticket"]["payload"])
sessions = [
    session("hybrid", ticket, b""),
    session("hybrid", ticket, bytes(range(64))),
    session("classic", ticket, b""),
]
print(json.dumps({"record": peer_record(), "sessions": sessions}, indent=1))
