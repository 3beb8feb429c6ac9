import { type ConfigOf, section } from "../../src/core/config/mod.ts";
import {
  certificate,
  certificateKey,
  decoy,
  handshakeTimeout,
  maxSessions,
  tickets,
} from "../htx/accept_config.ts";
import { session } from "../htx/session_config.ts";

/** Where `mixnode.toml` says it, for errors. */
export const NODE_HTX = "node.htx";

/** The `[node.htx]` of `mixnode.toml`: what is behind the `htx:` addresses of `node.listen`. */
export const nodeHtx = section({
  certificate,
  key: certificateKey,
  max_sessions: maxSessions,
  handshake_timeout: handshakeTimeout,
  tickets,
  decoy,
  session,
});

/** What it says. */
export type NodeHtxConfig = ConfigOf<typeof nodeHtx>;
