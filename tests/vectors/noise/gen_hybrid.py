"""Writes hybrid.json: Noise hfs handshakes with X25519 and ML-KEM-768, made without any code of this repository.

    pip install cryptography==48.0.0 kyber-py==1.2.0
    python3 gen_hybrid.py > hybrid.json

Both sides run, and must agree on every payload, the handshake hash and the chaining key. The encapsulating side uses
kyber-py, whose randomness can be fixed; the decapsulating side uses the ML-KEM of `cryptography`.
The patterns are derived from the classic ones by the two sentences of the Noise HFS extension, section 5.
"""

import hashlib
import hmac
import json

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from kyber_py.ml_kem import ML_KEM_768

CLASSIC = {
    "XK": [["s"], ["e es", "e ee", "s se"]],
    "XX": [[], ["e", "e ee s es", "s se"]],
    "IK": [["s"], ["e es s ss", "e ee se"]],
}
DH = {"ee", "es", "se", "ss"}
HASH = {"SHA256": hashlib.sha256, "BLAKE2s": hashlib.blake2s}


def hfs(messages):
    """Adds e1 after the first e, or after a DH of that message; ekem1 after the first ee."""
    messages = [m.split() for m in messages]
    first = next(m for m in messages if "e" in m)
    dh = [i for i, t in enumerate(first) if t in DH]
    first.insert((dh[0] if dh else first.index("e")) + 1, "e1")
    second = next(m for m in messages if "ee" in m)
    second.insert(second.index("ee") + 1, "ekem1")
    return messages


def public(private):
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


class Party:
    def __init__(self, name, hash_name, initiator, s, e, kem_seed, rs, prologue, premessage):
        self.hash = HASH[hash_name]
        self.initiator = initiator
        self.keys = {"s": s, "e": e}
        self.remote = {"s": rs}
        self.kem_seed = kem_seed
        self.h = name.encode().ljust(32, b"\0") if len(name) <= 32 else self.hash(name.encode()).digest()
        self.ck, self.k, self.n = self.h, None, 0
        self.mix_hash(prologue)
        if premessage:
            self.mix_hash(rs if initiator else public(s))

    def mix_hash(self, data):
        self.h = self.hash(self.h + data).digest()

    def hkdf(self, ikm):
        temp = hmac.new(self.ck, ikm, self.hash).digest()
        one = hmac.new(temp, b"\x01", self.hash).digest()
        return one, hmac.new(temp, one + b"\x02", self.hash).digest()

    def mix_key(self, ikm):
        self.ck, self.k = self.hkdf(ikm)
        self.n = 0

    def nonce(self):
        self.n += 1
        return bytes(4) + (self.n - 1).to_bytes(8, "little")

    def encrypt(self, plaintext):
        sent = ChaCha20Poly1305(self.k).encrypt(self.nonce(), plaintext, self.h) if self.k else plaintext
        self.mix_hash(sent)
        return sent

    def decrypt(self, sent):
        plaintext = ChaCha20Poly1305(self.k).decrypt(self.nonce(), sent, self.h) if self.k else sent
        self.mix_hash(sent)
        return plaintext

    def mix_dh(self, token):
        ours, theirs = token if self.initiator else token[::-1]
        private = X25519PrivateKey.from_private_bytes(self.keys[ours])
        self.mix_key(private.exchange(X25519PublicKey.from_public_bytes(self.remote[theirs])))

    def write(self, tokens, payload):
        out = b""
        for token in tokens:
            if token == "e":
                out += public(self.keys["e"])
                self.mix_hash(public(self.keys["e"]))
            elif token == "s":
                out += self.encrypt(public(self.keys["s"]))
            elif token == "e1":
                self.kem = MLKEM768PrivateKey.from_seed_bytes(self.kem_seed)
                encapsulation_key = self.kem.public_key().public_bytes_raw()
                assert encapsulation_key == ML_KEM_768.key_derive(self.kem_seed)[0]
                out += self.encrypt(encapsulation_key)
            elif token == "ekem1":
                # _encaps_internal is FIPS 203 ML-KEM.Encaps_internal: the message m is the randomness.
                shared, ciphertext = ML_KEM_768._encaps_internal(self.remote_kem, self.kem_seed)
                out += self.encrypt(ciphertext)
                self.mix_key(shared)
            else:
                self.mix_dh(token)
        return out + self.encrypt(payload)

    def read(self, tokens, message):
        def take(length):
            nonlocal message
            part, message = message[:length], message[length:]
            return part

        for token in tokens:
            tag = 16 if self.k else 0
            if token == "e":
                self.remote["e"] = take(32)
                self.mix_hash(self.remote["e"])
            elif token == "s":
                self.remote["s"] = self.decrypt(take(32 + tag))
            elif token == "e1":
                self.remote_kem = self.decrypt(take(1184 + tag))
            elif token == "ekem1":
                self.mix_key(self.kem.decapsulate(self.decrypt(take(1088 + tag))))
            else:
                self.mix_dh(token)
        return self.decrypt(message)


def seed(label, length=32):
    return hashlib.shake_256(b"betanet noise hybrid " + label.encode()).digest(length)


def vector(pattern, hash_name):
    name = f"Noise_{pattern}hfs_25519+MLKEM768_ChaChaPoly_{hash_name}"
    premessage, classic = CLASSIC[pattern]
    prologue = b"prologue of " + name.encode()
    init_s, resp_s = seed(name + " init_static"), seed(name + " resp_static")
    init_e, resp_e = seed(name + " init_ephemeral"), seed(name + " resp_ephemeral")
    init_kem, resp_kem = seed(name + " init_kem_seed", 64), seed(name + " resp_kem_seed")
    known = public(resp_s) if premessage else None
    init = Party(name, hash_name, True, init_s, init_e, init_kem, known, prologue, premessage)
    resp = Party(name, hash_name, False, resp_s, resp_e, resp_kem, None, prologue, premessage)
    messages = []
    for i, tokens in enumerate(hfs(classic)):
        sender, receiver = (init, resp) if i % 2 == 0 else (resp, init)
        payload = seed(f"{name} payload {i}", 7 * i)
        sent = sender.write(tokens, payload)
        assert receiver.read(tokens, sent) == payload
        messages.append({"payload": payload.hex(), "ciphertext": sent.hex()})
    assert (init.h, init.ck) == (resp.h, resp.ck)
    handshake_hash, chaining_key = init.h, init.ck
    keys = init.hkdf(b"")
    for i in range(len(messages), len(messages) + 4):
        payload = seed(f"{name} payload {i}", 5 * i)
        nonce = bytes(4) + ((i - len(classic)) // 2).to_bytes(8, "little")
        sent = ChaCha20Poly1305(keys[i % 2]).encrypt(nonce, payload, b"")
        messages.append({"payload": payload.hex(), "ciphertext": sent.hex()})
    vector = {
        "protocol_name": name,
        "init_prologue": prologue.hex(),
        "init_static": init_s.hex(),
        "init_ephemeral": init_e.hex(),
        "init_kem_seed": init_kem.hex(),
        "resp_prologue": prologue.hex(),
        "resp_static": resp_s.hex(),
        "resp_ephemeral": resp_e.hex(),
        "resp_kem_seed": resp_kem.hex(),
        "handshake_hash": handshake_hash.hex(),
        "chaining_key": chaining_key.hex(),
        "messages": messages,
    }
    if known:
        vector["init_remote_static"] = known.hex()
    return vector


if __name__ == "__main__":
    print(json.dumps({"vectors": [vector(p, h) for p in CLASSIC for h in HASH]}, indent=1))
