/**
 * The inner handshake (Betanet 1.1 §5.3, profile G4, G9, G10): Noise XK, hybrid with ML-KEM-768 unless both sides agreed otherwise.
 *
 * ```text
 * client → server  1B suite, see SUITE; 2B length; Noise message 1
 * server → client  2B length; Noise message 2, its payload the server's parameters
 * client → server  2B length; Noise message 3, its payload the client's parameters
 *
 * prologue  "/betanet/htx/1.1.0" ‖ suite ‖ SHA-256(ticket payload)
 * ```
 *
 * @module
 */
import { type Bytes, concat, utf8, Writer } from "../core/bytes/mod.ts";
import type { CryptoProvider, X25519KeyPair } from "../core/crypto/mod.ts";
import { HandshakeState, NoiseError } from "../core/noise/mod.ts";
import type { Connection } from "../core/transport/mod.ts";
import { HtxError } from "./error.ts";
import { deriveSessionKeys } from "./keys.ts";
import type { Role } from "./mux.ts";
import {
  decodeParameters,
  encodeParameters,
  MAX_PARAMETERS_LENGTH,
  type Parameters,
} from "./parameters.ts";
import type { Established } from "./session.ts";

/** The protocol id (§6.2) that the prologue begins with. */
export const PROTOCOL_ID = "/betanet/htx/1.1.0";

/** Inner key agreements on the wire. */
export const SUITE = {
  classic: 0x01, // Noise_XK_25519_ChaChaPoly_SHA256
  hybrid: 0x02, // Noise_XKhfs_25519+MLKEM768_ChaChaPoly_SHA256
} as const;

/** When the hybrid becomes mandatory (§2): 2027-01-01 UTC, in milliseconds since 1970-01-01. */
export const HYBRID_REQUIRED_FROM_MS: number = Date.UTC(2027, 0, 1);

/** What a {@link Handshake} starts from. */
export interface HandshakeInit {
  /** Which end this is. */
  readonly role: Role;
  /** The primitives. */
  readonly crypto: CryptoProvider;
  /** Our Noise static key pair. */
  readonly staticKeyPair: X25519KeyPair;
  /** The server's Noise static key, 32 bytes: the client knows it beforehand. */
  readonly remoteStaticKey?: Uint8Array;
  /** SHA-256 of the ticket's payload. */
  readonly ticketHash: Uint8Array;
  /** What we offer. */
  readonly parameters: Parameters;
  /**
   * Client: go without ML-KEM-768. Server: let clients do so. Refused from {@link HYBRID_REQUIRED_FROM_MS} on.
   * Default false.
   */
  readonly classic?: boolean;
  /** Wall time in milliseconds since 1970-01-01 UTC. */
  readonly wallTimeMs: number;
  /** EKM of the outer TLS, 64 bytes, where the carrier has one. */
  readonly exporter?: Uint8Array;
}

/** EKM of the channel below `carrier`, if that is a secure one (profile G3, G4). */
export function outerExporter(
  carrier: Pick<Connection, "exportKeyingMaterial">,
): { readonly exporter?: Bytes } {
  const exporter = carrier.exportKeyingMaterial?.("htx inner v1", 64);
  return exporter ? { exporter } : {};
}

/** One end of the inner handshake, without IO; any failure ends it. */
export class Handshake {
  /** Which end this is. */
  readonly role: Role;
  readonly #init: HandshakeInit;
  #noise: HandshakeState | undefined;
  #received: Bytes = new Uint8Array(0);
  #remote: Parameters | undefined;
  #sentAtMs = 0;
  #rttMs = 0;
  #established: Established | undefined;

  /** Starts before the first message. */
  constructor(init: HandshakeInit) {
    this.role = init.role;
    this.#init = init;
  }

  /** What came of it, once the last message has passed. */
  get established(): Established | undefined {
    return this.#established;
  }

