import { systemClock } from "../../src/core/async/mod.ts";
import type {
  CryptoProvider,
  X25519KeyPair,
} from "../../src/core/crypto/mod.ts";
import { type Address, parseAddress } from "../../src/core/transport/mod.ts";
import { SessionCache } from "../../src/tls/mod.ts";
import { profileOf } from "../../src/utls/mod.ts";
import { htx } from "../../mod.ts";
import { openCrypto } from "../_crypto.ts";
import { CliError } from "../_error.ts";
import type { Context } from "../_main.ts";
import type { HtxConfig } from "./config.ts";
import { clientKeyPair } from "./keys.ts";
import { openFallback } from "./open_fallback.ts";
import { quicDial } from "./quic_dial.ts";
import { readRecord } from "./record.ts";
import { sessionOptions } from "./session_config.ts";
import { stateDirectory } from "./settings.ts";
import { verifierOf } from "./trust.ts";

type ProxyConfig = HtxConfig["proxy"];

/** The carriers a client can choose. */
export type CarrierName = ProxyConfig["carrier"];

/** How long QUIC is tried before TLS is. */
const QUIC_TIMEOUT_MS = 5_000;

/** How a client reaches the server of its configuration; what it learns of TLS serves all of its sessions. */
export class Route implements Disposable {
  /** Where the server is. */
  readonly address: Address;
  readonly #record: htx.PeerRecord;
  readonly #config: ProxyConfig;
  readonly #crypto: CryptoProvider;
  readonly #keyPair: X25519KeyPair;
  readonly #sessions = new SessionCache();
  readonly #tls: Pick<htx.TlsOuterOptions, "profile" | "verify" | "serverName">;
  readonly #calibration: htx.Calibrations;
  readonly #fallback: htx.Fallback | undefined;

  /**
   * Reads record and keys.
   *
   * @throws {CliError} If one does not hold, or the server has no address for the carrier.
   */
  constructor(config: ProxyConfig, context: Context) {
    const { carrier, server_name: serverName } = config;
    this.#config = config;
    this.#record = readRecord(config.server);
    this.address = this.#addressFor(carrier === "auto" ? "quic" : carrier);
    this.#crypto = openCrypto(config.crypto, context.log);
    const state = config.state &&
      `${stateDirectory(config.state, context)}/client.json`;
    this.#keyPair = clientKeyPair(state);
    this.#tls = {
      profile: profileOf(config.profile),
      verify: verifierOf(config.roots, this.#record.certificate),
      ...(serverName !== undefined && { serverName }),
    };
    this.#calibration = new htx.Calibrations({
      preflight: (address, options) => this.#preflight(address, options),
      reuseMs: config.calibration_reuse,
      clock: systemClock,
      crypto: this.#crypto,
    });
    if (carrier === "auto") this.#fallback = this.#makeFallback(context);
  }

  /** Opens a session. */
  dial({ signal, onRoundTrip }: RouteDialOptions): Promise<htx.Session> {
    const options = { ...(onRoundTrip && { onRoundTrip }) };
    const dial = (to: Address, more: Partial<htx.DialHtxOptions>) =>
      htx.dialHtx({ ...this.#options(to), ...options, ...more });
    if (!this.#fallback) return dial(this.address, { signal });
    return this.#fallback.dial(
      ({ signal }) =>
        dial(this.address, { signal, timeoutMs: QUIC_TIMEOUT_MS }),
      (retry) => dial(this.#addressFor("tls"), retry),
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

  #makeFallback({ log }: Context): htx.Fallback {
    this.#addressFor("tls");
    return openFallback(this.#config, {
      profile: this.#tls.profile,
      crypto: this.#crypto,
      log,
    });
  }

  /** The address of the server for one carrier; WebSocket shares a port with HTTP. */
  #addressFor(carrier: keyof typeof SCHEME): Address {
    const { addresses } = this.#record;
    const found = addresses.find((address) =>
      parseAddress(address).scheme === SCHEME[carrier]
    );
    if (found === undefined) {
      throw new CliError("failed", `The server has no ${carrier} address`, {
        hint: `It has ${addresses.join(", ")}.`,
      });
    }
    return found.replace(/^[a-z]+:/, `${carrier}:`);
  }
}

/** What {@link Route.dial} may be told. */
export interface RouteDialOptions {
  /** Cancels the attempt. */
  readonly signal: AbortSignal;
  /** Told of every round trip. */
  readonly onRoundTrip?: (rttMs: number) => void;
}

const SCHEME = {
  tls: "tls",
  wss: "tls",
  tcp: "tcp",
  ws: "tcp",
  quic: "quic",
} as const;
