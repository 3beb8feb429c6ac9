"""Makes directory.json: every signed object of docs/profile.md section 12, and a document of two authorities, from fixed seeds."""
import hashlib
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "interop"))
from _directory_peer import DOMAINS, document, encode, raw  # noqa: E402
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: E402
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey  # noqa: E402

NETWORK, EPOCH, SECONDS = "vector", 500_000, 3_600
PARAMETERS = [NETWORK, SECONDS, 2_065, 3, 50, 1_000, 10_000, 1_000, 500]


def seed(text):
    return hashlib.sha256(text.encode()).digest()


def identity(text):
    return Ed25519PrivateKey.from_private_bytes(seed(text))


def agreement(text):
    return raw(X25519PrivateKey.from_private_bytes(seed(text)))


def sign(kind, key, fields):
    payload = encode({1: raw(key), **fields})
    return encode([payload, key.sign(DOMAINS[kind] + payload)])


def node(i):
    return sign("descriptor", identity(f"node {i}"), {
        2: NETWORK,
        3: 1 if i < 2 else 0,
        4: [f"tcp://192.0.2.{i}:9001", f"quic://192.0.2.{i}:9001"],
        5: agreement(f"link {i}"),
        6: [[EPOCH + j, agreement(f"sphinx {i} {j}")] for j in range(3)],
        7: 64_496 + i,
        8: 1_000 + i,
        9: (EPOCH + 3) * SECONDS,
        **({10: b"certificate", 11: b"record"} if i == 0 else {}),
    })


authorities = [identity(f"authority {i}") for i in range(2)]
nodes = [node(i) for i in range(8)]
hashes = sorted(hashlib.sha256(each).digest() for each in nodes)
components = {"drand": seed("drand"), "eth": seed("eth")}
previous = seed("previous document")
random = bytes(a ^ b for a, b in zip(*components.values()))


def layer(descriptor, mixes):
    key = descriptor[0]
    return 1 + mixes.index(key) % 3 if key in mixes else 0


keyed = sorted((raw(identity(f"node {i}")), each) for i, each in enumerate(nodes))
mixes = [raw(identity(f"node {i}")) for i in range(2, 8)]
mixes.sort(key=lambda key: hashlib.sha256(random + key).digest())
payload = encode({
    1: PARAMETERS,
    2: EPOCH,
    3: components,
    4: ["nist"],
    5: previous,
    6: [[layer(each, mixes), each[1]] for each in keyed],
})
digest = hashlib.sha256(payload).digest()
common = {2: NETWORK, 3: EPOCH}
endorsements = [sign("endorsement", key, {**common, 4: digest}) for key in authorities]
pairs = sorted([raw(key), each[-64:]] for key, each in zip(authorities, endorsements))
whole = encode([payload, pairs])
document(whole, NETWORK, EPOCH, 2, [raw(key) for key in authorities])
vote = {**common, 4: hashes, 5: components, 6: ["nist"], 7: previous}
rolls = [sign("roll", authorities[0], {**common, 4: each}) for each in (hashes, hashes[1:])]

(HERE / "directory.json").write_text(json.dumps({
    "network": NETWORK,
    "epoch": EPOCH,
    "authoritySeeds": [seed(f"authority {i}").hex() for i in range(2)],
    "nodeSeeds": [seed(f"node {i}").hex() for i in range(8)],
    "beacon": random.hex(),
    "descriptors": [each.hex() for each in nodes],
    "rolls": [each.hex() for each in rolls],
    "evidence": encode([0, *rolls]).hex(),
    "vote": sign("vote", authorities[0], vote).hex(),
    "endorsements": [each.hex() for each in endorsements],
    "document": whole.hex(),
}, indent=1) + "\n")
