import { systemClock } from "../../src/core/async/mod.ts";
import type {
  CryptoProvider,
  X25519KeyPair,
} from "../../src/core/crypto/mod.ts";
import type { Logger } from "../../src/core/log/mod.ts";
import { type Address, parseAddress } from "../../src/core/transport/mod.ts";
import { SessionCache } from "../../src/tls/mod.ts";
import { profileOf } from "../../src/utls/mod.ts";
import { htx } from "../../mod.ts";
import { addressFor } from "./address_for.ts";
import type { HtxConfig } from "./config.ts";
import { openFallback } from "./open_fallback.ts";
import { quicDial } from "./quic_dial.ts";
import { sessionOptions } from "./session_config.ts";
import { verifierOf } from "./trust.ts";

type ProxyConfig = HtxConfig["proxy"];

/** What {@link Route} is told. */
export type RouteConfig = Pick<
  ProxyConfig,
  | "calibration_reuse"
  | "carrier"
  | "classic"
  | "cover_origins"
  | "host"
  | "path"
  | "profile"
  | "roots"
  | "server_name"
  | "session"
>;

/** Parts of a {@link Route}. */
export interface RouteParts {
  /** How to get there. */
  readonly config: RouteConfig;
  /** What the server says of itself, verified. */
  readonly record: htx.PeerRecord;
  /** By which the server knows us. */
  readonly keyPair: X25519KeyPair;
  /** Primitives. */
  readonly crypto: CryptoProvider;
  /** Told of fall-backs. */
  readonly log: Logger;
}

/** How long QUIC is tried before TLS is. */
const QUIC_TIMEOUT_MS = 5_000;

/** How a client reaches a server; what it learns of TLS serves all of its sessions. */
export class Route implements Disposable {
  /** Where the server is. */
  readonly address: Address;
  readonly #record: htx.PeerRecord;
  readonly #config: RouteConfig;
  readonly #crypto: CryptoProvider;
  readonly #keyPair: X25519KeyPair;
  readonly #sessions = new SessionCache();
  readonly #tls: Pick<htx.TlsOuterOptions, "profile" | "verify" | "serverName">;
  readonly #calibration: htx.Calibrations;
  readonly #fallback: htx.Fallback | undefined;

  /**
   * Knows the way, and takes no step yet.
   *
   * @throws {CliError} If the server has no address for the carrier, or the fall-back is not configured.
   */
  constructor({ config, record, keyPair, crypto, log }: RouteParts) {
    const { carrier, server_name: serverName } = config;
    this.#config = config;
    this.#record = record;
    this.address = addressFor(record, carrier === "auto" ? "quic" : carrier);
    this.#crypto = crypto;
    this.#keyPair = keyPair;
    this.#tls = {
      profile: profileOf(config.profile),
      verify: verifierOf(config.roots, record.certificate),
      ...(serverName !== undefined && { serverName }),
    };
    this.#calibration = new htx.Calibrations({
      preflight: (address, options) => this.#preflight(address, options),
      reuseMs: config.calibration_reuse,
      clock: systemClock,
      crypto,
    });
    if (carrier === "auto") this.#fallback = this.#makeFallback(log);
  }

  /** Opens a session. */
  dial({ signal, ...options }: RouteDialOptions): Promise<htx.Session> {
    const dial = (to: Address, more: Partial<htx.DialHtxOptions>) =>
      htx.dialHtx({ ...this.#options(to), ...options, ...more });
    if (!this.#fallback) return dial(this.address, { signal });
    return this.#fallback.dial(
      ({ signal }) =>
        dial(this.address, { signal, timeoutMs: QUIC_TIMEOUT_MS }),
      (retry) => dial(addressFor(this.#record, "tls"), retry),
      { signal },
    );
  }

  /** Looks at the server as a browser does that has no ticket; `undefined` where the carrier has no TLS. */
  async visitPage(
    options: { readonly signal: AbortSignal },
  ): Promise<{ status: number; type: string; protocol: string } | undefined> {
    if (!/^(?:tls|wss):/.test(this.address)) return undefined;
    const address = this.address.replace(/^wss:/, "tls:");
    const { connection, status, mediaType, traits } = await this.#visit(
      address,
      options,
    );
    connection.close();
    return { status, type: mediaType, protocol: traits.alpn ?? "http/1.1" };
  }

  /** Forgets the TLS sessions, and ends cover connections. */
  [Symbol.dispose](): void {
    this.#sessions[Symbol.dispose]();
    this.#fallback?.[Symbol.dispose]();
  }

  #options(address: Address): htx.DialHtxOptions {
    const { path, classic, session } = this.#config;
    const { staticKey, tickets, certificate } = this.#record;
    const isTls = /^(?:tls|wss):/.test(address);
    return {
      ...sessionOptions(session),
      address,
      staticKey,
      offer: tickets[0]!,
      staticKeyPair: this.#keyPair,
      crypto: this.#crypto,
      path,
      classic,
      ...this.#host(address),
      ...(address.startsWith("quic:") && certificate && quicDial(certificate)),
      ...(isTls && {
        calibration: this.#calibration,
        outer: htx.tlsOuter({ ...this.#tls, ...this.#cache }),
      }),
    };
  }

  /** A fall-back resumes nothing, so that nobody sees who comes from QUIC (§5.6). */
  get #cache(): { readonly sessions?: SessionCache } {
    return this.#fallback ? {} : { sessions: this.#sessions };
  }

  #host(address: Address): { readonly host?: string } {
    const { host, server_name } = this.#config;
    if (host !== undefined) return { host };
    if (server_name === undefined) return {};
    return { host: `${server_name}:${parseAddress(address).port}` };
  }

  #visit(
    address: Address,
    options: { readonly signal: AbortSignal },
  ): Promise<htx.PageVisit> {
    return htx.visitPage(address, {
      ...this.#tls,
      ...this.#cache,
      ...this.#host(address),
      path: this.#config.path,
      crypto: this.#crypto,
      ...options,
    });
  }

  async #preflight(
    address: Address,
    options: { readonly signal: AbortSignal },
  ): Promise<htx.OriginTraits> {
    const { connection, traits } = await this.#visit(address, options);
    connection.close();
    return traits;
  }

  #makeFallback(log: Logger): htx.Fallback {
    addressFor(this.#record, "tls");
    return openFallback(this.#config, {
      profile: this.#tls.profile,
      crypto: this.#crypto,
      log,
    });
  }
}

/** What {@link Route.dial} may be told. */
export interface RouteDialOptions {
  /** Cancels the attempt. */
  readonly signal: AbortSignal;
  /** Told of every round trip. */
  readonly onRoundTrip?: (rttMs: number) => void;
  /** How long it may take, in milliseconds; as `dialHtx` takes it by default, and QUIC before a fall-back less. */
  readonly timeoutMs?: number;
}
