import type { Bytes } from "../../../src/core/bytes/mod.ts";
import {
  generateX25519,
  nodeProvider as crypto,
} from "../../../src/core/crypto/mod.ts";
import {
  beaconSet,
  type DocumentTrust,
  joinDocument,
  makeDocument,
  type NetworkParameters,
  type NodeDescriptor,
  signDescriptor,
  signDocument,
} from "../../../src/mixnet/mod.ts";

export const EPOCH = 500_000;
export const EPOCH_MS = 3_600_000;
export const START_MS = EPOCH * EPOCH_MS;

export const PARAMETERS: NetworkParameters = {
  network: "test",
  epochSeconds: 3_600,
  payloadLength: 1_700,
  layers: 3,
  meanDelayMs: 50,
  maxDelayMs: 1_000,
  clientPacketsPer1000S: 10_000,
  clientLoopsPer1000S: 1_000,
  nodeLoopsPer1000S: 1_000,
};

/** Three authorities' seeds, each of 32 equal bytes. */
export const SEEDS = [1, 2, 3].map((byte) => new Uint8Array(32).fill(byte));
export const TRUST: DocumentTrust = {
  network: "test",
  authorities: SEEDS.map((seed) => crypto.ed25519.publicKey(seed)),
  threshold: 2,
};

/** A node's seed and what it says of itself. */
export function describe(
  number: number,
  changes: Partial<NodeDescriptor> = {},
): { readonly seed: Bytes; readonly descriptor: NodeDescriptor } {
  const seed = new Uint8Array(32).fill(100 + number);
  return {
    seed,
    descriptor: {
      identityKey: crypto.ed25519.publicKey(seed),
      network: "test",
      role: number < 2 ? "gateway" : "mix",
      addresses: [`tcp://127.0.0.1:${9_000 + number}`],
      linkKey: generateX25519(crypto).publicKey,
      sphinxKeys: new Map(
        [0, 1, 2].map((ahead) =>
          [EPOCH + ahead, generateX25519(crypto).publicKey] as const
        ),
      ),
      asn: 64_496 + number,
      sequence: 1,
      expiresMs: START_MS + 3 * EPOCH_MS,
      ...changes,
    },
  };
}

/** The signed descriptor of node `number`. */
export function signed(
  number: number,
  changes: Partial<NodeDescriptor> = {},
): Bytes {
  const { seed, descriptor } = describe(number, changes);
  return signDescriptor(crypto, seed, descriptor);
}

/** Two gateways and nine mixes. */
export const DESCRIPTORS = Array.from({ length: 11 }, (_, i) => signed(i));

/** A document's payload. */
export function payloadOf(
  changes: Partial<Parameters<typeof makeDocument>[1]> = {},
): Bytes {
  const epoch = changes.epoch ?? EPOCH;
  return makeDocument(crypto, {
    parameters: PARAMETERS,
    epoch,
    beacon: beaconSet(
      epoch,
      new Map([["drand", new Uint8Array(32).fill(7)], ["nist", undefined]]),
    ),
    previousHash: new Uint8Array(0),
    descriptors: DESCRIPTORS,
    ...changes,
  });
}

/** `payload` signed by the first `count` authorities. */
export function documentOf(payload: Uint8Array, count = 2): Bytes {
  return joinDocument(
    payload,
    SEEDS.slice(0, count).map((seed, i) =>
      [TRUST.authorities[i]!, signDocument(crypto, seed, payload)] as const
    ),
  );
}
