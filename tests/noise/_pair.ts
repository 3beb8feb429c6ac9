import type { Bytes } from "../../src/core/bytes/mod.ts";
import {
  type CryptoProvider,
  generateX25519,
  type KeyPair,
  nobleProvider,
  nodeProvider,
} from "../../src/core/crypto/mod.ts";
import {
  type HandshakeOptions,
  HandshakeState,
} from "../../src/core/noise/mod.ts";

export const PATTERNS = ["XK", "XX", "IK"] as const;
export const HASHES = ["SHA256", "BLAKE2s"] as const;
export const INITIATOR_KEY = generateX25519(nodeProvider);
export const RESPONDER_KEY = generateX25519(nodeProvider);

/** Every provider that core/crypto exports. */
export const PROVIDERS: readonly CryptoProvider[] = [
  nodeProvider,
  nobleProvider,
];

export interface Suite {
  readonly pattern: HandshakeOptions["pattern"];
  readonly hash: HandshakeOptions["hash"];
  readonly hybrid: boolean;
}

export const SUITES: Suite[] = PATTERNS.flatMap((pattern) =>
  HASHES.flatMap((hash) =>
    [false, true].map((hybrid) => ({ pattern, hash, hybrid }))
  )
);

export function suiteName(suite: Suite): string {
  return `${suite.pattern}${suite.hybrid ? "hfs" : ""} ${suite.hash}`;
}

export function initiator(
  suite: Suite,
  changes: Partial<HandshakeOptions> = {},
): HandshakeState {
  return new HandshakeState({
    crypto: nodeProvider,
    role: "initiator",
    staticKeyPair: INITIATOR_KEY,
    ...suite.pattern === "XX"
      ? {}
      : { remoteStaticKey: RESPONDER_KEY.publicKey },
    ...suite,
    ...changes,
  });
}

export function responder(
  suite: Suite,
  changes: Partial<HandshakeOptions> = {},
): HandshakeState {
  return new HandshakeState({
    crypto: nodeProvider,
    role: "responder",
    staticKeyPair: RESPONDER_KEY,
    ...suite,
    ...changes,
  });
}

/** Runs the handshake until `stop` messages passed and returns them. */
export function exchange(
  a: HandshakeState,
  b: HandshakeState,
  stop = Infinity,
): Bytes[] {
  const messages: Bytes[] = [];
  while (!(a.finished && b.finished) && messages.length < stop) {
    const [from, to] = a.myTurn ? [a, b] : [b, a];
    const message = from.writeMessage(Uint8Array.of(messages.length));
    messages.push(message);
    to.readMessage(message);
  }
  return messages;
}

/** A provider whose randomness is `values` in order, then an error. */
export function scripted(
  crypto: CryptoProvider,
  ...values: Uint8Array[]
): CryptoProvider {
  const queue = values.map((value) => new Uint8Array(value));
  return {
    ...crypto,
    random(length) {
      const value = queue.shift();
      if (value?.length !== length) {
        throw new Error(`No scripted value of ${length} bytes`);
      }
      return value;
    },
  };
}

/** A provider that computes each public-key operation once, so that thousands of equal handshakes are quick. */
export function memoized(crypto: CryptoProvider): CryptoProvider {
  const memo = <A extends Uint8Array[], R>(
    run: (...args: A) => R,
    copy: (result: R) => R,
  ) => {
    const known = new Map<string, R>();
    return (...args: A): R => {
      const key = args.map((arg) => arg.toHex()).join();
      const result = known.get(key) ?? run(...args);
      known.set(key, copy(result));
      return result;
    };
  };
  const bytes = (value: Bytes): Bytes => value.slice();
  const { x25519, mlKem768 } = crypto;
  return {
    ...crypto,
    x25519: {
      publicKey: memo((key) => x25519.publicKey(key), bytes),
      sharedSecret: memo((key, peer) => x25519.sharedSecret(key, peer), bytes),
    },
    mlKem768: {
      generateKeyPair: memo(
        (seed?: Uint8Array) => mlKem768.generateKeyPair(seed),
        (pair): KeyPair => ({
          publicKey: pair.publicKey.slice(),
          privateKey: pair.privateKey.slice(),
        }),
      ) as typeof mlKem768.generateKeyPair,
      encapsulate: memo(
        (key: Uint8Array, seed?: Uint8Array) => mlKem768.encapsulate(key, seed),
        ({ ciphertext, sharedSecret }) => ({
          ciphertext: ciphertext.slice(),
          sharedSecret: sharedSecret.slice(),
        }),
      ) as typeof mlKem768.encapsulate,
      decapsulate: memo(
        (key, ciphertext) => mlKem768.decapsulate(key, ciphertext),
        bytes,
      ),
    },
  };
}
