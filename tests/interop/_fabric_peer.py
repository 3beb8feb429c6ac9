"""An agent of the fabric, from the section Wire of docs/fabric.md and the standards it names, with its own CBOR and HPKE.

HTX is not spoken here: `live` wants an address at which each TCP connection is one stream of a session, the first of them its
first stream. `bundles` wants the address of a node of bundles with the REST routes of dtn7-rs, and speaks for an agent there.

Argument: JSON with mode, seed, name, static (the key of the session's end), peer (the other agent's id), and at; `bundles` wants
the other agent's record too. Prints what it saw as JSON.
"""
import hashlib
import hmac
import json
import os
import socket
import struct
import sys
import time
import urllib.request

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.asymmetric.x25519 import (
    X25519PrivateKey,
    X25519PublicKey,
)
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

NOTIFY, REQUEST, REPLY, FAILURE, RECEIPTS, RECORD = range(6)
HELLO_FRAME, MESSAGE_FRAME, STATUSES_FRAME, RECEIPTS_FRAME, RECORD_FRAME = range(5)
STATES = ("delivered", "handled", "refused", "expired")
CODES = ("taken", "full", "refused", "handled")
NORMAL = 1
WANTS_RECEIPTS = 1
LIFETIME_MS = 60_000
TIMEOUT_S = 30


class Refused(Exception):
    pass


def want(condition, what):
    if not condition:
        raise Refused(what)


class Tag:
    def __init__(self, number, value):
        self.number, self.value = number, value


def head(major, value):
    for info, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if value < 24:
            return bytes([major << 5 | value])
        if value < 1 << 8 * size:
            return bytes([major << 5 | info]) + value.to_bytes(size, "big")
    raise ValueError("too large")


def encode(value):
    if value is None:
        return b"\xf6"
    if isinstance(value, int):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(map(encode, value))
    if isinstance(value, Tag):
        return head(6, value.number) + encode(value.value)
    pairs = sorted((encode(key), encode(each)) for key, each in value.items())
    return head(5, len(pairs)) + b"".join(a + b for a, b in pairs)


def decode(data, deterministic=True):
    value, end = decode_at(data, 0, 0)
    want(end == len(data), "trailing bytes")
    want(not deterministic or encode(value) == data, "not deterministic")
    return value


def decode_at(data, at, depth):
    want(depth < 8 and at < len(data), "truncated or deep")
    major, info = data[at] >> 5, data[at] & 31
    at += 1
    if major == 7:
        want(info in (22, 23), "another simple value")
        return None, at
    size = {24: 1, 25: 2, 26: 4, 27: 8}.get(info, 0)
    want(info < 24 or size, "another kind of item")
    want(at + size <= len(data), "truncated")
    number = int.from_bytes(data[at : at + size], "big") if size else info
    at += size
    if major == 0:
        return number, at
    if major == 1:
        return -1 - number, at
    if major == 6:
        value, at = decode_at(data, at, depth + 1)
        return Tag(number, value), at
    want(number <= len(data) - at, "truncated")
    if major in (2, 3):
        part = data[at : at + number]
        return (part if major == 2 else part.decode()), at + number
    items = []
    for _ in range(number * (2 if major == 5 else 1)):
        item, at = decode_at(data, at, depth + 1)
        items.append(item)
    if major == 4:
        return items, at
    return dict(zip(items[::2], items[1::2])), at


def array(value, length=None):
    want(isinstance(value, list), "no array")
    want(length is None or len(value) == length, "another length")
    return value


def sig_structure(header, purpose, payload):
    return encode(["Signature1", header, purpose.encode(), payload])


def signed(agent, purpose, payload):
    header = encode({1: -8, 4: agent.id})
    signature = agent.key.sign(sig_structure(header, purpose, payload))
    return encode(Tag(18, [header, {}, payload, signature]))


def opened(purpose, data):
    """Signer and payload of a COSE_Sign1."""
    item = decode(data)
    want(isinstance(item, Tag) and item.number == 18, "no COSE_Sign1")
    header, unprotected, payload, signature = array(item.value, 4)
    protected = decode(header)
    want(set(protected) == {1, 4} and protected[1] == -8, "another header")
    want(unprotected == {} and len(protected[4]) == 32, "another header")
    try:
        key = Ed25519PublicKey.from_public_bytes(protected[4])
        key.verify(signature, sig_structure(header, purpose, payload))
    except (InvalidSignature, ValueError):
        raise Refused("signature") from None
    return protected[4], payload


