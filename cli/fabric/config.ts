import {
  type ConfigOf,
  duration,
  integer,
  list,
  oneOf,
  section,
  size,
  string,
} from "../../src/core/config/mod.ts";
import { appKeys } from "../_app_section.ts";
import { statusSection as status } from "../_status.ts";
import { htx } from "./htx_config.ts";

/** Where applications are served if nothing else is configured. */
export const APP_PORT = 3_100;

/** Everything `fabric.toml` may hold; `node --print-config` prints it with these texts. */
export const SCHEMA = section({
  node: section({
    state: string({
      doc:
        "directory of agents' keys and what else outlives the process; $XDG_STATE_HOME/betanet/fabric if absent",
    }).optional(),
    agents: list(string(), {
      default: [],
      maxItems: 64,
      doc:
        "files of agents' keys, as keygen writes them; every *.agent of the state if empty",
    }),
    dtn: string({
      doc:
        "dtn.toml of the node of bundles that runs with this one; no bundles if absent",
    }).optional(),
    records: list(string(), {
      default: [],
      maxItems: 10_000,
      doc: "agents to know from the start: betanet-agent:… texts, or files",
    }),
    max_links: integer({
      min: 1,
      max: 65_536,
      default: 1_024,
      doc: "live sessions with other nodes at once",
    }),
    max_known: integer({
      min: 1,
      max: 1_000_000,
      default: 10_000,
      doc: "agents that are known at once",
    }),
    status,
  }),
  htx,
  messages: section({
    types: list(string(), {
      default: [],
      maxItems: 256,
      doc:
        "types of messages that wait for an application to listen; others are refused while none does",
    }),
    budget: duration({
      min: "100ms",
      max: "1m",
      default: "2s",
      doc:
        "how long an agent may give no sign of life before a bundle is sent instead",
    }),
    max_running: integer({
      min: 1,
      max: 65_536,
      default: 1_280,
      doc: "messages of an agent that applications have or that wait for them",
    }),
    max_outbox: integer({
      min: 1,
      max: 10_000_000,
      default: 100_000,
      doc: "messages that an agent may have waiting to be delivered",
    }),
    max_outbox_size: size({
      min: "1MiB",
      max: "64GiB",
      default: "256MiB",
      doc: "bytes of them",
    }),
    max_inbox: integer({
      min: 1,
      max: 10_000_000,
      default: 100_000,
      doc: "messages that an agent may have that no application is done with",
    }),
    max_inbox_size: size({
      min: "1MiB",
      max: "64GiB",
      default: "256MiB",
      doc: "bytes of them",
    }),
    synchronous: oneOf(["normal", "full"], {
      default: "normal",
      doc:
        "what an accepted message outlives: the death of the process, or with full that of the machine too",
    }),
  }),
  groups: section({
    invitations: oneOf(["ask", "accept", "refuse"], {
      default: "ask",
      doc:
        "what becomes of invitations to groups: they wait for group join, are accepted, or are refused",
    }),
  }),
  app: section(appKeys(APP_PORT)),
});

/** What `fabric.toml` says. */
export type FabricConfig = ConfigOf<typeof SCHEMA>;
