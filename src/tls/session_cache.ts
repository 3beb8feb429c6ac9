import type { Bytes } from "../core/bytes/mod.ts";
import { MAX_TICKET_LIFETIME_S } from "./messages/new_session_ticket.ts";
import type { CipherSuite } from "./suite.ts";

/** What a client keeps of a connection to resume it, once (RFC 8446 §4.6.1, §C.4). */
export interface Session {
  /** The suite, whose hash the resumed connection must use. */
  readonly cipherSuite: CipherSuite;
  /** The pre-shared key; wiped once used or dropped. */
  readonly psk: Bytes;
  /** What the server gave. */
  readonly ticket: Bytes;
  /** `ticket_age_add`. */
  readonly ageAdd: number;
  /** How long the server takes the ticket, in seconds. */
  readonly lifetimeS: number;
  /** When it came, in milliseconds since 1970. */
  readonly receivedAtMs: number;
  /** Until when the trust of the first handshake may be inherited, in milliseconds since 1970. */
  readonly trustedUntilMs: number;
  /** The certificates that were verified then, as DER. */
  readonly peerCertificates: readonly Bytes[];
}

/** Options of {@link SessionCache}. */
export interface SessionCacheOptions {
  /** Most hosts with sessions, default 256; beyond it the one unused for longest is forgotten. */
  readonly maxHosts?: number;
}

const SESSIONS_PER_HOST = 2; // as Chrome

/**
 * Sessions by host, the newest two of each, each given out once.
 *
 * A resumed connection inherits the trust of the first, for seven days and while its certificate is valid: share a cache
 * only between connections with the same verifier.
 */
export class SessionCache implements Disposable {
  readonly #maxHosts: number;
  readonly #hosts = new Map<string, Session[]>();

  /**
   * Starts empty.
   *
   * @throws {RangeError} If `maxHosts` is not at least 1.
   */
  constructor({ maxHosts = 256 }: SessionCacheOptions = {}) {
    if (!(maxHosts >= 1)) {
      throw new RangeError(`Want room for a host: got ${maxHosts}`);
    }
    this.#maxHosts = maxHosts;
  }

  /** Number of sessions held. */
  get size(): number {
    let size = 0;
    for (const sessions of this.#hosts.values()) size += sessions.length;
    return size;
  }

  /** Keeps `session` for `host`, any string that names whom it was with and how. */
  put(host: string, session: Session): void {
    const sessions = this.#hosts.get(host) ?? [];
    sessions.push(session);
    if (sessions.length > SESSIONS_PER_HOST) sessions.shift()!.psk.fill(0);
    this.#hosts.delete(host);
    this.#hosts.set(host, sessions);
    if (this.#hosts.size > this.#maxHosts) {
      const [oldest] = this.#hosts.keys();
      this.#forget(oldest!);
    }
  }

  /** Takes the newest session of `host` that is good at `nowMs`, milliseconds since 1970; that counts as a use of the host. */
  take(host: string, nowMs: number): Session | undefined {
    const sessions = this.#hosts.get(host) ?? [];
    this.#hosts.delete(host);
    for (;;) {
      const session = sessions.pop();
      if (!session || isFresh(session, nowMs)) {
        if (sessions.length > 0) this.#hosts.set(host, sessions);
        return session;
      }
      session.psk.fill(0);
    }
  }

  /** Forgets and wipes every session. */
  [Symbol.dispose](): void {
    for (const host of this.#hosts.keys()) this.#forget(host);
  }

  #forget(host: string): void {
    for (const { psk } of this.#hosts.get(host) ?? []) psk.fill(0);
    this.#hosts.delete(host);
  }
}

function isFresh(session: Session, nowMs: number): boolean {
  const ageMs = nowMs - session.receivedAtMs;
  const lifetimeS = Math.min(session.lifetimeS, MAX_TICKET_LIFETIME_S);
  return ageMs >= 0 && ageMs < 1_000 * lifetimeS &&
    nowMs < session.trustedUntilMs;
}
