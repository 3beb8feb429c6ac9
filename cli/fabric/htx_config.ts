import {
  boolean,
  type ConfigOf,
  list,
  oneOf,
  section,
} from "../../src/core/config/mod.ts";
import { clients } from "../htx/accept_config.ts";
import { behindHtx } from "../htx/behind_htx.ts";
import { htxAddress } from "../dtn/htx_config.ts";
import { roots } from "../htx/session_config.ts";

/** The `[htx]` of `fabric.toml`: where live sessions are taken, and how others are reached. */
export const htx = section({
  listen: list(htxAddress, {
    default: [],
    maxItems: 16,
    doc: "where to take sessions of other nodes; none are taken if empty",
  }),
  addresses: list(htxAddress, {
    default: [],
    maxItems: 16,
    doc:
      "addresses to publish in our agents' records; those listened at if empty",
  }),
  carrier: oneOf(["tls", "quic"], {
    default: "tls",
    doc: "what sessions that we dial run on",
  }),
  quic: boolean({
    default: false,
    doc: "also listen for QUIC, on the UDP ports of the same numbers",
  }),
  clients,
  roots: roots(
    'who vouches for the certificates of others besides their records: "system", or a PEM file',
  ),
  ...behindHtx,
});

/** What it says. */
export type FabricHtxConfig = ConfigOf<typeof htx>;
