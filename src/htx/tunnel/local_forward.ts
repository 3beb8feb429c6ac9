import { type Clock, Deadline, systemClock } from "../../core/async/mod.ts";
import { type Address, formatAddress } from "../../core/transport/mod.ts";
import { AcceptLoop, type Incoming, type ServeOptions } from "./accept_loop.ts";
import type { Duplex } from "../duplex.ts";
import { openTarget, type StreamOpener, type TargetStream } from "./open.ts";
import { PROXY_DEFAULTS, type ProxyRefusal } from "./proxy.ts";
import { splice } from "../splice.ts";
import { Tally, type TunnelStats } from "./stats.ts";
import { parsePort, parseTarget, type Target } from "./target.ts";

/** What `-L` asks for. */
export interface LocalForwardSpec {
  /** Where to listen, e.g. `tcp://127.0.0.1:8080`. */
  readonly listen: Address;
  /** Where its connections go. */
  readonly target: Target;
}

const SPEC_REGEXP =
  /^(?:(\[[0-9a-fA-F:.]+\]|[^:[\]]+):)?([0-9]{1,5}):(\[[^\]]+\]:[0-9]+|[^:[\]]+:[0-9]+)$/;

/**
 * Parses `[bind:]port:host:hostport` as `ssh -L` writes it; the bind address is loopback if not given, port 0 any port.
 *
 * @example
 * ```ts
 * import { parseLocalForward } from "./local_forward.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseLocalForward("8080:example.com:80"), {
 *   listen: "tcp://127.0.0.1:8080",
 *   target: { host: "example.com", port: 80 },
 * });
 * ```
 *
 * @throws {TypeError} If it is malformed.
 */
export function parseLocalForward(text: string): LocalForwardSpec {
  const match = text.match(SPEC_REGEXP);
  const [, bind = "127.0.0.1", portText, targetText] = match ?? [];
  const target = targetText ? parseTarget(targetText) : undefined;
  const port = portText === "0" ? 0 : parsePort(portText ?? "");
  const local = parseTarget(`${bind}:1`);
  if (!target || !local || port === undefined) {
    throw new TypeError(`Want [bind:]port:host:port: got "${text}"`);
  }
  const listen = formatAddress({ scheme: "tcp", hostname: local.host, port });
  return { listen, target };
}

/** Options of {@link LocalForward}, with the defaults of the proxy. */
export interface LocalForwardOptions {
  /** Most clients served at once. */
  readonly maxConnections?: number;
  /** Time for a stream to open; whether the target answers is seen later. */
  readonly openTimeoutMs?: number;
  /** As `SpliceOptions.idleTimeoutMs`. */
  readonly idleTimeoutMs?: number;
  /** Times all of these; the machine's clock if not given. */
  readonly clock?: Clock;
}

/** Why a client of a local forward got nothing. */
export type LocalForwardRefusal = Exclude<
  ProxyRefusal,
  "slow" | "ended" | "malformed" | "unauthorized" | "unsupported"
>;

/**
 * Sends every connection it accepts to one target.
 *
 * The client's bytes leave right behind the open request, without a round trip; if the server refuses the target, the
 * client is cut.
 */
export class LocalForward {
  readonly #opener: StreamOpener;
  readonly #target: Target;
  readonly #options:
    & LocalForwardOptions
    & Record<keyof typeof PROXY_DEFAULTS, number>
    & { readonly clock: Clock };
  readonly #loop: AcceptLoop;
  readonly #tally = new Tally<LocalForwardRefusal>({
    busy: 0,
    session: 0,
    failed: 0,
    not_allowed: 0,
    network_unreachable: 0,
    host_unreachable: 0,
    refused: 0,
    timeout: 0,
    limit: 0,
  });

  /** Sends everything to `target` through `opener`. */
  constructor(
    opener: StreamOpener,
    target: Target,
    options: LocalForwardOptions = {},
  ) {
    this.#opener = opener;
    this.#target = target;
    this.#options = { clock: systemClock, ...PROXY_DEFAULTS, ...options };
    this.#loop = new AcceptLoop({
      maxConnections: this.#options.maxConnections,
      serve: (client, signal) => this.#serve(client, signal),
      refuse: () => Promise.resolve(this.#tally.refuse("busy")),
    });
  }

  /** What it has done so far. */
  stats(): TunnelStats<LocalForwardRefusal> {
    return this.#tally.snapshot(this.#loop.active);
  }

  /** Serves a listener until it is closed and its last client has left; a client beyond the limit is closed at once. */
  serve(listener: Incoming, options: ServeOptions = {}): Promise<void> {
    return this.#loop.run(listener, options);
  }

  async #serve(client: Duplex, signal?: AbortSignal): Promise<void> {
    this.#tally.accept();
    const stream = await this.#open(signal);
    if (!stream) return;
    const { clock, idleTimeoutMs } = this.#options;
    const result = await splice(client, stream, {
      clock,
      ...(signal && { signal }),
      ...(idleTimeoutMs !== undefined && { idleTimeoutMs }),
      onBytes: this.#tally.move,
    });
    if (stream.refusal) this.#tally.refuse(stream.refusal);
    else this.#tally.end(result);
  }

  async #open(signal?: AbortSignal): Promise<TargetStream | undefined> {
    const { clock, openTimeoutMs } = this.#options;
    using deadline = new Deadline(clock, openTimeoutMs, { signal });
    try {
      return await openTarget(this.#opener, this.#target, {
        signal: deadline.signal,
      });
    } catch {
      const isLate = deadline.signal.aborted && !signal?.aborted;
      this.#tally.refuse(isLate ? "timeout" : "session");
      return undefined;
    }
  }
}
