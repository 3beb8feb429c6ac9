import {
  type Address,
  type Connection,
  dialQuic,
  dialTcp,
  TransportError,
} from "../../src/core/transport/mod.ts";
import { pemOf } from "../htx/record.ts";
import { isHtx } from "../htx/htx_address.ts";
import { HtxSessions, type HtxSessionsOptions } from "./htx_sessions.ts";

/** The name in nodes' certificates; trust comes from their descriptors. */
export const CERTIFICATE_NAME = "localhost";

/** How a node is reached, besides its addresses. */
export interface ReachablePeer {
  /** What its `quic:` addresses show, in DER. */
  readonly certificate?: Uint8Array;
  /** By which its `htx:` addresses are reached. */
  readonly peerRecord?: Uint8Array;
}

/** Connects to the addresses of nodes, whatever their scheme; those that HTX is behind share sessions. */
export class NodeDialer implements AsyncDisposable {
  readonly #sessions: HtxSessions;

  /** Connects to nobody yet. */
  constructor(options: HtxSessionsOptions) {
    this.#sessions = new HtxSessions(options);
  }

  /**
   * Connects to `address` of `peer`.
   *
   * @throws {TransportError} `unreachable` if nobody answers, or there is no record for an `htx:` address; as
   * {@link HtxSessions.open} for those.
   * @throws The reason of the signal.
   */
  async dial(
    address: Address,
    signal: AbortSignal,
    { certificate, peerRecord }: ReachablePeer,
  ): Promise<Connection> {
    if (isHtx(address)) {
      if (peerRecord) {
        return await this.#sessions.open(address, peerRecord, signal);
      }
      throw new TransportError("unreachable", "The node has no peer record");
    }
    if (!address.startsWith("quic:")) return await dialTcp(address, { signal });
    return await dialQuic(address, {
      signal,
      serverName: CERTIFICATE_NAME,
      caCerts: certificate ? [pemOf(certificate)] : [],
    });
  }

  /** Ends the sessions, and with them the connections over HTX. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sessions[Symbol.asyncDispose]();
  }
}
