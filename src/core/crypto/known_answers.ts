import { type Bytes, concat, equal } from "../bytes/mod.ts";
import { CryptoError } from "./error.ts";
import { nobleProvider } from "./noble.ts";
import {
  type Aead,
  type CryptoProvider,
  type Ecdh,
  HASH_LENGTH,
  type HashName,
} from "./provider.ts";

/** The primitives that {@link failedSelfTests} tries. */
export type SelfTestName =
  | "random"
  | "hash"
  | "hmac"
  | "blake2bMac"
  | "hkdf"
  | "chacha20poly1305"
  | "aesGcm"
  | "aesKeyWrap"
  | "chacha20"
  | "aesCtr"
  | "x25519"
  | "p256"
  | "p384"
  | "ed25519"
  | "mlKem768";

/**
 * Runs every primitive of `provider` on fixed inputs of up to 5,000 bytes and names those that give a wrong answer,
 * accept a forgery or throw; an empty list is a pass.
 */
export function failedSelfTests(provider: CryptoProvider): SelfTestName[] {
  const names = Object.keys(SELF_TESTS) as SelfTestName[];
  return names.filter((name) => {
    try {
      return !SELF_TESTS[name](provider);
    } catch {
      return true;
    }
  });
}

const SELF_TESTS: Record<SelfTestName, (c: CryptoProvider) => boolean> = {
  random: (c) => !equal(c.random(32), c.random(32)),
  hash: (c) =>
    isKnown(
      eachHash((name) => c.hash(name, message().subarray(0, 1), message())),
      "d51c6b495fe69086bbd4229441ce81f20a6369032d2c38577b33beeeacfef28c",
    ),
  hmac: (c) =>
    isKnown(
      eachHash((name) => c.hmac(name, pattern(32), message())),
      "9a74b24d50ef1c7f93953ab791d6bb8a12222738ca1b44646ea5ed72177446d1",
    ),
  blake2bMac: (c) =>
    isKnown(
      concat(
        c.blake2bMac(pattern(64), 32, message()),
        c.blake2bMac(pattern(5), 64, pattern(1), message()),
      ),
      "187b9438ae83b933d46e044a6e0f6915587af94ff0feca5398bb91f0c5077ef5",
    ),
  hkdf: (c) =>
    isKnown(
      eachHash((name) =>
        concat(
          c.hkdf(name, pattern(22), pattern(13), pattern(10), 200),
          c.hkdfExpand(name, pattern(64), pattern(10), 200),
        )
      ),
      "251295a483612330a6612c2773fc99b97eb7d8eadbfaf858aed255672200e9c5",
    ),
  chacha20poly1305: (c) =>
    opensOnlyItsOwn(
      c.chacha20poly1305(pattern(32)),
      "2574c51d8f1c2e8969f376b4226472e2ef46140710e0e04e4734c5c46687998e",
    ),
  aesGcm: (c) =>
    opensOnlyItsOwn(
      c.aesGcm(pattern(16)),
      "28fe960d19c958295f6f6c6b06e494b4242e5fba1777e7d588df3aaff35fe99d",
    ) &&
    opensOnlyItsOwn(
      c.aesGcm(pattern(32)),
      "94959a09fcf948d832708494f3d67464301e770d702888f856ae02654dc0971e",
    ),
  aesKeyWrap: wrapsAndUnwraps,
  chacha20: (c) =>
    isKnown(
      c.chacha20(pattern(32), pattern(12), 7, message()),
      "d5c31fa5e9bfda367146116e715c2211ad1a9e8c7c4abf520b9484b1d5459479",
    ),
  aesCtr: (c) =>
    isKnown(
      concat(
        c.aesCtr(pattern(16), pattern(16), message()),
        c.aesCtr(pattern(32), pattern(16), message()),
      ),
      "c9edefe1b7c057d8dcb10f613019b44ab348158dc348918a86c04b674a7e3ef2",
    ),
  x25519: (c) =>
    isKnown(
      c.x25519.sharedSecret(pattern(32), c.x25519.publicKey(pattern(32, 1))),
      "cb99486ee7ed5e4aafe29a61be7de8c49fd6ae353c62bfa18770f64508f0fed5",
    ) &&
    refuses(
      () => c.x25519.sharedSecret(pattern(32), new Uint8Array(32)),
      "weak_key",
    ),
  p256: (c) =>
    agrees(
      c.p256,
      "bcfa58717ca9f6712b031e35ef63dd191cec4ae9966e8140a01aa61beb16ec45",
    ),
  p384: (c) =>
    agrees(
      c.p384,
      "037bedffca3cddab848b3536c5cd36d180ab88d372b8b64f0e4c2f4440f3a693",
    ),
  ed25519: signsAndVerifies,
  mlKem768: encapsulates,
};

