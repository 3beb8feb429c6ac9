import { parsed } from "../../src/core/config/mod.ts";
import { type Address, parseAddress } from "../../src/core/transport/mod.ts";
import { Eid } from "../../src/dtn/mod.ts";

/** A neighbour that the node dials. */
export interface ConfiguredPeer {
  /** Where it is; the scheme is its convergence layer's. */
  readonly address: Address;
  /** Its node id, where the layer does not say it. */
  readonly nodeId?: Eid;
}

/** Layers whose nodes say what they are called. */
const SAYS_NODE_ID = ["tcpcl", "htx"];
/** Schemes of addresses: the names of convergence layers. */
export const LAYERS = ["tcpcl", "mtcp", "udp", "http", "htx"] as const;

/** Where the node takes contacts. */
export const address = parsed<Address>({
  want: LAYERS.map((scheme) => `${scheme}://host:port`).join(", "),
  parse(text) {
    const { scheme } = parseAddress(text);
    if (LAYERS.some((each) => each === scheme)) return text;
    throw new RangeError("Want another scheme");
  },
  format: String,
});

/** A neighbour, as configurations write it. */
export const peer = parsed<ConfiguredPeer>({
  want: "tcpcl://host:port, htx://host:port, or <node id>@mtcp://host:port",
  parse(text) {
    const [, nodeId, at = ""] = /^(?:([a-z]+:[^@]*)@)?(.+)$/.exec(text) ?? [];
    const { scheme } = parseAddress(at);
    if (!LAYERS.some((each) => each === scheme)) {
      throw new RangeError("Want another scheme");
    }
    if (nodeId === undefined && !SAYS_NODE_ID.includes(scheme)) {
      throw new RangeError("Want its node id, as the layer does not say it");
    }
    return {
      address: at,
      ...nodeId !== undefined && { nodeId: Eid.parse(nodeId) },
    };
  },
  format: ({ address, nodeId }) => nodeId ? `${nodeId}@${address}` : address,
});

/** Our node id. */
export const nodeId = parsed<Eid>({
  want: "dtn://name/ or ipn:N.0",
  parse(text) {
    const eid = Eid.parse(text);
    if (!eid.isNull && eid.nodeId().equals(eid)) return eid;
    throw new RangeError("Want a node's own endpoint");
  },
  format: String,
  default: Eid.parse("dtn://node/"),
  doc: "our node id",
});
