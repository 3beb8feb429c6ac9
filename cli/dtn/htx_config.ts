import {
  boolean,
  type ConfigOf,
  list,
  oneOf,
  parsed,
  section,
  string,
} from "../../src/core/config/mod.ts";
import { type Address, parseAddress } from "../../src/core/transport/mod.ts";
import { clients } from "../htx/accept_config.ts";
import { behindHtx } from "../htx/behind_htx.ts";
import { roots } from "../htx/session_config.ts";

/** An `htx:` address. */
export const htxAddress = parsed<Address>({
  want: "htx://host:port",
  parse(text) {
    if (parseAddress(text).scheme === "htx") return text;
    throw new RangeError("Want another scheme");
  },
  format: String,
});

/** The `[htx]` of `dtn.toml`: what is behind the `htx:` addresses of `node.listen`, and how those of `node.peers` are reached. */
export const htx = section({
  records: list(string(), {
    default: [],
    maxItems: 256,
    doc:
      "what servers say of themselves: betanet-record:… texts, or files that hold one and are read again for each contact",
  }),
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
});

/** What it says. */
export type DtnHtxConfig = ConfigOf<typeof htx>;