def hkdf_extract(salt, ikm):
    return hmac.new(salt or bytes(32), ikm, hashlib.sha256).digest()


def hkdf_expand(key, info, length):
    out, block, count = b"", b"", 0
    while len(out) < length:
        count += 1
        block = hmac.new(key, block + info + bytes([count]), hashlib.sha256).digest()
        out += block
    return out[:length]


KEM = b"KEM" + struct.pack(">H", 0x20)
SUITE = b"HPKE" + struct.pack(">HHH", 0x20, 1, 3)


def labeled_extract(suite, salt, label, ikm):
    return hkdf_extract(salt, b"HPKE-v1" + suite + label + ikm)


def labeled_expand(suite, key, label, info, length):
    return hkdf_expand(
        key, struct.pack(">H", length) + b"HPKE-v1" + suite + label + info, length
    )


def hpke_key(dh, enc, public):
    """Key and nonce of the first message in base mode (RFC 9180 sections 4.1, 5.1), with an empty info."""
    prk = labeled_extract(KEM, b"", b"eae_prk", dh)
    shared = labeled_expand(KEM, prk, b"shared_secret", enc + public, 32)
    context = (
        b"\x00"
        + labeled_extract(SUITE, b"", b"psk_id_hash", b"")
        + labeled_extract(SUITE, b"", b"info_hash", b"")
    )
    secret = labeled_extract(SUITE, shared, b"secret", b"")
    return (
        labeled_expand(SUITE, secret, b"key", context, 32),
        labeled_expand(SUITE, secret, b"base_nonce", context, 12),
    )


PROTECTED = encode({1: 42})
ENC_STRUCTURE = encode(["Encrypt0", PROTECTED, b""])


def sealed(public, plaintext):
    ephemeral = X25519PrivateKey.generate()
    enc = ephemeral.public_key().public_bytes_raw()
    dh = ephemeral.exchange(X25519PublicKey.from_public_bytes(public))
    key, nonce = hpke_key(dh, enc, public)
    ciphertext = ChaCha20Poly1305(key).encrypt(nonce, plaintext, ENC_STRUCTURE)
    return encode(Tag(16, [PROTECTED, {-4: enc}, ciphertext]))


def unsealed(agent, data):
    item = decode(data)
    want(isinstance(item, Tag) and item.number == 16, "no COSE_Encrypt0")
    header, unprotected, ciphertext = array(item.value, 3)
    want(header == PROTECTED and set(unprotected) == {-4}, "another header")
    enc = unprotected[-4]
    dh = agent.seal_key.exchange(X25519PublicKey.from_public_bytes(enc))
    key, nonce = hpke_key(dh, enc, agent.seal_key.public_key().public_bytes_raw())
    try:
        return ChaCha20Poly1305(key).decrypt(nonce, ciphertext, ENC_STRUCTURE)
    except InvalidTag:
        raise Refused("not sealed to us, or changed") from None


def now_ms():
    return int(time.time() * 1000)


class Agent:
    def __init__(self, seed, name, static):
        self.key = Ed25519PrivateKey.from_private_bytes(seed)
        self.id = self.key.public_key().public_bytes_raw()
        self.name, self.static = name, static
        prk = hkdf_extract(b"", seed)
        secret = hkdf_expand(prk, b"betanet-fabric-seal-v1", 32)
        self.seal_key = X25519PrivateKey.from_private_bytes(secret)

    def record(self):
        now = now_ms()
        payload = {
            1: self.name,
            2: self.seal_key.public_key().public_bytes_raw(),
            3: [[self.static]],
            4: ["written in Python"],
            5: now,
            6: now,
            7: now + 3_600_000,
        }
        return signed(self, "betanet-fabric-record-v1", encode(payload))

    def message(self, kind, to, type_, payload, reply_to=None, flags=0):
        now = now_ms()
        return [
            *[1, kind, os.urandom(16), self.id, to, type_, NORMAL],
            *[now, now + LIFETIME_MS, None, reply_to, flags, {}, payload],
        ]

    def receipts(self, to, messages, state):
        receipts = [[each[2], STATES.index(state), now_ms(), ""] for each in messages]
        payload = encode([to, receipts])
        return signed(self, "betanet-fabric-receipts-v1", payload)

    def sealed_message(self, seal_key, message):
        purpose = "betanet-fabric-message-v1"
        return sealed(seal_key, signed(self, purpose, encode(message)))

    def open_message(self, data):
        signer, payload = opened("betanet-fabric-message-v1", unsealed(self, data))
        message = array(decode(payload), 14)
        want(message[3] == signer and message[4] == self.id, "from or to another")
        return message