  /**
   * The client's first message; a server has none.
   *
   * @throws {HtxError} `incompatible` if the classic suite is asked for from 2027-01-01 on.
   */
  start(nowMs: number): Bytes {
    const { classic = false } = this.#init;
    if (classic) this.#checkClassic();
    const suite = classic ? SUITE.classic : SUITE.hybrid;
    this.#noise = this.#state(suite);
    this.#sentAtMs = nowMs;
    return concat(Uint8Array.of(suite), this.#write(new Uint8Array(0)));
  }

  /**
   * Takes what arrived and returns what to send, if anything.
   *
   * @throws {HtxError} `incompatible` if the suites differ, `unauthenticated` if a message does not verify, `malformed`
   * if a length cannot be.
   * @throws {DecodeError} If the peer's parameters do not decode.
   */
  feed(bytes: Uint8Array, nowMs: number): Bytes | undefined {
    this.#received = concat(this.#received, bytes);
    if (!this.#noise) {
      if (this.#received.length === 0) return undefined;
      this.#noise = this.#accept(this.#received[0]!);
      this.#received = this.#received.slice(1);
    }
    const payload = this.#read(this.#noise);
    if (!payload) return undefined;
    const server = this.#init.role === "server";
    if (server && !this.#noise.finished) {
      this.#sentAtMs = nowMs;
      return this.#write(encodeParameters(this.#init.parameters));
    }
    this.#rttMs = nowMs - this.#sentAtMs;
    this.#remote = decodeParameters(payload);
    const reply = server
      ? undefined
      : this.#write(encodeParameters(this.#init.parameters));
    this.#establish(this.#noise, this.#remote);
    return reply;
  }

  #accept(suite: number): HandshakeState {
    if (suite === SUITE.classic && this.#init.classic) this.#checkClassic();
    else if (suite !== SUITE.hybrid) {
      throw new HtxError("incompatible", "Peer asks for a suite we refuse");
    }
    return this.#state(suite);
  }

  #checkClassic(): void {
    if (this.#init.wallTimeMs >= HYBRID_REQUIRED_FROM_MS) {
      throw new HtxError(
        "incompatible",
        "The hybrid suite is mandatory from 2027-01-01 on",
      );
    }
  }

  #state(suite: number): HandshakeState {
    const { crypto, role, staticKeyPair, remoteStaticKey } = this.#init;
    const { ticketHash } = this.#init;
    return new HandshakeState({
      crypto,
      pattern: "XK",
      hash: "SHA256",
      hybrid: suite === SUITE.hybrid,
      role: role === "client" ? "initiator" : "responder",
      prologue: concat(utf8(PROTOCOL_ID), Uint8Array.of(suite), ticketHash),
      staticKeyPair,
      ...(remoteStaticKey && { remoteStaticKey }),
    });
  }

  #write(payload: Uint8Array): Bytes {
    const message = this.#verified((noise) => noise.writeMessage(payload));
    return new Writer(2 + message.length)
      .u16(message.length)
      .put(message)
      .finish();
  }

  /** The payload of the next message, once it is whole. */
  #read(noise: HandshakeState): Bytes | undefined {
    if (this.#received.length < 2) return undefined;
    const length = this.#received[0]! << 8 | this.#received[1]!;
    const least = noise.messageLength();
    if (length < least || length > least + MAX_PARAMETERS_LENGTH) {
      throw new HtxError("malformed", "Handshake message of wrong length");
    }
    if (this.#received.length < 2 + length) return undefined;
    const message = this.#received.subarray(2, 2 + length);
    const payload = this.#verified((noise) => noise.readMessage(message));
    this.#received = this.#received.slice(2 + length);
    return payload;
  }

  /** What `step` gives; a message may show only in our next step that it was bad. */
  #verified<T>(step: (noise: HandshakeState) => T): T {
    try {
      return step(this.#noise!);
    } catch (cause) {
      if (!(cause instanceof NoiseError)) throw cause;
      throw new HtxError("unauthenticated", "Handshake does not verify", {
        cause,
      });
    }
  }

  #establish(noise: HandshakeState, remote: Parameters): void {
    const { role, crypto, parameters, exporter } = this.#init;
    const { chainingKey, handshakeHash } = noise;
    this.#established = {
      role,
      crypto,
      keys: deriveSessionKeys(crypto, {
        chainingKey,
        handshakeHash,
        ...(exporter && { exporter }),
      }),
      local: parameters,
      remote,
      remoteStaticKey: noise.remoteStaticKey!,
      rttMs: this.#rttMs,
      leftover: this.#received,
    };
    chainingKey.fill(0);
    noise[Symbol.dispose]();
  }
}
