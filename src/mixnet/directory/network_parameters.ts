import type { CborDecoded, CborValue } from "../../core/bytes/mod.ts";
import { arrayOf, integerOf, NETWORK_NAME, textOf } from "./fields.ts";

/** Bytes of the shortest payload that holds a message or a demand with a way back in it, besides its acknowledgement's. */
export const MIN_PAYLOAD_LENGTH = 949;

/** What all nodes and clients of a network have in common. */
export interface NetworkParameters {
  /** Its name: 1 to 64 of `a-z 0-9 . -`. */
  readonly network: string;
  /** Length of an epoch in seconds; 3,600 in Betanet 1.1 §7.2. */
  readonly epochSeconds: number;
  /** Length of the packets' payload in bytes, {@link MIN_PAYLOAD_LENGTH} to 65,535: see `sphinxGeometry`. */
  readonly payloadLength: number;
  /** Layers of mixes. */
  readonly layers: number;
  /** Mean of a hop's delay in milliseconds. */
  readonly meanDelayMs: number;
  /** Longest delay of a hop in milliseconds. */
  readonly maxDelayMs: number;
  /** Packets that a client sends in 1,000 seconds, real or cover (λ_P). */
  readonly clientPacketsPer1000S: number;
  /** Loops that a client sends beside them in 1,000 seconds (λ_L). */
  readonly clientLoopsPer1000S: number;
  /** Loops that a node sends in 1,000 seconds (λ_M). */
  readonly nodeLoopsPer1000S: number;
}

/** They as a CBOR array. */
export function parametersArray(p: NetworkParameters): CborValue {
  return [
    p.network,
    p.epochSeconds,
    p.payloadLength,
    p.layers,
    p.meanDelayMs,
    p.maxDelayMs,
    p.clientPacketsPer1000S,
    p.clientLoopsPer1000S,
    p.nodeLoopsPer1000S,
  ];
}

/** Reads {@link parametersArray}. */
export function parametersOf(value: CborDecoded): NetworkParameters {
  const fields = arrayOf(value, 9, 9);
  const meanDelayMs = integerOf(fields[4], 1, 3_600_000);
  return {
    network: textOf(fields[0], NETWORK_NAME),
    epochSeconds: integerOf(fields[1], 1, 86_400),
    payloadLength: integerOf(fields[2], MIN_PAYLOAD_LENGTH, 65_535),
    layers: integerOf(fields[3], 1, 3),
    meanDelayMs,
    maxDelayMs: integerOf(fields[5], meanDelayMs, 3_600_000),
    clientPacketsPer1000S: integerOf(fields[6], 0, 10_000_000),
    clientLoopsPer1000S: integerOf(fields[7], 0, 10_000_000),
    nodeLoopsPer1000S: integerOf(fields[8], 0, 10_000_000),
  };
}
