import { generateX25519 } from "../../src/core/crypto/mod.ts";
import { Handshake, type HandshakeInit } from "../../src/htx/handshake.ts";
import { parameters } from "../../src/htx/parameters.ts";
import { repeatableCrypto } from "./_repeatable_crypto.ts";

/** A day on which the classic suite is still allowed. */
export const IN_2026 = Date.UTC(2026, 5, 1);

const SERVER_KEYS = generateX25519(repeatableCrypto(3));
const CLIENT_KEYS = generateX25519(repeatableCrypto(4));

/** Two ends of one inner handshake, with nothing between them. */
export interface HandshakePair {
  readonly client: Handshake;
  readonly server: Handshake;
  readonly clientInit: HandshakeInit;
  readonly serverInit: HandshakeInit;
}

/** Both ends agree on everything unless told otherwise; their messages are the same for every pair. */
export function handshakePair(
  client: Partial<HandshakeInit> = {},
  server: Partial<HandshakeInit> = {},
): HandshakePair {
  const common = {
    ticketHash: new Uint8Array(32).fill(7),
    parameters: parameters(),
    wallTimeMs: IN_2026,
  };
  const clientInit: HandshakeInit = {
    ...common,
    role: "client",
    crypto: repeatableCrypto(1),
    staticKeyPair: CLIENT_KEYS,
    remoteStaticKey: SERVER_KEYS.publicKey,
    ...client,
  };
  const serverInit: HandshakeInit = {
    ...common,
    role: "server",
    crypto: repeatableCrypto(2),
    staticKeyPair: SERVER_KEYS,
    ...server,
  };
  return {
    client: new Handshake(clientInit),
    server: new Handshake(serverInit),
    clientInit,
    serverInit,
  };
}

/** Who takes each message; the client makes the first. */
const TAKERS = ["server", "client", "server"] as const;

/**
 * Carries whole messages until one is due as number `until` (0 to 3) and returns that one, empty if it is the fourth.
 *
 * @param nowMs The time of each step, in milliseconds.
 */
export function advance(
  pair: HandshakePair,
  until: number = TAKERS.length,
  nowMs: (step: number) => number = () => 0,
): Uint8Array {
  let message: Uint8Array = pair.client.start(nowMs(0));
  for (let i = 0; i < until; i++) {
    message = pair[TAKERS[i]!].feed(message, nowMs(i + 1)) ?? new Uint8Array();
  }
  return message;
}

/** The end that takes message number `index`. */
export function taker(pair: HandshakePair, index: number): Handshake {
  return pair[TAKERS[index]!];
}
