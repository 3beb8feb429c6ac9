import {
  boolean,
  type ConfigOf,
  duration,
  integer,
  oneOf,
  type Option,
  section,
  size,
  string,
} from "../../src/core/config/mod.ts";
import type { htx } from "../../mod.ts";
import { CRYPTO_NAMES } from "../_crypto.ts";

/** The section that both ends' sessions have in common. */
export const session = section({
  pings: boolean({
    default: true,
    doc: "PING at random intervals of 10 to 60 s, as Betanet 1.1 §5.5 asks",
  }),
  idle_padding: boolean({
    default: true,
    doc: "dummy data after 200 to 1,200 ms of silence, as §5.5 asks",
  }),
  ping_timeout: duration({
    min: "1s",
    max: "10m",
    default: "30s",
    doc: "a peer that answers no PING for this long is gone",
  }),
  max_streams: integer({
    min: 16,
    max: 65_535,
    default: 1_024,
    doc: "streams the peer may have open at once",
  }),
  stream_window: size({
    min: "65535B",
    max: "256MiB",
    default: "4MiB",
    doc: "how far a stream's window may grow; 65535B keeps it fixed",
  }),
  session_window: size({
    min: "1048560B",
    max: "1GiB",
    default: "16MiB",
    doc: "what a peer can make a session hold",
  }),
});

/** Whose cryptography to use. */
export const crypto = oneOf(CRYPTO_NAMES, {
  default: "auto",
  doc:
    "cryptography: node, noble (portable), native (OpenSSL 3), or the fastest of them",
});

/** Whose certificates count, for servers that `doc` names. */
export function roots(doc: string): Option<string> {
  return string({ default: "system", doc });
}

/** What such a section says. */
export type SessionConfig = ConfigOf<typeof session>;

/** The library's options for `[server.session]` or `[proxy.session]`. */
export function sessionOptions(config: SessionConfig): {
  shaping: htx.ShapingOptions;
  pingTimeoutMs: number;
  parameters: Partial<htx.Parameters>;
} {
  return {
    shaping: { pings: config.pings, idlePadding: config.idle_padding },
    pingTimeoutMs: config.ping_timeout,
    parameters: {
      maxStreams: config.max_streams,
      maxStreamWindowBytes: config.stream_window,
      maxSessionWindowBytes: config.session_window,
    },
  };
}
