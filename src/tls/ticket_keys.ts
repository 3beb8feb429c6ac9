/**
 * Session tickets of our server, as long as those of nginx.
 *
 * ```text
 * 16B name of the key
 * 12B nonce, random
 * nB  state, sealed with ChaCha20-Poly1305; the name of the key is authenticated with it
 * 16B tag
 * ```
 *
 * @module
 */
import { type Bytes, concat, encodeHex } from "../core/bytes/mod.ts";
import {
  type Aead,
  CryptoError,
  type CryptoProvider,
} from "../core/crypto/mod.ts";
import {
  decodeTicketState,
  encodeTicketState,
  type TicketState,
} from "./session_ticket.ts";
import { ticketLength } from "./ticket_length.ts";

const NAME_LENGTH = 16;
const NONCE_LENGTH = 12;
const TAG_LENGTH = 16;
const OVERHEAD_LENGTH = NAME_LENGTH + NONCE_LENGTH + TAG_LENGTH;
const MIN_LENGTH = 128;
const MAX_LIFETIME_MS = 604_800_000; // 7 days, RFC 8446 §4.6.1

/** Options of {@link TicketKeys}. */
export interface TicketKeysOptions {
  /** For how long a ticket resumes a session, in milliseconds, at most 7 days; default 2 hours, as OpenSSL. */
  readonly lifetimeMs?: number;
  /**
   * How long a key seals tickets before a new one does, in milliseconds; default 12 hours. At least the lifetime, so
   * that two keys at most are alive.
   */
  readonly rotateMs?: number;
}

interface TicketKey {
  readonly name: Bytes;
  readonly aead: Aead;
  readonly madeAtMs: number;
}

/**
 * The keys that seal a server's session tickets: the newest seals, those before it open what they have sealed until that
 * is over. All are random and live in memory alone; dispose wipes them.
 *
 * Give the same to several listeners only if a session of one may be resumed at the other.
 */
export class TicketKeys implements Disposable {
  /** For how long a ticket resumes a session, in milliseconds. */
  readonly lifetimeMs: number;
  readonly #crypto: CryptoProvider;
  readonly #rotateMs: number;
  /** By name in hex, the oldest first. */
  readonly #keys = new Map<string, TicketKey>();
  #newest: TicketKey | undefined;

  /**
   * Starts without a key; the first ticket makes one.
   *
   * @throws {RangeError} If the lifetime is not in 1 ms to 7 days, or a key would rotate in less.
   */
  constructor(
    crypto: CryptoProvider,
    {
      lifetimeMs = 7_200_000,
      rotateMs = Math.max(lifetimeMs, 43_200_000),
    }: TicketKeysOptions = {},
  ) {
    if (!(lifetimeMs >= 1 && lifetimeMs <= MAX_LIFETIME_MS)) {
      throw new RangeError(
        `A ticket lives up to 7 days: got ${lifetimeMs} ms`,
      );
    }
    if (!(rotateMs >= lifetimeMs)) {
      throw new RangeError(
        `A ticket key seals for ${lifetimeMs} ms at least: got ${rotateMs}`,
      );
    }
    this.#crypto = crypto;
    this.lifetimeMs = lifetimeMs;
    this.#rotateMs = rotateMs;
  }

  /** Number of keys that open tickets. */
  get size(): number {
    return this.#keys.size;
  }

  /** A ticket that holds `state`, as long as nginx's for a session of that name and protocol. */
  seal(
    state: TicketState,
    { serverName, alpn }: {
      readonly serverName?: string | undefined;
      readonly alpn?: string | undefined;
    } = {},
  ): Bytes {
    const { name, aead } = this.#sealing(state.issuedAtMs);
    const nonce = this.#crypto.random(NONCE_LENGTH);
    const length = ticketLength({
      pskLength: state.psk.length,
      ageAdd: state.ageAdd,
      alpn,
      serverName,
    });
    const plaintext = encodeTicketState(state, length - OVERHEAD_LENGTH);
    const sealed = aead.seal(nonce, plaintext, name);
    plaintext.fill(0);
    return concat(name, nonce, sealed);
  }

  /** What `ticket` holds, or `undefined` if it is not ours, or its time is over at `wallTimeMs`. */
  open(ticket: Uint8Array, wallTimeMs: number): TicketState | undefined {
    if (ticket.length < MIN_LENGTH) return undefined;
    this.#prune(wallTimeMs);
    const name = ticket.subarray(0, NAME_LENGTH);
    const key = this.#keys.get(encodeHex(name));
    if (!key) return undefined;
    const sealedAt = NAME_LENGTH + NONCE_LENGTH;
    try {
      const plaintext = key.aead.open(
        ticket.subarray(NAME_LENGTH, sealedAt),
        ticket.subarray(sealedAt),
        name,
      );
      const state = decodeTicketState(plaintext);
      if (this.#isGood(state, wallTimeMs)) return state;
      state.psk.fill(0);
      return undefined;
    } catch (error) {
      if (error instanceof CryptoError) return undefined;
      throw error;
    }
  }

  /** Wipes every key; tickets sealed before open no more. */
  [Symbol.dispose](): void {
    for (const { aead } of this.#keys.values()) aead[Symbol.dispose]();
    this.#keys.clear();
    this.#newest = undefined;
  }

  /** The trust of the first handshake ends too, however often the session was renewed. */
  #isGood(
    { issuedAtMs, firstHandshakeAtMs }: TicketState,
    wallTimeMs: number,
  ): boolean {
    const ageMs = wallTimeMs - issuedAtMs;
    return ageMs >= 0 && ageMs < this.lifetimeMs &&
      wallTimeMs - firstHandshakeAtMs < MAX_LIFETIME_MS;
  }

  #sealing(wallTimeMs: number): TicketKey {
    const newest = this.#newest;
    const ageMs = newest ? wallTimeMs - newest.madeAtMs : Infinity;
    if (newest && ageMs >= 0 && ageMs < this.#rotateMs) return newest;
    this.#prune(wallTimeMs);
    const secret = this.#crypto.random(32);
    const key = {
      name: this.#crypto.random(NAME_LENGTH),
      aead: this.#crypto.chacha20poly1305(secret),
      madeAtMs: wallTimeMs,
    };
    secret.fill(0);
    this.#keys.set(encodeHex(key.name), key);
    return this.#newest = key;
  }

  /** Lets go of the keys whose last ticket is over, and of those of a future that the clock has left again. */
  #prune(wallTimeMs: number): void {
    for (const [name, { aead, madeAtMs }] of this.#keys) {
      const ageMs = wallTimeMs - madeAtMs;
      if (ageMs >= 0 && ageMs < this.#rotateMs + this.lifetimeMs) continue;
      aead[Symbol.dispose]();
      this.#keys.delete(name);
      if (this.#newest?.aead === aead) this.#newest = undefined;
    }
  }
}
