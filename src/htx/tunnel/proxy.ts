import { type Clock, Deadline } from "../../core/async/mod.ts";
import { closeOnAbort } from "../close_on_abort.ts";
import { BufferedDuplex, type Duplex } from "../duplex.ts";
import { answer, farewell } from "./answer.ts";
import { openTarget, type StreamOpener, type TargetStream } from "./open.ts";
import {
  readTunnelRequest,
  type RequestRefusal,
  type TunnelRequest,
} from "./proxy_request.ts";
import type { Credentials } from "./socks5.ts";
import type { OpenReply } from "./target.ts";
import { TunnelEnd } from "./tunnel_end.ts";

/** Options of {@link LocalProxy}. */
export interface LocalProxyOptions {
  /** Asked of every client, SOCKS5 (RFC 1929) and HTTP (Basic, RFC 7617) alike; nobody is asked if not given. */
  readonly credentials?: Credentials;
  /** Most clients served at once; {@link PROXY_DEFAULTS} if not given. */
  readonly maxConnections?: number;
  /** Time for a client to say what it wants; {@link PROXY_DEFAULTS} if not given. */
  readonly handshakeTimeoutMs?: number;
  /** Time for a stream to open and the server to reach the target; {@link PROXY_DEFAULTS} if not given. */
  readonly openTimeoutMs?: number;
  /** As `SpliceOptions.idleTimeoutMs`. */
  readonly idleTimeoutMs?: number;
  /** Times all of these; the machine's clock if not given. */
  readonly clock?: Clock;
}

/** Defaults of {@link LocalProxyOptions}. */
export const PROXY_DEFAULTS = {
  maxConnections: 1024, // several browsers' worth
  handshakeTimeoutMs: 10_000, // clients are on this machine
  openTimeoutMs: 30_000, // longer than the server's own connect timeout
} as const;

/** Why a client got no tunnel. */
export type ProxyRefusal =
  | Exclude<OpenReply, "granted"> // the server's answer; `timeout` also if it gave none in time
  | "ended" // the client left before it said what it wants, or before our answer
  | "malformed" // neither SOCKS5 nor HTTP, or not as their RFCs say
  | "unauthorized" // credentials missing or wrong, or no method in common
  | "unsupported" // a SOCKS5 command or address type that is not served
  | "busy" // too many clients at once
  | "slow" // the client did not say in time what it wants
  | "session"; // no stream could be opened, or it broke before the answer

/**
 * A SOCKS5 and HTTP proxy on one port, told apart by the client's first byte, whose connections leave by the streams of a
 * session.
 */
export class LocalProxy extends TunnelEnd<ProxyRefusal> {
  readonly #opener: StreamOpener;
  readonly #options:
    & LocalProxyOptions
    & Record<keyof typeof PROXY_DEFAULTS, number>;

  /** Sends everything through `opener`. */
  constructor(opener: StreamOpener, given: LocalProxyOptions = {}) {
    const options = { ...PROXY_DEFAULTS, ...given };
    super({
      ...options,
      refusals: {
        busy: 0,
        slow: 0,
        ended: 0,
        malformed: 0,
        unauthorized: 0,
        unsupported: 0,
        session: 0,
        failed: 0,
        not_allowed: 0,
        network_unreachable: 0,
        host_unreachable: 0,
        refused: 0,
        timeout: 0,
        limit: 0,
      },
    });
    this.#opener = opener;
    this.#options = options;
  }

  /** Hears what a client wants, and joins it with a stream there. */
  protected override async take(
    connection: Duplex,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const client = new BufferedDuplex(connection);
    const request = await this.#readRequest(client, signal);
    if (!request) return;
    if ("refusal" in request) {
      this.tally.refuse(request.refusal);
      if (request.answer) await farewell(client, request.answer, this.clock);
      return;
    }
    const stream = await this.#open(request, signal);
    if (typeof stream === "string") {
      this.tally.refuse(stream);
      const reply = stream === "session" ? "failed" : stream;
      await farewell(client, request.refused(reply), this.clock);
    } else {
      await this.#join(request, stream, client, signal);
    }
  }

  /** Closes a client beyond the limit at once. */
  protected override turnAway(): Promise<void> {
    return Promise.resolve(this.tally.refuse("busy"));
  }

  async #readRequest(
    client: BufferedDuplex,
    signal: AbortSignal | undefined,
  ): Promise<TunnelRequest | RequestRefusal | undefined> {
    const { handshakeTimeoutMs, credentials } = this.#options;
    using deadline = new Deadline(this.clock, handshakeTimeoutMs, { signal });
    using _close = closeOnAbort(deadline.signal, client);
    try {
      return await readTunnelRequest(client, credentials);
    } catch {
      const isSlow = deadline.signal.aborted && !signal?.aborted;
      this.tally.refuse(isSlow ? "slow" : "ended");
      return undefined;
    }
  }

  async #open(
    { target, early }: TunnelRequest,
    signal: AbortSignal | undefined,
  ): Promise<TargetStream | Exclude<OpenReply, "granted"> | "session"> {
    const { openTimeoutMs } = this.#options;
    using deadline = new Deadline(this.clock, openTimeoutMs, { signal });
    let stream: TargetStream | undefined;
    try {
      stream = await openTarget(this.#opener, target, {
        ...(early && { early }),
        signal: deadline.signal,
      });
      using _close = closeOnAbort(deadline.signal, stream);
      const reply = await stream.reply();
      return reply === "granted" ? stream : reply;
    } catch {
      stream?.close();
      const isLate = deadline.signal.aborted && !signal?.aborted;
      return isLate ? "timeout" : "session";
    }
  }

  async #join(
    { early, granted, near, far }: TunnelRequest,
    stream: TargetStream,
    client: BufferedDuplex,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    if (granted && !await answer(client, granted, this.clock, signal)) {
      stream.close();
      return this.tally.refuse("ended");
    }
    if (early) this.tally.move("up", early.length);
    this.tally.end(await this.splice(near, far(stream), signal));
  }
}
