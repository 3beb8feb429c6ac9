import {
  boolean,
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
import { address, nodeId, peer } from "./addresses.ts";
import { mix, privacy } from "./mix_config.ts";
import { htx } from "./htx_config.ts";
import { tls } from "./tls_config.ts";
import { cost, schedule } from "./schedule_config.ts";
import { securitySection as security } from "./security.ts";

/** Where applications are served if nothing else is configured. */
export const APP_PORT = 3_000;

const SECTIONS = {
  node: section({
    id: nodeId,
    listen: list(address, {
      default: ["tcpcl://127.0.0.1:4556"],
      maxItems: 16,
      doc: "where to take contacts",
    }),
    peers: list(peer, {
      default: [],
      maxItems: 256,
      doc: "neighbours to keep contacts with",
    }),
    state: string({
      doc:
        "directory of bundles and what else outlives the process; $XDG_STATE_HOME/betanet/dtn if absent",
    }).optional(),
    plaintext: list(string({ pattern: /\*|[a-z]+:[!-~]*/ }), {
      default: [],
      maxItems: 256,
      doc:
        'destinations whose bundles may leave unencrypted, e.g. "dtn://weather/*"; none if empty, "*" for all',
    }),
    reports: boolean({
      default: false,
      doc: "send the status reports that bundles ask for",
    }),
    lenient: boolean({
      default: false,
      doc:
        "overlook the known faults of others: of their bundles, and that dtn7-rs announces over TCPCL less than it takes",
    }),
    fragment: boolean({
      default: true,
      doc:
        "send bundles in fragments to neighbours that do not take them whole; dtn7-rs does not put them together",
    }),
    echo: boolean({
      default: true,
      doc: 'answer what comes for the endpoint "echo" with its payload',
    }),
    status,
  }),
  htx,
  mix,
  privacy,
  tls,
  routing: section({
    by: oneOf(
      [
        "epidemic",
        "spray",
        "binary_spray",
        "prophet",
        "static",
        "contact_graph",
      ],
      { default: "epidemic", doc: "who gets a bundle" },
    ),
    copies: integer({
      min: 1,
      max: 1_024,
      default: 7,
      doc: "copies of a bundle that is made here, for spray",
    }),
    table: string({
      doc: "file of rows: index, source, destination, via; for static",
    }).optional(),
    plan: string({ doc: "contact plan; for contact_graph" }).optional(),
  }),
  schedule,
  cost,
  store: section({
    max_bundles: integer({
      min: 1,
      max: 10_000_000,
      default: 1_000_000,
      doc: "bundles at most",
    }),
    max_size: size({
      min: "64KiB",
      max: "64GiB",
      default: "4GiB",
      doc: "bytes of bundles at most",
    }),
    evict: boolean({
      default: false,
      doc: "let the oldest of the lowest class give way, instead of refusing",
    }),
    synchronous: oneOf(["normal", "full"], {
      default: "normal",
      doc:
        "what an acknowledged bundle outlives: the death of the process, or with full that of the machine too",
    }),
    encrypt: boolean({
      default: false,
      doc: "seal what is stored under a key in the folder of the state",
    }),
  }),
  security,
  app: section({
    ...appKeys(APP_PORT),
    lifetime: duration({
      min: "1s",
      max: "365d",
      default: "1h",
      doc: "of bundles that send makes",
    }),
  }),
} as const;

/** Everything `dtn.toml` may hold; `node --print-config` prints it with these texts. */
export const SCHEMA = section(SECTIONS);

/** The same for a node that runs with another program: applications are served only if it has an `[app]`. */
export const JOINED_SCHEMA = section({
  ...SECTIONS,
  app: SECTIONS.app.optional(),
});

/** What `dtn.toml` says. */
export type DtnConfig = ConfigOf<typeof SCHEMA>;

/** What it says of a node, but for its applications. */
export type DtnNodeConfig = Omit<DtnConfig, "app">;

/** What it says for a node that runs with another program. */
export type JoinedDtnConfig = ConfigOf<typeof JOINED_SCHEMA>;
