import { parsed } from "../../src/core/config/mod.ts";
import { parseMixNode } from "../../src/betanet_cla/mod.ts";
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
export const LAYERS = ["tcpcl", "mtcp", "udp", "http", "htx", "mix"] as const;
const LISTENING = ["tcpcl", "mtcp", "udp", "http", "htx"];

/** Whether a node is behind a mix address: `mix:betanet-mix:…`. */
export function isMix(address: Address): boolean {
  return address.startsWith("mix:");
}

/** The scheme of an address of any layer. */
export function schemeOf(address: Address): string {
  return isMix(address) ? "mix" : parseAddress(address).scheme;
}

/** Where the node takes contacts. */
export const address = parsed<Address>({
  want: LISTENING.map((scheme) => `${scheme}://host:port`).join(", "),
  parse(text) {
    const { scheme } = parseAddress(text);
    if (LISTENING.some((each) => each === scheme)) return text;
    throw new RangeError("Want another scheme");
  },
  format: String,
});

/** A neighbour, as configurations write it. */
export const peer = parsed<ConfiguredPeer>({
  want:
    "tcpcl://host:port, htx://host:port, <node id>@mtcp://host:port, or <node id>@mix:betanet-mix:…",
  parse(text) {
    const [, nodeId, at = ""] = /^(?:([a-z]+:[^@]*)@)?(.+)$/.exec(text) ?? [];
    const scheme = schemeOf(at);
    if (scheme === "mix") parseMixNode(at);
    else if (!LAYERS.some((each) => each === scheme)) {
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
