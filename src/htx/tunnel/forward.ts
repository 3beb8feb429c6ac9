import { type Clock, Deadline, orAbort } from "../../core/async/mod.ts";
import { DecodeError, parseIp } from "../../core/bytes/mod.ts";
import { formatAddress, type Transport } from "../../core/transport/mod.ts";
import type { AllowList } from "./allow_list.ts";
import { closeOnAbort } from "../close_on_abort.ts";
import { HtxError } from "../error.ts";
import { BufferedDuplex, type Duplex } from "../duplex.ts";
import { answer, farewell } from "./answer.ts";
import {
  decodeOpenRequest,
  encodeOpenReply,
  type OpenReply,
  type Target,
} from "./target.ts";
import { TunnelEnd } from "./tunnel_end.ts";

/** Options of {@link Forwarder}. */
export interface ForwarderOptions {
  /** What may be reached. */
  readonly allow: AllowList;
  /** Connects to `tcp://address:port`, always an IP address; must honour the signal. */
  readonly dial: Transport["dial"];
  /** The IP addresses of a name, best first; must throw or give none if there are none. */
  readonly resolve: (
    name: string,
    options: { readonly signal: AbortSignal },
  ) => Promise<readonly string[]>;
  /** Most streams served at once; {@link FORWARD_DEFAULTS} if not given. */
  readonly maxConnections?: number;
  /** Most of them from one session, so that none takes every place; {@link FORWARD_DEFAULTS} if not given. */
  readonly maxPerSession?: number;
  /** Time for the open request to arrive; {@link FORWARD_DEFAULTS} if not given. */
  readonly requestTimeoutMs?: number;
  /** Time to resolve the name and connect, over all addresses; {@link FORWARD_DEFAULTS} if not given. */
  readonly connectTimeoutMs?: number;
  /** As `SpliceOptions.idleTimeoutMs`. */
  readonly idleTimeoutMs?: number;
  /** Times all of these; the machine's clock if not given. */
  readonly clock?: Clock;
}

/** Defaults of {@link ForwarderOptions}. */
export const FORWARD_DEFAULTS = {
  maxConnections: 4096, // each holds a socket: stay below common file limits
  maxPerSession: 256, // what a browser opens to a proxy, eight times
  requestTimeoutMs: 10_000, // it comes with the stream's first frame
  connectTimeoutMs: 10_000, // two SYN retransmissions
} as const;

/** Why a stream got no target. */
export type ForwardRefusal =
  | Exclude<OpenReply, "granted"> // what the client was told
  | "slow" // no open request in time
  | "ended" // the client left before its open request, while we connected, or before our answer
  | "malformed"; // the open request does not decode

/** Most addresses of one name that are checked, and that are tried. */
const CHECKED_ADDRESSES = 16;
const TRIED_ADDRESSES = 4;

/** The server's end: reads the open request of each stream, checks it, connects to the target and joins the two. */
export class Forwarder extends TunnelEnd<ForwardRefusal> {
  readonly #options:
    & ForwarderOptions
    & Record<keyof typeof FORWARD_DEFAULTS, number>;

  /** One for all sessions of a server: its limits and counts are over all of them. */
  constructor(given: ForwarderOptions) {
    const options = { ...FORWARD_DEFAULTS, ...given };
    super({
      ...options,
      maxPerSource: options.maxPerSession,
      refusals: {
        slow: 0,
        ended: 0,
        malformed: 0,
        failed: 0,
        not_allowed: 0,
        network_unreachable: 0,
        host_unreachable: 0,
        refused: 0,
        timeout: 0,
        limit: 0,
      },
    });
    this.#options = options;
  }

  /** Reads the open request of a stream, connects to its target and joins the two. */
  protected override async take(
    connection: Duplex,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const stream = new BufferedDuplex(connection);
    const target = await this.#readRequest(stream, signal);
    if (!target) return;
    const far = await this.#connect(target, untilClosed(stream, signal));
    if (far === "ended") return this.tally.refuse(far);
    if (typeof far === "string") return await this.#refuse(stream, far);
    const granted = encodeOpenReply("granted");
    if (!await answer(stream, granted, this.clock, signal)) {
      far.close();
      return this.tally.refuse("ended");
    }
    this.tally.end(await this.splice(stream, far, signal));
  }

