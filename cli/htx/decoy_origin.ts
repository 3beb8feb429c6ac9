import { Deadline, systemClock } from "../../src/core/async/mod.ts";
import type { Logger } from "../../src/core/log/mod.ts";
import { readFileTree } from "../../src/core/storage/mod.ts";
import {
  type Address,
  type Connection,
  dial,
  type DialOptions,
  type HttpServer,
  parseAddress,
  serveHttp,
  TransportError,
} from "../../src/core/transport/mod.ts";
import {
  type CertificateVerifier,
  dialTls,
  type ListenTlsOptions,
  TlsError,
} from "../../src/tls/mod.ts";
import { htx } from "../../mod.ts";
import type { DecoyConfig } from "./accept_config.ts";
import type { ServerKeys } from "./keys.ts";
import { tcpAddress } from "./settings.ts";
import { verifierOf } from "./trust.ts";

/** How long an origin may take to show itself. */
const LOOK_MS = 5_000;

/** The web server that visitors without a ticket see, and what it says first over HTTP/2. */
export class DecoyOrigin implements AsyncDisposable {
  /** Where it is, a `tcp:` address. */
  readonly address: Address;
  /** Whether it speaks TLS itself. */
  readonly speaksTls: boolean;
  readonly #serverName: string;
  readonly #verify: CertificateVerifier;
  readonly #site: HttpServer | undefined;
  readonly #log: Logger;
  #greeting: htx.Http2Greeting | undefined;
  #seen: string | undefined;

  /**
   * Starts a web server for the folder or the placeholder, unless the operator has one.
   *
   * @throws {CliError} As {@link originAddress}.
   */
  constructor(
    config: DecoyConfig,
    { keys, section, log }: {
      readonly keys: ServerKeys;
      readonly section: string;
      readonly log: Logger;
    },
  ) {
    const { origin, server_name: serverName, roots } = config;
    this.#site = origin === undefined ? startSite(config, keys) : undefined;
    const text = origin ?? this.#site!.address.replace("http://", "");
    this.speaksTls = text.startsWith("https://");
    this.address = originAddress(text, section);
    this.#serverName = serverName ?? parseAddress(this.address).hostname;
    this.#verify = verifierOf(roots);
    this.#log = log;
  }

  /** What it says first over HTTP/2, as of the last look; `undefined` if it speaks none. */
  get greeting(): htx.Http2Greeting | undefined {
    return this.#greeting;
  }

  /** What visitors can be offered in TLS. */
  get alpn(): readonly string[] {
    return this.#greeting ? ["h2", "http/1.1"] : ["http/1.1"];
  }

  /** Connects to it, to speak the protocol `alpn`. */
  async dial(
    { alpn = "http/1.1", ...options }: DialOptions & { readonly alpn?: string },
  ): Promise<Connection> {
    if (!this.speaksTls) return await dial(this.address, options);
    const serverName = this.#serverName;
    const verify = this.#verify;
    try {
      const { address } = this;
      return await dialTls(address, {
        serverName,
        verify,
        alpn: [alpn],
        ...options,
      });
    } catch (cause) {
      if (!(cause instanceof TlsError)) throw cause;
      this.#log.warn("htx.decoy_tls_failed", { error: cause });
      throw new TransportError("unreachable", "Origin has no TLS for us", {
        cause,
      });
    }
  }

  /** Joins whose TLS we do not speak to the origin itself, if it speaks TLS. */
  get handOver(): Pick<ListenTlsOptions, "fallback"> {
    if (!this.speaksTls) return {};
    const decoy = new htx.Decoy({
      dial: (options) => dial(this.address, options),
    });
    return {
      fallback: (connection, received) => decoy.serve(connection, received),
    };
  }

  /** Looks how it begins over HTTP/2; if it cannot be reached, what was seen before holds. */
  async look(signal: AbortSignal): Promise<void> {
    const before = this.#seen;
    using deadline = new Deadline(systemClock, LOOK_MS, { signal });
    try {
      const connection = await this.dial({
        alpn: "h2",
        signal: deadline.signal,
      });
      deadline.signal.addEventListener("abort", () => connection.close());
      this.#greeting = await htx.greetingOf(connection, this.#serverName);
    } catch (error) {
      if (!(error instanceof TransportError) && !deadline.signal.aborted) {
        throw error;
      }
      this.#log.warn("htx.decoy_origin_unreachable", { error });
    }
    this.#seen = JSON.stringify(this.#greeting) ?? "no HTTP/2";
    if (this.#seen === before) return;
    this.#log.info("htx.decoy_greeting", { greeting: this.#seen });
  }

  /** Stops the web server if it is ours. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#site?.[Symbol.asyncDispose]();
  }
}

/**
 * Where `origin` is, a `tcp:` address.
 *
 * @param section The section of the configuration that has the decoy's, for errors.
 * @throws {CliError} `usage` if it is not named by `host:port` or `https://host:port`.
 */
export function originAddress(origin: string, section: string): Address {
  const host = origin.replace(/^https:\/\//, "").replace(/\/$/, "");
  return tcpAddress(host, `${section}.decoy.origin`);
}

function startSite(
  { directory }: DecoyConfig,
  keys: ServerKeys,
): HttpServer {
  const files = directory === undefined
    ? htx.placeholderSite(keys.siteSeed.expose())
    : readFileTree(directory);
  return serveHttp(htx.decoySite(files), { hostname: "127.0.0.1", port: 0 });
}
