import { decodeHex, encodeHex } from "../../src/core/bytes/mod.ts";
import { generateX25519, nodeProvider } from "../../src/core/crypto/mod.ts";
import type { Address } from "../../src/core/transport/mod.ts";
import { dialHtx, type DialHtxOptions } from "../../src/htx/client.ts";
import type {
  HtxServerCounts,
  HtxServerOptions,
} from "../../src/htx/server.ts";
import type { Session } from "../../src/htx/session.ts";
import { makeTicketKey } from "../../src/htx/ticket_key_ring.ts";
import {
  DEFAULT_TICKET_POLICY,
  formatTicketOffer,
  parseTicketOffer,
  type TicketOffer,
} from "../../src/htx/ticket_policy.ts";
import { tlsOuter } from "../../src/htx/tls_outer.ts";
import { pinnedVerifier } from "../../src/tls/mod.ts";
import { profileOf } from "../../src/utls/mod.ts";
import { testCertificate } from "../tls/_certificates.ts";
import { LineProcess } from "./_line_process.ts";

/** What the process is told; keys are hexadecimal. */
export interface ServerProcessOptions {
  readonly staticPrivateKey: string;
  readonly ticketPrivateKey: string;
  readonly ticketKeyId: string;
  /** Where its replay memory lives; in memory by default. */
  readonly storePath?: string;
  /** Leaves every stream unread instead of echoing it. */
  readonly stall?: boolean;
  /** Whether it listens for TLS. */
  readonly tls?: boolean;
  /** Further options of the server. */
  readonly server?: Pick<
    HtxServerOptions,
    "handshakeTimeoutMs" | "requestTimeoutMs" | "shaping"
  >;
}

/** What the process tells of itself. */
export interface ServerStats {
  readonly sessions: number;
  readonly streams: number;
  readonly bytesIn: number;
  readonly counts: HtxServerCounts;
  readonly gate: Readonly<Record<string, number>>;
}

/** The keys of a server that outlive its process. */
export class ServerKeys {
  readonly staticKeyPair = generateX25519(nodeProvider);
  readonly ticketKey = makeTicketKey(nodeProvider, 0, Infinity);
  readonly offer: TicketOffer = {
    policy: DEFAULT_TICKET_POLICY,
    keyId: this.ticketKey.keyId,
    publicKey: this.ticketKey.publicKey,
    cookieName: "__Host-sid",
  };
}

/** An HTX server in a process of its own, on the loopback interface. */
export class ServerProcess implements AsyncDisposable {
  /** The process. */
  readonly process: LineProcess;
  /** Where it listens. */
  readonly address: Address;
  readonly #keys: ServerKeys;

  private constructor(
    process: LineProcess,
    address: Address,
    keys: ServerKeys,
  ) {
    this.process = process;
    this.address = address;
    this.#keys = keys;
  }

  /** Starts it and waits until it listens. */
  static async start(
    options: Partial<ServerProcessOptions> = {},
    keys: ServerKeys = new ServerKeys(),
  ): Promise<ServerProcess> {
    const told: ServerProcessOptions = {
      staticPrivateKey: encodeHex(keys.staticKeyPair.privateKey.expose()),
      ticketPrivateKey: encodeHex(keys.ticketKey.privateKey.expose()),
      ticketKeyId: encodeHex(keys.ticketKey.keyId),
      ...options,
    };
    const process = new LineProcess("./_htx_server_process.ts", told);
    const { address } = await process.line<{ address: Address }>();
    return new ServerProcess(process, address, keys);
  }

  /** What a client in another process is told. */
  get invitation(): Invitation {
    return {
      address: this.address,
      staticKey: encodeHex(this.#keys.staticKeyPair.publicKey),
      offer: formatTicketOffer(this.#keys.offer),
    };
  }

  /** Opens a session. */
  dial(options: Partial<DialHtxOptions> = {}): Promise<Session> {
    return dialHtx({ ...accept(this.invitation), ...options });
  }

  /** What it says of itself. */
  stats(): Promise<ServerStats> {
    return this.process.ask();
  }

  /** Asks it until `condition` holds, for half a minute at most. */
  async until(
    condition: (stats: ServerStats) => boolean,
  ): Promise<ServerStats> {
    const startedAtMs = performance.now();
    for (;;) {
      const stats = await this.stats();
      if (condition(stats)) return stats;
      if (performance.now() - startedAtMs > 30_000) {
        throw new Error(`Waited in vain: ${JSON.stringify(stats)}`);
      }
    }
  }

  /** Lets it end by itself. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.process[Symbol.asyncDispose]();
  }
}

/** How to reach a server, as JSON. */
export interface Invitation {
  readonly address: Address;
  readonly staticKey: string;
  readonly offer: string;
}

/** What a client makes of an invitation. */
export function accept(invitation: Invitation): DialHtxOptions {
  return {
    address: invitation.address,
    staticKey: decodeHex(invitation.staticKey),
    offer: parseTicketOffer(invitation.offer),
    ...(invitation.address.startsWith("tls:") && {
      outer: tlsOuter({
        profile: profileOf("latest"),
        verify: pinnedVerifier(testCertificate("p256").chain[0]!),
      }),
    }),
  };
}
