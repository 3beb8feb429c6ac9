import { type Bytes, encodeHex } from "../core/bytes/mod.ts";
import {
  type CryptoProvider,
  generateX25519,
  type X25519KeyPair,
} from "../core/crypto/mod.ts";
import { TICKET_KEY_ID_LENGTH } from "./ticket.ts";

/** A ticket key of a server: ticketPub is its public key, with ticketKeyID (Betanet 1.1 §5.2). */
export interface TicketKey extends X25519KeyPair {
  /** ticketKeyID: 8 bytes. */
  readonly keyId: Bytes;
  /** Accepted from this wall time on, in milliseconds since 1970-01-01 UTC. */
  readonly notBeforeMs: number;
  /** Accepted before this wall time, in milliseconds since 1970-01-01 UTC; `Infinity` for ever. */
  readonly notAfterMs: number;
}

/** When {@link TicketKeyRing.rotate} makes keys, and for how long. */
export interface TicketKeyRotation {
  /** How long a new key is accepted. */
  readonly lifetimeMs: number;
  /** How long before the end of the newest key the next one is made: clients have this long to learn of it. */
  readonly overlapMs: number;
}

/** Most keys that a ring holds. */
export const MAX_TICKET_KEYS = 64;

/** A fresh ticket key with a random id. */
export function makeTicketKey(
  crypto: CryptoProvider,
  notBeforeMs: number,
  notAfterMs: number,
): TicketKey {
  const keyId = crypto.random(TICKET_KEY_ID_LENGTH);
  return { keyId, ...generateX25519(crypto), notBeforeMs, notAfterMs };
}

/** The ticket keys of a server: several are accepted at once, the newest is published. */
export class TicketKeyRing {
  readonly #keys = new Map<string, TicketKey>();

  /** Holds `keys`, e.g. those of the last run. */
  constructor(keys: Iterable<TicketKey> = []) {
    for (const key of keys) this.add(key);
  }

  /** Every key, oldest first; what to save. */
  get keys(): TicketKey[] {
    return [...this.#keys.values()].sort((a, b) =>
      a.notBeforeMs - b.notBeforeMs
    );
  }

  /**
   * Adds `key`.
   *
   * @throws {RangeError} If its id is taken or malformed, or the ring is full.
   */
  add(key: TicketKey): void {
    const name = encodeHex(key.keyId);
    if (key.keyId.length !== TICKET_KEY_ID_LENGTH || this.#keys.has(name)) {
      throw new RangeError("Ticket key ids must be 8 bytes, each used once");
    }
    if (this.#keys.size >= MAX_TICKET_KEYS) {
      throw new RangeError(`A ring holds at most ${MAX_TICKET_KEYS} keys`);
    }
    this.#keys.set(name, key);
  }

  /** The key with this id, accepted now or not. */
  find(keyId: Uint8Array): TicketKey | undefined {
    return this.#keys.get(encodeHex(keyId));
  }

  /** The key to publish: of those accepted now, the one that was last to begin. */
  current(wallTimeMs: number): TicketKey | undefined {
    return this.keys.findLast((key) => isAccepted(key, wallTimeMs));
  }

  /**
   * Drops the keys whose time is over and makes the next key once the newest has no more than `overlapMs` left.
   *
   * Call it now and then; `true` means that {@link keys} should be saved and {@link current} published anew.
   */
  rotate(
    crypto: CryptoProvider,
    wallTimeMs: number,
    { lifetimeMs, overlapMs }: TicketKeyRotation,
  ): boolean {
    const retired = this.retire(wallTimeMs);
    const newest = this.current(wallTimeMs);
    if (newest && newest.notAfterMs - wallTimeMs > overlapMs) {
      return retired > 0;
    }
    this.add(makeTicketKey(crypto, wallTimeMs, wallTimeMs + lifetimeMs));
    return true;
  }

  /** Drops the keys whose time is over and gives their number. */
  retire(wallTimeMs: number): number {
    const before = this.#keys.size;
    for (const [name, key] of this.#keys) {
      if (key.notAfterMs <= wallTimeMs) this.#keys.delete(name);
    }
    return before - this.#keys.size;
  }
}

/** Whether tickets of `key` are accepted at `wallTimeMs`. */
export function isAccepted(key: TicketKey, wallTimeMs: number): boolean {
  return key.notBeforeMs <= wallTimeMs && wallTimeMs < key.notAfterMs;
}
