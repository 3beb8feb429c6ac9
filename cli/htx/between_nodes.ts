import {
  boolean,
  type ConfigOf,
  list,
  oneOf,
  parsed,
  section,
} from "../../src/core/config/mod.ts";
import { type Address, parseAddress } from "../../src/core/transport/mod.ts";
import { clients } from "./accept_config.ts";
import { behindHtx } from "./behind_htx.ts";
import { roots } from "./session_config.ts";

/** An `htx:` address. */
export const htxAddress = parsed<Address>({
  want: "htx://host:port",
  parse(text) {
    if (parseAddress(text).scheme === "htx") return text;
    throw new RangeError("Want another scheme");
  },
  format: String,
});

/** The keys of a section for nodes that take each other's sessions at `htx:` addresses and dial them. */
export const betweenNodes = {
  carrier: oneOf(["tls", "quic"], {
    default: "tls",
    doc: "what sessions that we dial run on",
  }),
  quic: boolean({
    default: false,
    doc: "also listen for QUIC, on the UDP ports of the same numbers",
  }),
  addresses: list(htxAddress, {
    default: [],
    maxItems: 16,
    doc: "addresses to publish in our record; those listened at if empty",
  }),
  clients,
  roots: roots(
    'who vouches for the certificates of others besides their records: "system", or a PEM file',
  ),
  ...behindHtx,
};

const betweenNodesSection = section(betweenNodes);

/** What such a section says. */
export type BetweenNodesConfig = ConfigOf<typeof betweenNodesSection>;
