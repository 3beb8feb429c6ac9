import {
  type ConfigOf,
  duration,
  integer,
  list,
  number,
  parsed,
  section,
  string,
} from "../../src/core/config/mod.ts";
import { encodeHex } from "../../src/core/bytes/mod.ts";
import { type Address, parseAddress } from "../../src/core/transport/mod.ts";
import { directory } from "../../src/mixnet/mod.ts";
import { client, keyOf, node, nodeKey } from "./role_config.ts";

/** An authority: whose signature counts, and where it answers. */
export interface Authority {
  /** Ed25519 public key: 32 bytes. */
  readonly key: Uint8Array;
  /** `http://host:port`. */
  readonly address: Address;
}

const port = (defaultPort: number, doc: string) =>
  integer({ min: 0, max: 65_535, default: defaultPort, doc });

const authority = parsed<Authority>({
  want: "<key: 64 hexadecimal digits>@host:port",
  parse(text) {
    const [, key = "", where = ""] = /^([0-9a-f]{64})@(.+)$/.exec(text) ?? [];
    const address = `http://${where}`;
    if (parseAddress(address).path !== "") throw new RangeError("Want no path");
    return { key: keyOf(key), address };
  },
  format: ({ key, address }) =>
    `${encodeHex(key)}@${address.slice("http://".length)}`,
});

/** Everything `mixnode.toml` may hold; `check --print-config` prints it with these texts. */
export const SCHEMA = section({
  network: section({
    name: string({
      pattern: /[a-z0-9.-]{1,64}/,
      default: "local",
      doc: "its name, which all nodes and clients have in common",
    }),
    authorities: list(authority, {
      default: [],
      maxItems: 64,
      doc: 'who signs its documents, and where: "<key>@host:port"',
    }),
    threshold: integer({
      min: 1,
      max: 64,
      doc: "how many of them must sign; more than half if absent",
    }).optional(),
    epoch: duration({
      min: "1s",
      max: "1d",
      default: "1h",
      doc: "length of an epoch, in whole seconds",
    }),
    payload_length: integer({
      min: directory.MIN_PAYLOAD_LENGTH,
      max: 65_535,
      default: 2_065,
      doc: "bytes of a packet's payload; its header adds 348",
    }),
    layers: integer({ min: 1, max: 3, default: 3, doc: "layers of mixes" }),
    mean_delay: duration({
      min: "1ms",
      max: "1h",
      default: "50ms",
      doc: "mean of a hop's delay",
    }),
    max_delay: duration({
      min: "1ms",
      max: "1h",
      default: "1s",
      doc: "longest delay of a hop; a node drops what asks for more",
    }),
    client_packets_per_second: number({
      min: 0.001,
      max: 10_000,
      default: 10,
      doc: "packets that a client sends, real or cover",
    }),
    client_loops_per_second: number({
      min: 0,
      max: 10_000,
      default: 1,
      doc: "loops that a client sends beside them",
    }),
    node_loops_per_second: number({
      min: 0,
      max: 10_000,
      default: 1,
      doc: "loops that a node sends",
    }),
  }),
  node,
  authority: section({
    host: string({ default: "127.0.0.1", doc: "address to listen at" }),
    port: port(9_100, "TCP port of HTTP; 0: any"),
    state: string({
      doc: "directory of its key and documents; as node.state if absent",
    }).optional(),
    nodes: list(nodeKey(), {
      default: [],
      maxItems: 4_096,
      doc: "ids of the nodes that may join; all if empty",
    }),
    beacon: section({
      drand: string({
        doc: 'a server of drand, e.g. "https://api.drand.sh"',
      }).optional(),
      nist: string({
        doc:
          'NIST\'s beacon, e.g. "https://beacon.nist.gov/beacon/2.0"; with "/certificate/<id>" behind it, pulses signed under that certificate only',
      }).optional(),
      ethereum: string({
        doc: "JSON-RPC endpoint of your own Ethereum node",
      }).optional(),
      file: string({
        doc: "JSON file of components by epoch, for a network without internet",
      }).optional(),
    }),
  }),
  client,
});

/** What `mixnode.toml` says. */
export type MixnodeConfig = ConfigOf<typeof SCHEMA>;
