import { section } from "../../src/core/config/mod.ts";
import { behindHtx } from "../htx/behind_htx.ts";

/** Where `mixnode.toml` says it, for errors. */
export const NODE_HTX = "node.htx";

/** The `[node.htx]` of `mixnode.toml`: what is behind the `htx:` addresses of `node.listen`. */
export const nodeHtx = section(behindHtx);
