"""A node of a mixnet's directory, from docs/profile.md sections 10 and 12 alone, with its own CBOR.

Arguments: host:port of one or more authorities with commas between, network, epoch, threshold, authorities' keys in hexadecimal
with commas between. Gets and verifies the document of the epoch from the first, counts the votes again, publishes a node to all,
and prints what it saw as JSON.
"""
import hashlib
import http.client
import json
import re
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

DOMAINS = {
    "descriptor": b"betanet-mix-descriptor-v1",
    "roll": b"betanet-mix-roll-v1",
    "vote": b"betanet-mix-vote-v1",
    "endorsement": b"betanet-mix-document-v1",
}
FIELDS = {"descriptor": 9, "roll": 4, "vote": 7, "endorsement": 4}


class Refused(Exception):
    pass


def want(condition, what):
    if not condition:
        raise Refused(what)


def encode_head(major, value):
    for info, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if value < 24:
            return bytes([major << 5 | value])
        if value < 1 << 8 * size:
            return bytes([major << 5 | info]) + value.to_bytes(size, "big")
    raise ValueError("too large")


def encode(value):
    if isinstance(value, int):
        return encode_head(0, value)
    if isinstance(value, bytes):
        return encode_head(2, len(value)) + value
    if isinstance(value, str):
        return encode_head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return encode_head(4, len(value)) + b"".join(map(encode, value))
    pairs = sorted((encode(key), encode(each)) for key, each in value.items())
    return encode_head(5, len(pairs)) + b"".join(a + b for a, b in pairs)


def decode(data):
    value, end = decode_at(data, 0, 0)
    want(end == len(data), "trailing bytes")
    want(encode(value) == data, "not deterministic")
    return value


def decode_at(data, at, depth):
    want(depth < 8 and at < len(data), "truncated or deep")
    major, info = data[at] >> 5, data[at] & 31
    at += 1
    size = {24: 1, 25: 2, 26: 4, 27: 8}.get(info, 0)
    want(major <= 5 and (info < 24 or size), "another kind of item")
    want(at + size <= len(data), "truncated")
    number = int.from_bytes(data[at : at + size], "big") if size else info
    at += size
    if major == 0:
        return number, at
    want(major != 1 and number <= len(data) - at, "truncated")
    if major in (2, 3):
        part = data[at : at + number]
        try:
            return (part if major == 2 else part.decode()), at + number
        except UnicodeDecodeError:
            raise Refused("not UTF-8") from None
    items = []
    for _ in range(number * (2 if major == 5 else 1)):
        item, at = decode_at(data, at, depth + 1)
        items.append(item)
    if major == 4:
        return items, at
    keys = items[::2]
    want(all(isinstance(key, (int, str)) for key in keys), "another key")
    want(len(set(keys)) == len(keys), "a key twice")
    return dict(zip(keys, items[1::2])), at


def is_bytes(value, length):
    return isinstance(value, bytes) and len(value) == length


def array(value, length=None):
    want(isinstance(value, list), "no array")
    want(length is None or len(value) == length, "another length")
    return value


def fields(payload, count, optional=()):
    value = decode(payload)
    keys = set(range(1, count + 1))
    want(isinstance(value, dict) and keys <= set(value) <= keys | set(optional), "keys")
    return value


def verify(key, signature, message):
    want(is_bytes(key, 32) and is_bytes(signature, 64), "lengths")
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        raise Refused("signature") from None


def signed(kind, data):
    """The fields of a signed object."""
    payload, signature = array(decode(data), 2)
    want(isinstance(payload, bytes), "payload")
    value = fields(payload, FIELDS[kind], (10, 11) if kind == "descriptor" else ())
    verify(value[1], signature, DOMAINS[kind] + payload)
    return value


def descriptor(data, network):
    want(len(data) <= 8_192, "long descriptor")
    value = signed("descriptor", data)
    want(value[2] == network and value[3] in (0, 1), "network or role")
    want(is_bytes(value[5], 32) and 1 <= len(array(value[4])) <= 8, "link")
    for key, most in ((10, 1_024), (11, 4_096)):
        part = value.get(key, b"?")
        want(isinstance(part, bytes) and 1 <= len(part) <= most, "certificate or record")
    for address in value[4]:
        want(re.fullmatch(r"[a-z][a-z0-9+.-]{0,15}://[!-~]{1,200}", address), "address")
    epochs = [array(pair, 2)[0] for pair in array(value[6])]
    want(1 <= len(epochs) <= 8 and epochs == sorted(set(epochs)), "epochs")
    want(all(is_bytes(key, 32) for _, key in value[6]), "Sphinx key")
    return value


def beacon(there, missing):
    want(isinstance(there, dict) and there and len(there) + len(missing) <= 16, "components")
    want(not set(there) & set(missing), "both there and missing")
    total = bytes(32)
    for value in there.values():
        want(is_bytes(value, 32), "component")
        total = bytes(a ^ b for a, b in zip(total, value))
    return total


