import { systemClock } from "../../src/core/async/mod.ts";
import type { CryptoProvider } from "../../src/core/crypto/mod.ts";
import type { Metrics } from "../../src/core/metrics/mod.ts";
import type { Store } from "../../src/core/storage/mod.ts";
import type { Listener } from "../../src/core/transport/mod.ts";
import { type ListenTlsOptions, TicketKeys } from "../../src/tls/mod.ts";
import { htx } from "../../mod.ts";
import { keyImporter } from "../_crypto.ts";
import type { Context } from "../_main.ts";
import type { AcceptConfig } from "./accept_config.ts";
import { DecoyOrigin } from "./decoy_origin.ts";
import type { ServerKeys } from "./keys.ts";
import type { ImportKey } from "./read_certificate.ts";
import { sessionOptions } from "./session_config.ts";

/** How the carrier on TLS listens, but for the certificate. */
export interface CarrierTlsOptions
  extends Omit<ListenTlsOptions, "certificates"> {
  /** Makes the certificate's key of PKCS #8. */
  readonly importKey: ImportKey;
}

/** Parts of {@link openHtxServer}; `L` is what listens. */
export interface HtxServerParts<L> {
  /** What the operator says. */
  readonly config: AcceptConfig;
  /** The section of the configuration that says it, for errors. */
  readonly section: string;
  /** What is not for every program to choose. */
  readonly options?: Pick<htx.HtxServerOptions, "classic" | "clients">;
  /** The server's keys, with a ticket key that counts now. */
  readonly keys: ServerKeys;
  /** Remembers tickets. */
  readonly store: Store;
  /** Primitives. */
  readonly crypto: CryptoProvider;
  /** Where latencies go. */
  readonly metrics: Metrics;
  /** Listens, with TLS as it is told. */
  readonly listen: (options: CarrierTlsOptions) => Promise<L>;
}

/** A server that accepts sessions, and what it is made of. */
export interface OpenHtxServer<L> extends AsyncDisposable {
  /** The server. */
  readonly server: htx.HtxServer;
  /** Decides whose ticket is good. */
  readonly gate: htx.Gate;
  /** Serves everybody else. */
  readonly decoy: htx.Decoy;
  /** What listens. */
  readonly listeners: L;
}

/** How often the decoy's origin is looked at again. */
const LOOK_EVERY_MS = 3_600_000;

/**
 * Accepts sessions, and shows the decoy to whoever has no ticket.
 *
 * @throws {CliError} If the decoy's origin is not named as it must be.
 * @throws What listening throws.
 */
export async function openHtxServer<
  L extends { readonly all: readonly Listener[] },
>(
  parts: HtxServerParts<L>,
  { log, signal }: Pick<Context, "log" | "signal">,
): Promise<OpenHtxServer<L>> {
  const { config, section, keys, store, crypto, metrics } = parts;
  const { tickets, handshake_timeout } = config;
  await using opened = new AsyncDisposableStack();
  const gate = new htx.Gate({
    ...{ crypto, log, keys: keys.ring },
    replay: new htx.ReplayMemory({ store, nowMs: systemClock.now() }),
    buckets: new htx.TokenBuckets({
      capacity: tickets.burst,
      refillPerSecond: tickets.per_second,
    }),
  });
  const origin = opened.use(
    new DecoyOrigin(config.decoy, { keys, section, log }),
  );
  await origin.look(signal);
  const looking = setInterval(() => void origin.look(signal), LOOK_EVERY_MS);
  opened.defer(() => clearInterval(looking));
  const decoy = new htx.Decoy({ dial: (options) => origin.dial(options) });
  const listeners = await parts.listen({
    alpn: origin.alpn,
    takesTruncation: true, // sessions and HTTP know their own end
    tickets: opened.use(new TicketKeys(crypto)),
    crypto,
    importKey: keyImporter(crypto, log),
    onFault: (error) => log.error("htx.tls_fault", { error }),
    ...origin.handOver,
  });
  const server = opened.use(
    new htx.HtxServer(listeners.all, {
      ...sessionOptions(config.session),
      ...htx.latencyHooks(metrics),
      ...parts.options,
      ...{ gate, decoy, crypto, log },
      staticKeyPair: keys.staticKeyPair,
      cookieName: tickets.cookie,
      get http2Greeting() {
        return origin.greeting;
      },
      maxSessions: config.max_sessions,
      requestTimeoutMs: handshake_timeout,
      handshakeTimeoutMs: handshake_timeout,
    }),
  );
  const closing = opened.move();
  return {
    ...{ server, gate, decoy, listeners },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}