function opensOnlyItsOwn(made: Aead, known: string): boolean {
  using aead = made;
  const [nonce, aad] = [pattern(12), pattern(13)];
  const sealed = aead.seal(nonce, message(), aad);
  if (!isKnown(sealed, known)) return false;
  if (!equal(aead.open(nonce, sealed, aad), message())) return false;
  const forged = sealed.slice();
  forged[forged.length - 1]! ^= 1;
  return refuses(() => aead.open(nonce, forged, aad), "unauthenticated") &&
    refuses(() => aead.open(nonce, sealed, nonce), "unauthenticated");
}

function wrapsAndUnwraps({ aesKeyWrap }: CryptoProvider): boolean {
  const [short, long] = [pattern(16), pattern(32)];
  const wrapped = aesKeyWrap.wrap(short, long);
  const forged = wrapped.slice();
  forged[0]! ^= 1;
  return isKnown(
    concat(wrapped, aesKeyWrap.wrap(long, short)),
    "4093ca8131542d540d30aec45630c8e5983647f168eaa542c10129bdc6db515a",
  ) && equal(aesKeyWrap.unwrap(short, wrapped), long) &&
    refuses(() => aesKeyWrap.unwrap(short, forged), "unauthenticated");
}

function agrees(curve: Ecdh, known: string): boolean {
  const [a, b] = [pattern(curve.length), pattern(curve.length, 1)];
  const publicKey = curve.publicKey(b);
  const offCurve = publicKey.slice();
  offCurve[offCurve.length - 1]! ^= 1;
  const fresh = curve.generateKeyPair();
  return isKnown(concat(publicKey, curve.sharedSecret(a, publicKey)), known) &&
    equal(curve.publicKey(fresh.privateKey), fresh.publicKey) &&
    refuses(() => curve.sharedSecret(a, offCurve), "invalid_key");
}

function signsAndVerifies({ ed25519 }: CryptoProvider): boolean {
  const key = ed25519.publicKey(pattern(32));
  const signature = ed25519.sign(pattern(32), message());
  using signer = ed25519.signer(pattern(32));
  if (!equal(signer.sign(message()), signature)) return false;
  return isKnown(
    concat(key, signature),
    "d7b9eae2815ae1fe7a411517dcf5ee11c18ee628d6294101e39069f7ce74dd6d",
  ) && ed25519.verify(key, message(), signature) &&
    !ed25519.verify(key, message().subarray(1), signature);
}

function encapsulates({ mlKem768 }: CryptoProvider): boolean {
  const { publicKey, privateKey } = mlKem768.generateKeyPair(pattern(64));
  const { ciphertext, sharedSecret } = mlKem768.encapsulate(
    publicKey,
    pattern(32),
  );
  const forged = ciphertext.slice();
  forged[0]! ^= 1;
  return isKnown(
    concat(
      publicKey,
      privateKey,
      ciphertext,
      sharedSecret,
      mlKem768.decapsulate(privateKey, forged),
    ),
    "58f2ce290a5d0aafb68db352cf9b8b50dbebc27f1c649340e6bc781c71af9e8d",
  ) && equal(mlKem768.decapsulate(privateKey, ciphertext), sharedSecret);
}

function refuses(operation: () => unknown, code: CryptoError["code"]): boolean {
  try {
    operation();
    return false;
  } catch (error) {
    return error instanceof CryptoError && error.code === code;
  }
}

function eachHash(run: (name: HashName) => Bytes): Bytes {
  return concat(...(Object.keys(HASH_LENGTH) as HashName[]).map(run));
}

/** Whether `bytes` has the SHA-256 that two independent implementations gave for the right answer. */
function isKnown(bytes: Bytes, sha256: string): boolean {
  return nobleProvider.hash("sha256", bytes).toHex() === sha256;
}

/** `length` bytes that count up from `first`. */
function pattern(length: number, first = 0): Bytes {
  return Uint8Array.from({ length }, (_, i) => first + i);
}

const message = () => pattern(5000);