def read_record(data, peer):
    signer, payload = opened("betanet-fabric-record-v1", data)
    record = decode(payload)
    want(signer == peer and record[7] > now_ms(), "another's record, or expired")
    return record


def read_receipts(data, peer, us):
    """State and reason by message id, signed by the peer about messages of ours."""
    signer, payload = opened("betanet-fabric-receipts-v1", data)
    sender, receipts = array(decode(payload), 2)
    want(signer == peer and sender == us, "not by the peer, or about another")
    return {each[0]: (STATES[each[1]], each[3]) for each in receipts}


def is_refused_if_changed(data, peer, us):
    """Whether receipts of which a bit of the signature is another are refused."""
    try:
        read_receipts(data[:-1] + bytes([data[-1] ^ 1]), peer, us)
    except Refused:
        return True
    return False


class Link:
    """Frames of the first stream of a session."""

    def __init__(self, at, agent, peer):
        self.at, self.agent, self.peer = at, agent, peer
        self.stream = self.open()
        self.answers, self.statuses, self.receipts, self.asked = {}, {}, {}, []
        self.refuses = True
        self.send(HELLO_FRAME, encode([1, [agent.record()], 1_024, 1 << 20]))
        kind, body = self.frame()
        want(kind == HELLO_FRAME, "no hello")
        version, records, self.messages, self.bytes, _ = array(decode(body), 5)
        want(version == 1, "another version")
        self.records = [read_record(each, peer) for each in records]

    def open(self):
        host, port = self.at.split(":")
        return socket.create_connection((host, int(port)), timeout=TIMEOUT_S)

    def send(self, kind, body):
        self.stream.sendall(struct.pack(">BI", kind, len(body)) + body)

    def read(self, length):
        data = b""
        while len(data) < length:
            part = self.stream.recv(length - len(data))
            want(part, "the stream ended")
            data += part
        return data

    def frame(self):
        kind, length = struct.unpack(">BI", self.read(5))
        return kind, self.read(length)

    def say(self, message):
        body = encode(message)
        if len(body) <= 65_536:
            self.send(MESSAGE_FRAME, body)
            return message[2]
        stream = self.open()
        stream.sendall(struct.pack(">BI", MESSAGE_FRAME, len(body)) + body)
        stream.shutdown(socket.SHUT_WR)
        return message[2]

    def until(self, done):
        while not done():
            self.take(*self.frame())

    def take(self, kind, body):
        if kind == STATUSES_FRAME:
            for id_, code, reason in decode(body):
                self.statuses[id_] = (CODES[code], reason)
        elif kind == RECEIPTS_FRAME:
            self.receipts.update(read_receipts(body, self.peer, self.agent.id))
            self.refuses &= is_refused_if_changed(body, self.peer, self.agent.id)
        elif kind == MESSAGE_FRAME:
            self.take_message(array(decode(body), 14))
        else:
            want(kind == RECORD_FRAME, "a frame that does not belong here")
            read_record(body, self.peer)

    def take_message(self, message):
        kind, id_, from_, type_, payload = *message[1:4], message[5], message[13]
        want(from_ == self.peer and message[4] == self.agent.id, "another's")
        if kind in (REPLY, FAILURE):
            self.answers[message[10]] = (kind, decode(payload, False))
            return
        want(kind == REQUEST, "another kind")
        self.asked.append(decode(payload, False))
        text = encode(f"{self.agent.name} has {type_}")
        answer = self.agent.message(REPLY, from_, type_, text, id_)
        self.send(MESSAGE_FRAME, encode(answer))
        if message[11] & WANTS_RECEIPTS:
            body = self.agent.receipts(from_, [message], "handled")
            self.send(RECEIPTS_FRAME, body)


