import {
  type Bytes,
  DecodeError,
  encodeHex,
  equal,
} from "../core/bytes/mod.ts";
import { type CryptoProvider, generateX25519 } from "../core/crypto/mod.ts";
import type { Logger } from "../core/log/mod.ts";
import { StorageError } from "../core/storage/mod.ts";
import type { Address } from "../core/transport/mod.ts";
import type { NoTicket } from "./carrier.ts";
import type { ReplayMemory } from "./replay.ts";
import {
  decodeTicket,
  deriveAccessTicket,
  type Ticket,
  ticketHash,
  ticketHour,
} from "./ticket.ts";
import { isAccepted, type TicketKeyRing } from "./ticket_key_ring.ts";
import type { TokenBuckets } from "./token_bucket.ts";

/** Why a connection was not admitted. */
export const GATE_REASONS = [
  "none", // it carries no ticket
  "malformed", // what it carries is no ticket
  "rate_limited", // its network has no token left
  "unknown_key", // no ticket key has this id
  "expired", // the ticket key is not accepted at this time
  "forged", // no acceptable hour gives this access ticket: forged, or made by a clock more than an hour off
  "replayed", // the ticket was used before
  "full", // the replay memory cannot take one more
] as const;
/** One of {@link GATE_REASONS}. */
export type GateReason = typeof GATE_REASONS[number];

/** The decision about one connection. */
export type GateVerdict = {
  /** The ticket is valid and was not seen before. */
  readonly admitted: true;
  /** The ticket; it borrows the payload. */
  readonly ticket: Ticket;
  /** The payload's SHA-256, for the prologue of the inner handshake. */
  readonly ticketHash: Bytes;
} | {
  /** The connection belongs to the decoy. */
  readonly admitted: false;
  /** Why, for metrics; never tell the peer. */
  readonly reason: GateReason;
};

/** What a {@link Gate} decides by. */
export interface GateOptions {
  /** Cryptographic primitives. */
  readonly crypto: CryptoProvider;
  /** The ticket keys. */
  readonly keys: TicketKeyRing;
  /** The tickets used so far. */
  readonly replay: ReplayMemory;
  /** The limits per network. */
  readonly buckets: TokenBuckets;
  /** Told when the replay memory's store fails. */
  readonly log?: Logger;
}

/** Where and when a connection came. */
export interface GateVisit {
  /** The peer's address. */
  readonly remoteAddress: Address;
  /** Wall time in milliseconds since 1970-01-01 UTC. */
  readonly wallTimeMs: number;
  /** Monotonic time in milliseconds. */
  readonly nowMs: number;
}

const HOURS = [-1, 0, 1] as const;
/** The u-coordinates of order 8 and below, on the curve and its twist: 0, 1, two of order 8, p − 1, p, p + 1. */
const LOW_ORDER: ReadonlySet<string> = new Set([
  "00".repeat(32),
  "01" + "00".repeat(31),
  "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
  "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
  ...["ec", "ed", "ee"].map((low) => low + "ff".repeat(30) + "7f"),
]);

/**
 * Decides who is admitted (Betanet 1.1 §5.2).
 *
 * Every connection costs one X25519 and three derivations, ticket or not, so that the time until the decoy answers tells nothing
 * about what was wrong; only a network that is out of tokens is turned away before, so that a flood costs little.
 * A ticket enters the replay memory only after it verified.
 */
export class Gate {
  /** Connections so far by outcome. */
  readonly counts: Readonly<Record<GateReason | "admitted", number>>;
  readonly #counts: Record<GateReason | "admitted", number>;
  readonly #options: GateOptions;
  /** Stands in where there is no ticket or no key. */
  readonly #dummy: { readonly privateKey: Bytes; readonly ticket: Ticket };

  /** Starts with all counts at 0. */
  constructor(options: GateOptions) {
    const { crypto } = this.#options = options;
    const names = ["admitted", ...GATE_REASONS] as const;
    this.counts = this.#counts = Object.fromEntries(
      names.map((name) => [name, 0]),
    ) as Record<GateReason | "admitted", number>;
    this.#dummy = {
      privateKey: crypto.random(32),
      ticket: {
        clientPublicKey: generateX25519(crypto).publicKey,
        keyId: crypto.random(8),
        nonce: crypto.random(32),
        accessTicket: crypto.random(32),
      },
    };
  }

  /** Decides about a connection that carries `found`, see {@link findTicket}. */
  admit(found: Uint8Array | NoTicket, visit: GateVisit): GateVerdict {
    const verdict = this.#decide(found, visit);
    this.#counts[verdict.admitted ? "admitted" : verdict.reason]++;
    return verdict;
  }

  #decide(found: Uint8Array | NoTicket, visit: GateVisit): GateVerdict {
    const { crypto, buckets, keys } = this.#options;
    const { remoteAddress, wallTimeMs, nowMs } = visit;
    if (found !== "none" && !buckets.take(remoteAddress, nowMs)) {
      return refuse("rate_limited");
    }
    const payload = typeof found === "string" ? undefined : found;
    const ticket = payload && parse(payload);
    const key = ticket && keys.find(ticket.keyId);
    const hour = this.#verify(
      key?.privateKey.expose() ?? this.#dummy.privateKey,
      ticket ?? this.#dummy.ticket,
      wallTimeMs,
    );
    if (found === "none") return refuse("none");
    if (!payload || !ticket) return refuse("malformed");
    if (!key) return refuse("unknown_key");
    if (!isAccepted(key, wallTimeMs)) return refuse("expired");
    if (hour === undefined) return refuse("forged");
    const seen = this.#remember(ticket, hour, nowMs);
    if (seen !== "new") return refuse(seen);
    return { admitted: true, ticket, ticketHash: ticketHash(crypto, payload) };
  }

  /** The hour that `ticket` was made for; all of them are tried and compared, whichever fits. */
  #verify(
    privateKey: Uint8Array,
    { clientPublicKey, keyId, accessTicket }: Ticket,
    wallTimeMs: number,
  ): number | undefined {
    const { crypto } = this.#options;
    const weak = isLowOrder(clientPublicKey);
    const sharedSecret = crypto.x25519.sharedSecret(
      privateKey,
      weak ? this.#dummy.ticket.clientPublicKey : clientPublicKey,
    );
    const now = ticketHour(wallTimeMs);
    let match = 0;
    HOURS.forEach((offset, i) => {
      const hour = Math.max(now + offset, 0);
      const wanted = deriveAccessTicket(crypto, { sharedSecret, keyId, hour });
      match |= Number(equal(wanted, accessTicket)) << i;
    });
    return !weak && match > 0
      ? now + HOURS[31 - Math.clz32(match)]!
      : undefined;
  }

  #remember(ticket: Ticket, hour: number, nowMs: number) {
    const { replay, log } = this.#options;
    try {
      return replay.remember(ticket.accessTicket, hour, nowMs);
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      log?.error("htx.replay_store_failed", { error });
      return "full";
    }
  }
}

function refuse(reason: GateReason): GateVerdict {
  return { admitted: false, reason };
}

function parse(payload: Uint8Array): Ticket | undefined {
  try {
    return decodeTicket(payload);
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

/** Whether every shared secret of `publicKey` is zero; its top bit does not count (RFC 7748 §5). */
function isLowOrder(publicKey: Uint8Array): boolean {
  const u = new Uint8Array(publicKey);
  u[31]! &= 0x7f;
  return LOW_ORDER.has(encodeHex(u));
}
