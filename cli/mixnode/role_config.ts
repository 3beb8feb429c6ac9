import { decodeHex, encodeHex } from "../../src/core/bytes/mod.ts";
import {
  duration,
  integer,
  list,
  number,
  oneOf,
  type Option,
  parsed,
  section,
  size,
  string,
} from "../../src/core/config/mod.ts";
import { type Address, parseAddress } from "../../src/core/transport/mod.ts";
import { MAILBOX_LIMITS, PRIVACY_MODES } from "../../src/mixnet/mod.ts";
import { CRYPTO_NAMES } from "../_crypto.ts";
import { statusSection as status } from "../_status.ts";
import { nodeHtx } from "./htx_config.ts";

/** 32 bytes in hexadecimal. */
export function keyOf(text: string): Uint8Array {
  if (!/^[0-9a-f]{64}$/.test(text)) throw new RangeError("Want 64 digits");
  return decodeHex(text);
}

/** An option that names a node. */
export function nodeKey(doc?: string): Option<Uint8Array> {
  return parsed<Uint8Array>({
    want: "a node's id: 64 hexadecimal digits",
    parse: keyOf,
    format: encodeHex,
    ...doc !== undefined && { doc },
  });
}

const SCHEMES = ["tcp", "quic", "htx"];

const address = parsed<Address>({
  want: SCHEMES.map((scheme) => `${scheme}://host:port`).join(" or "),
  parse(given) {
    const text = given.includes("://") ? given : `tcp://${given}`;
    if (SCHEMES.includes(parseAddress(text).scheme)) return text;
    throw new RangeError("Want another scheme");
  },
  format: String,
});

const crypto = oneOf(CRYPTO_NAMES, {
  default: "auto",
  doc: "cryptography: node, noble, native, or the fastest of them",
});

const count = (defaultCount: number, doc: string, min = 1) =>
  integer({ min, max: 2 ** 31, default: defaultCount, doc });

const mailboxes = section({
  max_clients: count(MAILBOX_LIMITS.maxClients, "clients known at most"),
  max_client_messages: count(
    MAILBOX_LIMITS.maxClientMessages,
    "messages that wait for one client at most",
  ),
  max_client_size: size({
    min: "1KiB",
    max: "64GiB",
    default: "32MiB",
    doc: "what waits for one client at most",
  }),
  max_messages: count(
    MAILBOX_LIMITS.maxMessages,
    "messages that wait in all at most",
  ),
  max_size: size({
    min: "1KiB",
    max: "64GiB",
    default: "200MiB",
    doc: "what waits in all at most",
  }),
  message_expiry: duration({
    min: "1m",
    max: "365d",
    default: "7d",
    doc: "how long a message waits",
  }),
  client_expiry: duration({
    min: "1m",
    max: "365d",
    default: "30d",
    doc: "how long a client may be away",
  }),
});

/** The `[node]` of `mixnode.toml`. */
export const node = section({
  role: oneOf(["mix", "gateway"], {
    default: "mix",
    doc: "mix, or gateway: where clients connect and have their mailboxes",
  }),
  listen: list(address, {
    default: ["tcp://127.0.0.1:9001"],
    maxItems: 8,
    doc:
      "where to take links from other nodes and clients; htx: behind a web site, as node.htx says",
  }),
  addresses: list(address, {
    default: [],
    maxItems: 8,
    doc: "addresses to publish, best first; those listened at if empty",
  }),
  asn: integer({
    min: 0,
    max: 2 ** 32 - 1,
    default: 0,
    doc: "number of the autonomous system it is in; 0: unknown",
  }),
  crypto,
  peer_packets_per_second: count(
    20_000,
    "what each node and client may send; twice as many at once",
  ),
  workers: integer({
    min: 0,
    max: 64,
    doc:
      "threads that unwrap packets; 0: none but the main one; the processors less one if absent",
  }).optional(),
  state: string({
    doc:
      "directory of keys and what outlives the process; $XDG_STATE_HOME/betanet/mixnode if absent",
  }).optional(),
  mixing: section({
    strategy: oneOf(["poisson", "threshold", "timed"], {
      default: "poisson",
      doc:
        "poisson: each packet waits as its sender asks; threshold, timed: pools",
    }),
    pool: count(16_384, "packets held at most; more are dropped"),
    keep: count(0, "packets that stay when a pool fires", 0),
    threshold: count(64, "packets at which a threshold pool fires"),
    interval: duration({
      min: "1ms",
      max: "1h",
      default: "1s",
      doc: "time between firings of a timed pool",
    }),
    min_entropy: number({
      min: 0,
      max: 64,
      default: 0,
      doc: "bits of mix entropy below which to warn; 0: never",
    }),
    replay_capacity: count(
      4_194_304,
      "packets of an epoch that are remembered; more are dropped",
    ),
  }),
  mailboxes,
  htx: nodeHtx,
  drain: duration({
    max: "1h",
    default: "10s",
    doc: "how long packets may take to leave after SIGTERM",
  }),
  status,
});

/** The `[client]` of `mixnode.toml`. */
export const client = section({
  gateway: nodeKey(
    "the gateway with our mailbox; one by chance, which is kept, if absent",
  ).optional(),
  mode: oneOf(Object.keys(PRIVACY_MODES) as (keyof typeof PRIVACY_MODES)[], {
    default: "strict",
    doc: "mixes of a route: strict 3 or all, balanced 2, performance 1",
  }),
  crypto,
  state: string({
    doc: "directory of keys and what is under way; as node.state if absent",
  }).optional(),
});
