import { boolean, list, section, string } from "../../src/core/config/mod.ts";

/** `[mix]` of `dtn.toml`. */
export const mix = section({
  client: string({
    doc:
      "mixnode.toml whose [network] and [client] reach the mixnet; the node then takes bundles at its mix address; none if absent",
  }).optional(),
  says_node_id: boolean({
    default: false,
    doc: "tell neighbours through the mixnet our node id",
  }),
  trusts_peers: boolean({
    default: false,
    doc:
      "believe who says through the mixnet to be a mix: peer, and send back over its contact",
  }),
});

/** `[privacy]` of `dtn.toml`. */
export const privacy = section({
  strict: list(string({ pattern: /\*|[a-z]+:[!-~]*/ }), {
    default: [],
    maxItems: 256,
    doc:
      'destinations whose bundles leave through the mixnet or not at all, e.g. "dtn://clinic/*"; "*" for all',
  }),
});
