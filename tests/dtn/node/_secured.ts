import { nodeProvider, Secret } from "../../../src/core/crypto/mod.ts";
import type {
  SecurityKeys,
  SecurityKeyUse,
} from "../../../src/dtn/bpsec/security_keys.ts";
import {
  SecurityPolicy,
  type SecurityRule,
} from "../../../src/dtn/bpsec/security_policy.ts";
import { BLOCK_TYPE } from "../../../src/dtn/bundle/canonical_block.ts";
import { eid } from "./_dtn_world.ts";

/** The keys of `dtn://a/`, which the others know. */
const KEYS_OF_A: SecurityKeys = keysOf("dtn://a/", {
  integrity: new Secret(new Uint8Array(48).fill(0x11)),
  confidentiality: new Secret(new Uint8Array(32).fill(0x22)),
});

/** Keys of one node. */
export function keysOf(
  node: string,
  keys: Partial<Record<SecurityKeyUse, Secret>>,
): SecurityKeys {
  return {
    keyFor: (use, source) => `${source}` === node ? keys[use] : undefined,
  };
}

/** The policy of the node of that name, for payloads where rules name no targets; it has the keys of `dtn://a/` by default. */
export function policy(
  name: string,
  rules: readonly (Omit<SecurityRule, "targets"> & Partial<SecurityRule>)[],
  keys = KEYS_OF_A,
): SecurityPolicy {
  return new SecurityPolicy({
    crypto: nodeProvider,
    node: eid(`dtn://${name}/`),
    keys,
    rules: rules.map((rule) => ({ targets: [BLOCK_TYPE.payload], ...rule })),
  });
}