def live(agent, peer, options):
    link = Link(options["at"], agent, peer)
    say = lambda kind, type_, value: link.say(
        agent.message(kind, peer, type_, encode(value), None, WANTS_RECEIPTS)
    )
    asked = say(REQUEST, "double", 21)
    noted = say(NOTIFY, "note", "a note")
    large = say(NOTIFY, "note", "x" * 100_000)
    lost = say(REQUEST, "nothing", None)
    end = ("handled", "refused")
    link.until(
        lambda: {asked, lost} <= set(link.answers)
        and all(
            link.receipts.get(each, [""])[0] in end
            for each in (asked, noted, large, lost)
        )
        and link.asked
    )
    return {
        "answer": link.answers[asked][1],
        "failure": list(link.answers[lost]),
        "statuses": [link.statuses[each] for each in (noted, large)],
        "receipts": [link.receipts[each] for each in (asked, noted, large, lost)],
        "asked": link.asked,
        "names": [record[1] for record in link.records],
        "refuses": link.refuses,
    }


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def eid(name):
    agent, node = name.split("@")
    return [1, f"//{node}/{agent}"]


def bundle(source, destination, sequence, payload):
    """A bundle (RFC 9171) with a CRC-32C in its primary block."""
    time_ms = now_ms() - 946_684_800_000
    fields = [7, 0, 2, eid(destination), eid(source), eid(source)]
    fields += [[time_ms, sequence], LIFETIME_MS]
    crc = crc32c(encode([*fields, bytes(4)]))
    primary = encode([*fields, struct.pack(">I", crc)])
    return b"\x9f" + primary + encode([1, 1, 0, 0, payload]) + b"\xff"


def payload_of(data):
    want(data[:1] == b"\x9f" and data[-1:] == b"\xff", "no bundle")
    at, blocks = 1, []
    while at < len(data) - 1:
        block, at = decode_at(data, at, 0)
        blocks.append(block)
    return blocks[-1][4]


def bundles(agent, peer, options):
    def call(path, body=None):
        with urllib.request.urlopen(f"http://{options['at']}{path}", body, TIMEOUT_S) as got:
            return got.headers.get("content-type"), got.read()

    record = read_record(bytes.fromhex(options["record"]), peer)
    own = agent.message(RECORD, peer, "record", agent.record())
    ask = agent.message(REQUEST, peer, "double", encode(21), None, WANTS_RECEIPTS)
    for sequence, message in enumerate((own, ask)):
        payload = agent.sealed_message(record[2], message)
        call("/insert", bundle(agent.name, record[1], sequence, payload))
    seen = {"kinds": [], "refuses": True}
    receipts = {}
    until = time.time() + TIMEOUT_S
    while "answer" not in seen or receipts.get(ask[2], [""])[0] != "handled":
        want(time.time() < until, f"no answer: {seen}")
        type_, data = call(f"/endpoint?{agent.name.split('@')[0]}")
        if type_ != "application/cbor":
            time.sleep(0.05)
            continue
        message = agent.open_message(payload_of(data))
        want(message[3] == peer, "another's")
        kind, payload = message[1], message[13]
        seen["kinds"].append(kind)
        if kind == RECORD:
            read_record(payload, peer)
        elif kind == RECEIPTS:
            receipts.update(read_receipts(payload, peer, agent.id))
            seen["refuses"] &= is_refused_if_changed(payload, peer, agent.id)
        else:
            want(kind == REPLY and message[10] == ask[2], "another answer")
            seen["answer"] = decode(payload, False)
    return {**seen, "receipts": list(receipts.values())}


def main():
    options = json.loads(sys.argv[1])
    seed, static, peer = (bytes.fromhex(options[each]) for each in ("seed", "static", "peer"))
    agent = Agent(seed, options["name"], static)
    mode = {"live": live, "bundles": bundles}[options["mode"]]
    print(json.dumps({"id": agent.id.hex(), **mode(agent, peer, options)}))


main()
