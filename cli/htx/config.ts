import {
  boolean,
  type ConfigOf,
  duration,
  integer,
  list,
  number,
  parsed,
  section,
  string,
} from "../../src/core/config/mod.ts";
import { decodeBase64Url, encodeBase64Url } from "../../src/core/bytes/mod.ts";
import { parseAddress } from "../../src/core/transport/mod.ts";
import { htx } from "../../mod.ts";
import { proxy } from "./proxy_config.ts";
import { crypto, roots, session, status } from "./session_config.ts";

const port = (defaultPort: number, doc: string) =>
  integer({ min: 0, max: 65_535, default: defaultPort, doc });

const keyText = parsed({
  want: "a public key: 43 base64url characters",
  parse(text) {
    const key = decodeBase64Url(text);
    if (key.length !== 32) throw new RangeError("Want 32 bytes");
    return key;
  },
  format: encodeBase64Url,
});

const published = parsed({
  want: "tls://host:port, tcp://host:port or quic://host:port",
  parse(text) {
    if (["tls", "tcp", "quic"].includes(parseAddress(text).scheme)) return text;
    throw new RangeError("Want another scheme");
  },
  format: String,
});

/** Everything `htx.toml` may hold; `--print-config` prints it with these texts. */
export const SCHEMA = section({
  server: section({
    host: string({ default: "127.0.0.1", doc: "address to listen at" }),
    port: port(9_000, "TCP port for plain and WebSocket carriers; 0: any"),
    quic: boolean({ default: true, doc: "also listen for QUIC, on UDP" }),
    quic_port: port(0, "UDP port for QUIC; 0: the number of the TCP port"),
    tls: section({
      enabled: boolean({ default: true, doc: "also listen for TLS, on TCP" }),
      port: port(9_443, "TCP port for TLS; 0: any"),
      certificate: string({
        doc:
          "PEM file of the certificate chain; the self-signed one of the state, which the record names, if absent",
      }).optional(),
      key: string({ doc: "PEM file of its private key, PKCS #8" }).optional(),
    }),
    public_addresses: list(published, {
      default: [],
      maxItems: 16,
      doc:
        'addresses to publish, e.g. "tls://example.org:443"; those listened at if empty',
    }),
    state: string({
      doc:
        "directory of keys and replay memory; $XDG_STATE_HOME/betanet/htx if absent",
    }).optional(),
    allow: list(string(), {
      default: [],
      doc:
        'targets that clients may reach, e.g. "example.org:443", "10.0.0.0/8:22", "*:80"; none if empty',
    }),
    clients: list(keyText, {
      default: [],
      doc: "public keys of the clients that are taken; all if empty",
    }),
    classic: boolean({
      default: false,
      doc: "take clients without ML-KEM-768, until 2026-12-31 only",
    }),
    max_sessions: integer({
      min: 1,
      max: 100_000,
      default: 4_096,
      doc: "sessions at once; connections beyond get the decoy",
    }),
    handshake_timeout: duration({
      min: "100ms",
      max: "5m",
      default: "10s",
      doc: "for the first request to be whole, and again for the handshake",
    }),
    drain: duration({
      max: "1h",
      default: "10s",
      doc: "how long open streams may take to end after SIGTERM",
    }),
    tickets: section({
      policy: parsed({
        want: "v1; carriers=…; len=…",
        parse: htx.parseTicketPolicy,
        format: htx.formatTicketPolicy,
        default: htx.DEFAULT_TICKET_POLICY,
        doc: "carriers with their odds, and padding (§5.2)",
      }),
      cookie: string({
        pattern: /[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}/,
        default: "__Host-sid",
        doc: "name of the cookie that carries tickets",
      }),
      lifetime: duration({
        min: "1d",
        max: "3650d",
        default: "90d",
        doc: "how long a ticket key is accepted",
      }),
      overlap: duration({
        min: "1h",
        max: "3650d",
        default: "30d",
        doc: "how long before its end the next key is made",
      }),
      burst: integer({
        min: 1,
        max: 1_000_000,
        default: 60,
        doc: "tickets that an IPv4 /24 or IPv6 /56 can use at once",
      }),
      per_second: number({
        min: 0.001,
        max: 1_000_000,
        default: 1,
        doc: "tickets that come back to it each second",
      }),
    }),
    decoy: section({
      origin: string({
        doc:
          'web server that visitors without a ticket see, "host:port" or "https://host:port"',
      }).optional(),
      server_name: string({
        doc: "name to ask an https origin for; its host if absent",
      }).optional(),
      roots: roots("who vouches for an https origin, as proxy.roots"),
      directory: string({
        doc: "folder with a static site for them; a placeholder if neither",
      }).optional(),
    }),
    crypto,
    status,
    session,
  }),
  proxy,
});

/** What `htx.toml` and the flags say. */
export type HtxConfig = ConfigOf<typeof SCHEMA>;
