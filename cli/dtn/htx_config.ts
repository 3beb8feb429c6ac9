import {
  type ConfigOf,
  list,
  section,
  string,
} from "../../src/core/config/mod.ts";
import { betweenNodes } from "../htx/between_nodes.ts";

/** The `[htx]` of `dtn.toml`: what is behind the `htx:` addresses of `node.listen`, and how those of `node.peers` are reached. */
export const htx = section({
  records: list(string(), {
    default: [],
    maxItems: 256,
    doc:
      "what servers say of themselves: betanet-record:… texts, or files that hold one and are read again for each contact",
  }),
  ...betweenNodes,
});

/** What it says. */
export type DtnHtxConfig = ConfigOf<typeof htx>;
