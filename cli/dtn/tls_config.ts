import {
  boolean,
  type ConfigOf,
  section,
  string,
} from "../../src/core/config/mod.ts";
import { roots } from "../htx/session_config.ts";

/** The `[tls]` of `dtn.toml`: TLS in TCPCL. */
export const tls = section({
  certificate: string({
    doc:
      "PEM file of our certificate chain, shown to nodes that dial us; without it TCPCL speaks no TLS",
  }).optional(),
  key: string({ doc: "PEM file of its private key, PKCS #8" }).optional(),
  ca: roots(
    'who vouches for the nodes that we dial: "system", or a PEM file',
  ),
  required: boolean({
    default: false,
    doc: "leave nodes that speak no TLS; else it is spoken with those that can",
  }),
  node_id: boolean({
    default: true,
    doc:
      "leave nodes that we dial whose certificate names no node (RFC 9174 §4.4.2); one that names another is left anyway",
  }),
});

/** What it says. */
export type DtnTlsConfig = ConfigOf<typeof tls>;
