import { type ConfigOf, list, section } from "../../src/core/config/mod.ts";
import { betweenNodes, htxAddress } from "../htx/between_nodes.ts";

/** The `[htx]` of `fabric.toml`: where live sessions are taken, and how others are reached. */
export const htx = section({
  listen: list(htxAddress, {
    default: [],
    maxItems: 16,
    doc: "where to take sessions of other nodes; none are taken if empty",
  }),
  ...betweenNodes,
});

/** What it says. */
export type FabricHtxConfig = ConfigOf<typeof htx>;
