import {
  boolean,
  type ConfigOf,
  duration,
  list,
  oneOf,
  parseConfig,
  parsed,
  section,
  string,
} from "../../src/core/config/mod.ts";
import { profileOf } from "../../src/utls/mod.ts";
import { statusSection as status } from "../_status.ts";
import { crypto, roots, session } from "./session_config.ts";

const coverOrigin = parsed({
  want: "https://host or https://host:port",
  parse(text) {
    const { protocol, origin } = new URL(text);
    if (protocol === "https:" && origin === text.replace(/\/$/, "")) {
      return origin;
    }
    throw new RangeError("Want an origin");
  },
  format: String,
});

const profile = parsed<number | "latest">({
  want: '"latest" or a version of Chrome that has a profile, e.g. "119"',
  parse: (text) => text === "latest" ? text : profileOf(Number(text)).version,
  format: String,
  default: "latest",
  doc: "the Chrome that TLS, HTTP/2 and header fields are those of",
});

/** `[proxy]` of `htx.toml`. */
export const proxy = section({
  server: string({
    doc: "the server's betanet-record:… text, or a file that holds it",
  }).optional(),
  carrier: oneOf(["tls", "wss", "tcp", "ws", "quic", "auto"], {
    default: "tls",
    doc: "how to reach it; auto: quic, and tls after it if that fails (§5.6)",
  }),
  profile,
  roots: roots(
    'who vouches for the server\'s certificate besides its record: "system", or a PEM file',
  ),
  server_name: string({
    doc: "name to ask the server for in TLS; that of its address if absent",
  }).optional(),
  calibration_reuse: duration({
    max: "1d",
    default: "10m",
    doc:
      "how long one look at the site serves later TLS sessions, each time a random half to whole of it; 0s: one before each session (§5.1)",
  }),
  cover_origins: list(coverOrigin, {
    default: [],
    maxItems: 64,
    doc:
      'sites to open beside the server when QUIC fails, e.g. "https://example.org"; two or more for carrier auto',
  }),
  listen: string({
    default: "127.0.0.1:1080",
    doc: "where SOCKS5 and HTTP clients connect",
  }),
  forward: list(string(), {
    default: [],
    doc: 'ports to forward, "[bind:]port:host:port"',
  }),
  user: string({ doc: "user name asked of clients" }).optional(),
  password: string({ secret: true, doc: "their password" }).optional(),
  state: string({
    doc: "directory of our key; a new key for each run if absent",
  }).optional(),
  host: string({ doc: "Host of the request that carries the ticket" })
    .optional(),
  path: string({ default: "/", doc: "path of that request" }),
  classic: boolean({
    default: false,
    doc: "go without ML-KEM-768, until 2026-12-31 only",
  }),
  drain: duration({
    max: "1h",
    default: "10s",
    doc: "how long open tunnels may take to end after SIGTERM",
  }),
  crypto,
  status,
  session,
});

/** What `[proxy]` says if nobody writes one. */
export const PROXY_DEFAULTS: ConfigOf<typeof proxy> =
  parseConfig("", section({ proxy })).proxy;
