import { type Bytes, encodeHex } from "../core/bytes/mod.ts";
import type { CryptoProvider } from "../core/crypto/mod.ts";
import { HtxError } from "./error.ts";
import { encodePing, PING_TOKEN_LENGTH } from "./payload.ts";

/** PINGs of ours that may be unanswered at once. */
const MAX_PINGS = 64;

/** A PING to send. */
export interface OutgoingPing {
  /** Its token in hex. */
  readonly token: string;
  /** The frame's payload. */
  readonly payload: Bytes;
}

/** Our PINGs that wait for an answer, oldest first. */
export class Pings {
  readonly #sentAtMs = new Map<string, number>();
  readonly #timeoutMs: number;

  /** Gives the peer `timeoutMs` to answer each. */
  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /** When the oldest has waited too long. */
  get dueAtMs(): number {
    const [oldest = Infinity] = this.#sentAtMs.values();
    return oldest + this.#timeoutMs;
  }

  /** Whether no other may be sent before an answer. */
  get full(): boolean {
    return this.#sentAtMs.size >= MAX_PINGS;
  }

  /**
   * Makes one.
   *
   * @throws {HtxError} `limit` if too many are unanswered.
   */
  send(crypto: CryptoProvider, nowMs: number): OutgoingPing {
    if (this.full) {
      throw new HtxError("limit", "Too many PINGs are unanswered");
    }
    const bytes = crypto.random(PING_TOKEN_LENGTH);
    const token = encodeHex(bytes);
    this.#sentAtMs.set(token, nowMs);
    return { token, payload: encodePing({ answer: false, token: bytes }) };
  }

  /**
   * Takes the answer to `token` (hex) and returns the round-trip time in milliseconds.
   *
   * @throws {HtxError} `violation` if nobody asked.
   */
  answered(token: string, nowMs: number): number {
    const sentAtMs = this.#sentAtMs.get(token);
    if (sentAtMs === undefined) {
      throw new HtxError("violation", "Answer to no PING of ours");
    }
    this.#sentAtMs.delete(token);
    return nowMs - sentAtMs;
  }
}
