import { type ConfigOf, section } from "../../src/core/config/mod.ts";
import {
  certificate,
  certificateKey,
  decoy,
  handshakeTimeout,
  maxSessions,
  tickets,
} from "./accept_config.ts";
import { session } from "./session_config.ts";

/** The keys of a section for what is behind a node's `htx:` addresses: the same in every node. */
export const behindHtx = {
  certificate,
  key: certificateKey,
  max_sessions: maxSessions,
  handshake_timeout: handshakeTimeout,
  tickets,
  decoy,
  session,
};

const behindHtxSection = section(behindHtx);

/** What such a section says. */
export type BehindHtxConfig = ConfigOf<typeof behindHtxSection>;
