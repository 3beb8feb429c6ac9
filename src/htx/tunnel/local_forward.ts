import { type Clock, Deadline } from "../../core/async/mod.ts";
import { type Address, formatAddress } from "../../core/transport/mod.ts";
import type { Duplex } from "../duplex.ts";
import { openTarget, type StreamOpener, type TargetStream } from "./open.ts";
import { PROXY_DEFAULTS, type ProxyRefusal } from "./proxy.ts";
import { parsePort, parseTarget, type Target } from "./target.ts";
import { TunnelEnd } from "./tunnel_end.ts";

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
export class LocalForward extends TunnelEnd<LocalForwardRefusal> {
  readonly #opener: StreamOpener;
  readonly #target: Target;
  readonly #openTimeoutMs: number;

  /** Sends everything to `target` through `opener`. */
  constructor(
    opener: StreamOpener,
    target: Target,
    given: LocalForwardOptions = {},
  ) {
    const options = { ...PROXY_DEFAULTS, ...given };
    super({
      ...options,
      refusals: {
        busy: 0,
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
    this.#target = target;
    this.#openTimeoutMs = options.openTimeoutMs;
  }

  /** Joins a client with a stream to the target. */
  protected override async take(
    client: Duplex,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const stream = await this.#open(signal);
    if (!stream) return;
    const result = await this.splice(client, stream, signal);
    if (stream.refusal) this.tally.refuse(stream.refusal);
    else this.tally.end(result);
  }

  /** Closes a client beyond the limit at once. */
  protected override turnAway(): Promise<void> {
    return Promise.resolve(this.tally.refuse("busy"));
  }

  async #open(signal?: AbortSignal): Promise<TargetStream | undefined> {
    using deadline = new Deadline(this.clock, this.#openTimeoutMs, { signal });
    try {
      return await openTarget(this.#opener, this.#target, {
        signal: deadline.signal,
      });
    } catch {
      const isLate = deadline.signal.aborted && !signal?.aborted;
      this.tally.refuse(isLate ? "timeout" : "session");
      return undefined;
    }
  }
}