  /** Says that there are too many. */
  protected override async turnAway(stream: Duplex): Promise<void> {
    await this.#refuse(stream, "limit");
  }

  async #readRequest(
    stream: BufferedDuplex,
    signal: AbortSignal | undefined,
  ): Promise<Target | undefined> {
    const { requestTimeoutMs } = this.#options;
    using deadline = new Deadline(this.clock, requestTimeoutMs, { signal });
    using _close = closeOnAbort(deadline.signal, stream);
    try {
      const request = await stream.take(decodeOpenRequest);
      if (!request) this.tally.refuse("ended");
      return request?.value;
    } catch (error) {
      const isSlow = deadline.signal.aborted && !signal?.aborted;
      this.tally.refuse(
        error instanceof DecodeError ? "malformed" : isSlow ? "slow" : "ended",
      );
      return undefined;
    }
  }

  async #connect(
    target: Target,
    signal: AbortSignal,
  ): Promise<Duplex | Exclude<OpenReply, "granted"> | "ended"> {
    const { allow, connectTimeoutMs } = this.#options;
    if (!allow.mayAdmit(target)) return "not_allowed";
    using deadline = new Deadline(this.clock, connectTimeoutMs, { signal });
    try {
      const found = await this.#resolve(target.host, deadline.signal);
      if (found.length === 0) return "host_unreachable";
      const admitted = allow.admit(target, found).slice(0, TRIED_ADDRESSES);
      if (admitted.length === 0) return "not_allowed";
      return await this.#dialOneOf(admitted, target.port, deadline.signal);
    } catch (error) {
      if (signal.aborted) return hasLeft(signal) ? "ended" : "failed";
      return deadline.signal.aborted ? "timeout" : refusalFor(error);
    }
  }

  async #resolve(
    host: string,
    signal: AbortSignal,
  ): Promise<readonly string[]> {
    if (parseIp(host)) return [host];
    const found = await orAbort(
      this.#options.resolve(host, { signal }),
      signal,
    );
    return found.slice(0, CHECKED_ADDRESSES);
  }

  /** Tries one address after the other, each with its share of the time, so that a dead one does not use it up. */
  async #dialOneOf(
    addresses: readonly string[],
    port: number,
    signal: AbortSignal,
  ): Promise<Duplex> {
    const { connectTimeoutMs, dial } = this.#options;
    let failure: unknown;
    for (const hostname of addresses) {
      const shareMs = connectTimeoutMs / addresses.length;
      using share = new Deadline(this.clock, shareMs, { signal });
      try {
        const address = formatAddress({ scheme: "tcp", hostname, port });
        return await dial(address, { signal: share.signal });
      } catch (error) {
        signal.throwIfAborted();
        failure = error;
      }
    }
    throw failure;
  }

  async #refuse(
    stream: Duplex,
    reply: Exclude<OpenReply, "granted">,
  ): Promise<void> {
    this.tally.refuse(reply);
    await farewell(stream, encodeOpenReply(reply), this.clock);
  }
}

/** A signal that aborts with `signal`, and when `stream` closes: then {@link hasLeft} is true. */
function untilClosed(stream: Duplex, signal?: AbortSignal): AbortSignal {
  const left = new AbortController();
  void stream.closed?.then(() =>
    left.abort(new HtxError("reset", "Client closed its stream"))
  );
  return signal ? AbortSignal.any([signal, left.signal]) : left.signal;
}

function hasLeft({ reason }: AbortSignal): boolean {
  return reason instanceof HtxError && reason.code === "reset";
}

/** What to tell the client about a failed resolution or connection, by the system's own error. */
function refusalFor(error: unknown): Exclude<OpenReply, "granted"> {
  const cause = error instanceof Error && error.cause instanceof Error
    ? error.cause
    : error;
  switch (cause instanceof Error ? cause.name : undefined) {
    case "ConnectionRefused":
      return "refused";
    case "NetworkUnreachable":
      return "network_unreachable";
    case "TimedOut":
    case "TimeoutError":
      return "timeout";
    default:
      return "host_unreachable";
  }
}
