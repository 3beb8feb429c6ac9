import {
  boolean,
  type ConfigOf,
  duration,
  integer,
  list,
  parsed,
  section,
  string,
} from "../../src/core/config/mod.ts";
import { parseAddress } from "../../src/core/transport/mod.ts";
import {
  certificate,
  certificateKey,
  clients,
  decoy,
  handshakeTimeout,
  maxSessions,
  tickets,
} from "./accept_config.ts";
import { proxy } from "./proxy_config.ts";
import { statusSection as status } from "../_status.ts";
import { crypto, session } from "./session_config.ts";

const port = (defaultPort: number, doc: string) =>
  integer({ min: 0, max: 65_535, default: defaultPort, doc });

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
      certificate,
      key: certificateKey,
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
    clients,
    classic: boolean({
      default: false,
      doc: "take clients without ML-KEM-768, until 2026-12-31 only",
    }),
    max_sessions: maxSessions,
    handshake_timeout: handshakeTimeout,
    drain: duration({
      max: "1h",
      default: "10s",
      doc: "how long open streams may take to end after SIGTERM",
    }),
    tickets,
    decoy,
    crypto,
    status,
    session,
  }),
  proxy,
});

/** What `htx.toml` and the flags say. */
export type HtxConfig = ConfigOf<typeof SCHEMA>;
