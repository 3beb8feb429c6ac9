import type { Clock } from "../core/async/mod.ts";
import { parseAddress } from "../core/transport/mod.ts";
import {
  type CertificateVerifier,
  dialTls,
  type SessionCache,
} from "../tls/mod.ts";
import type { Profile } from "../utls/mod.ts";
import { Http2Opening } from "./http2_outer.ts";
import { type Outer, plainOuter, webSocketOuter } from "./outer.ts";

/** Options of {@link tlsOuter}. */
export interface TlsOuterOptions {
  /** The browser to behave like. */
  readonly profile: Profile;
  /** Times the handshake and PINGs; the machine's clock by default. */
  readonly clock?: Clock;
  /** Decides whether the server's certificates are good. */
  readonly verify: CertificateVerifier;
  /** The host that the certificate must be for, sent in the hello unless it is an IP address; that of the address by default. */
  readonly serverName?: string;
  /** Where TLS sessions are taken from and put; none are resumed by default. */
  readonly sessions?: SessionCache;
}

/**
 * TLS as the browser of the profile does it, and inside it HTTP/2, or HTTP/1.1 if the server chose that; for `wss:` addresses a
 * WebSocket. The inner keys are bound to it.
 *
 * It rejects with `TlsError` too.
 */
export function tlsOuter(options: TlsOuterOptions): Outer {
  return async (connection, visit, crypto) => {
    const { scheme, hostname } = parseAddress(visit.address);
    const { serverName = hostname, ...rest } = options;
    let opening: Http2Opening | undefined;
    const tls = await dialTls(connection, {
      ...rest,
      serverName,
      variant: scheme === "wss" ? "websocket" : "page",
      crypto,
      firstFlight(alpn) {
        if (alpn !== "h2") return [];
        opening = new Http2Opening(options, visit, crypto);
        return opening.records;
      },
    });
    try {
      const http1 = scheme === "wss" ? webSocketOuter : plainOuter;
      const admission = opening
        ? await opening.admit(tls)
        : await http1(tls, visit, crypto);
      return { ...admission, channel: tls };
    } catch (error) {
      tls.close();
      throw error;
    }
  };
}
