import { parseAddress } from "../core/transport/mod.ts";
import type { PeerGreeting } from "../http2/mod.ts";
import {
  type CertificateVerifier,
  dialTls,
  type SessionCache,
  type TlsConnection,
} from "../tls/mod.ts";
import { deviations, type OriginTraits, type Stage } from "./calibration.ts";
import { HtxError } from "./error.ts";
import {
  Http2Opening,
  type Http2OuterOptions,
  type Judge,
} from "./http2_outer.ts";
import { type Outer, plainOuter, webSocketOuter } from "./outer.ts";

/** Options of {@link tlsOuter}. */
export interface TlsOuterOptions extends Http2OuterOptions {
  /** Decides whether the server's certificates are good. */
  readonly verify: CertificateVerifier;
  /** The host that the certificate must be for, sent in the hello unless it is an IP address; that of the address by default. */
  readonly serverName?: string;
  /**
   * Where TLS sessions are taken from and put; none are resumed by default. Where there were pre-flights, one is resumed only if
   * the last of them was.
   */
  readonly sessions?: SessionCache;
}

/**
 * TLS as the browser of the profile does it, and inside it HTTP/2, or HTTP/1.1 if the server chose that; for `wss:` addresses a
 * WebSocket. The inner keys are bound to it.
 *
 * Where there were pre-flights, the ticket is sent only if server and origin do not differ in what TLS has agreed on, nor, if it
 * has to wait for `start`, in their SETTINGS; once it was answered they are compared again, whole, before the first byte of the
 * inner handshake. A browser's request does not wait for SETTINGS, so neither does the ticket.
 *
 * It rejects with `TlsError` too, and with {@link HtxError} `deviation`.
 */
export function tlsOuter(options: TlsOuterOptions): Outer {
  return async (connection, given, crypto) => {
    const visit = { ...given, profile: options.profile };
    const { scheme, hostname } = parseAddress(visit.address);
    const { serverName = hostname, ...rest } = options;
    const { samples } = visit;
    const judge = (seen: OriginTraits, stage: Stage) => {
      if (samples) requireLikeness(samples, seen, stage);
    };
    let opening: Http2Opening | undefined;
    const tls = await dialTls(connection, {
      ...rest,
      serverName,
      variant: scheme === "wss" ? "websocket" : "page",
      resume: samples?.at(-1)?.resumed ?? true,
      crypto,
      firstFlight(alpn, { resumed }) {
        judge(traitsOf({ alpn, resumed, ticketLengths: [] }), "established");
        if (alpn !== "h2") return [];
        opening = new Http2Opening(options, visit, crypto);
        return opening.records;
      },
    });
    const judgeLater: Judge = (greeting, stage) =>
      judge(traitsOf(tls, greeting), stage);
    try {
      if (opening) {
        return { ...await opening.admit(tls, judgeLater), channel: tls };
      }
      const http1 = scheme === "wss" ? webSocketOuter : plainOuter;
      const admission = await http1(tls, visit, crypto);
      judge(traitsOf(tls), "answered");
      return { ...admission, channel: tls };
    } catch (error) {
      tls.close();
      throw error;
    }
  };
}

function traitsOf(
  { alpn, resumed, ticketLengths }: Pick<
    TlsConnection,
    "alpn" | "resumed" | "ticketLengths"
  >,
  greeting?: PeerGreeting,
): OriginTraits {
  const { settings = [], windowUpdate = 0 } = greeting ?? {};
  return { alpn, resumed, settings, windowUpdate, ticketLengths };
}

function requireLikeness(
  samples: readonly OriginTraits[],
  seen: OriginTraits,
  stage: Stage,
): void {
  const found = deviations(samples, seen, stage);
  if (found.length === 0) return;
  const traits = found
    .map(({ trait, expected, got }) => `${trait} ${got}, not ${expected}`)
    .join("; ");
  throw new HtxError("deviation", `Server is not as its origin was: ${traits}`);
}