def document(data, network, epoch, threshold, authorities):
    payload, signatures = array(decode(data), 2)
    digest = hashlib.sha256(payload).digest()
    value = fields(payload, 6)
    parameters = array(value[1], 9)
    want(parameters[0] == network and value[2] == epoch, "network or epoch")
    signers = set()
    for pair in array(signatures):
        key, signature = array(pair, 2)
        want(key in authorities, "no authority")
        endorsement = encode({1: key, 2: network, 3: epoch, 4: digest})
        verify(key, signature, DOMAINS["endorsement"] + endorsement)
        signers.add(key)
    want(len(signers) >= threshold, "under-signed")
    random = beacon(value[3], array(value[4]))
    nodes = [(layer, descriptor(each, network), each) for layer, each in map(lambda n: array(n, 2), array(value[6]))]
    keys = [node[1] for _, node, _ in nodes]
    want(keys == sorted(set(keys)), "order of nodes")
    mixes = [node[1] for _, node, _ in nodes if node[3] == 0]
    mixes.sort(key=lambda key: hashlib.sha256(random + key).digest())
    for layer, node, _ in nodes:
        dealt = 0 if node[3] == 1 else 1 + mixes.index(node[1]) % parameters[3]
        want(layer == dealt, "layer")
        want(epoch in dict(node[6]), "no key for the epoch")
        want(node[9] > epoch * parameters[1], "expired")
    return {"hash": digest, "beacon": random, "nodes": nodes, "parameters": parameters}


def request(address, method, path, body=None, most=33_599_488):
    connection = http.client.HTTPConnection(address, timeout=10)
    connection.request(method, path, body)
    response = connection.getresponse()
    data = response.read(most + 1)
    want(len(data) <= most, "long answer")
    connection.close()
    return response.status, data


def get(address, path):
    status, data = request(address, "GET", path)
    want(status == 200, f"{path}: {status}")
    return data


def agreed(address, epoch, threshold):
    """The list and BeaconSet that the votes give, with whether the rolls give the same list."""
    rolls = [signed("roll", each) for each in decode(get(address, f"/rolls/{epoch}"))]
    votes = [signed("vote", each) for each in decode(get(address, f"/votes/{epoch}"))]
    counts = {}
    for roll in rolls:
        for digest in roll[4]:
            counts[digest] = counts.get(digest, 0) + 1
    closed = sorted(digest for digest, count in counts.items() if count >= threshold)
    same = [vote for vote in votes if vote[4] == closed]
    want(len(same) >= threshold, "no list")
    names = {name for vote in votes for name in vote[5]}
    there = {}
    for name in names:
        values = [vote[5][name] for vote in votes if name in vote[5]]
        best = max(set(values), key=values.count)
        if values.count(best) >= threshold:
            there[name] = best
    return closed, beacon(there, [])


def raw(key):
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def make_descriptor(identity, network, epoch, seconds, sequence):
    payload = encode({
        1: raw(identity),
        2: network,
        3: 0,
        4: ["tcp://127.0.0.1:9999"],
        5: raw(X25519PrivateKey.generate()),
        6: [[epoch + i, raw(X25519PrivateKey.generate())] for i in range(3)],
        7: 64_512,
        8: sequence,
        9: (epoch + 3) * seconds,
    })
    return encode([payload, identity.sign(DOMAINS["descriptor"] + payload)])


def main():
    addresses, network, epoch, threshold, keys = sys.argv[1:]
    addresses = addresses.split(",")
    address = addresses[0]
    epoch, threshold = int(epoch), int(threshold)
    authorities = [bytes.fromhex(key) for key in keys.split(",")]
    data = get(address, f"/document/{epoch}")
    trust = (network, epoch, threshold, authorities)
    found = document(data, *trust)
    refused = 0
    positions = range(0, len(data), max(1, len(data) // 500))
    for at in positions:
        changed = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        try:
            document(changed, *trust)
        except (Refused, TypeError):
            refused += 1
    closed, random = agreed(address, epoch, threshold)
    listed = sorted(hashlib.sha256(each).digest() for _, _, each in found["nodes"])
    first = hashlib.sha256(found["nodes"][0][2]).hexdigest()
    want(get(address, f"/descriptor/{first}") == found["nodes"][0][2], "another descriptor")
    identity = Ed25519PrivateKey.generate()
    seconds = found["parameters"][1]
    old, new = (make_descriptor(identity, network, epoch, seconds, i) for i in (1, 2))
    post = lambda body: [request(each, "POST", "/descriptor", body)[0] for each in addresses]
    print(json.dumps({
        "hash": found["hash"].hex(),
        "nodes": [[layer, node[1].hex()] for layer, node, _ in found["nodes"]],
        "changed": len(positions),
        "refused": refused,
        "agrees": closed == listed and random == found["beacon"],
        "convicted": len(decode(get(address, "/evidence"))),
        "published": [post(new), post(new), post(old), post(new[:-1]), post(bytes(8_193))],
        "id": raw(identity).hex(),
    }))


if __name__ == "__main__":
    main()
