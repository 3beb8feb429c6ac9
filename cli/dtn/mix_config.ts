import { list, section, string } from "../../src/core/config/mod.ts";

/** `[privacy]` of `dtn.toml`. */
export const privacy = section({
  strict: list(string({ pattern: /\*|[a-z]+:[!-~]*/ }), {
    default: [],
    maxItems: 256,
    doc:
      'destinations whose bundles leave through the mixnet or not at all, e.g. "dtn://clinic/*"; "*" for all',
  }),
});
