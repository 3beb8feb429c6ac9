import { encodeBase64Url } from "../../../core/bytes/mod.ts";
import { FabricError } from "../../error.ts";
import type { RatchetTree } from "ts-mls/ratchetTree.js";
import { MAX_GROUP_MEMBERS } from "./group_crypto.ts";
import { membersOf, type MlsState } from "./mls_state.ts";

/**
 * Refuses a tree in which an agent has two leaves, or two nodes have the same key (RFC 9420 §7.3), or with more members than
 * allowed.
 */
export function checkTree(tree: RatchetTree): void {
  const members = membersOf(tree);
  if (members.length > MAX_GROUP_MEMBERS) {
    throw new FabricError("full", `A group has ${MAX_GROUP_MEMBERS} members`);
  }
  distinct(members.map(({ id }) => id.toString()), "An agent has two leaves");
  const keys = tree.flatMap((node) => {
    if (node === undefined) return [];
    return node.nodeType === "leaf"
      ? [node.leaf.hpkePublicKey]
      : [node.parent.hpkePublicKey];
  });
  distinct(keys.map(encodeBase64Url), "Two nodes have the same key");
  const signers = tree.flatMap((node) =>
    node?.nodeType === "leaf" ? [node.leaf.signaturePublicKey] : []
  );
  distinct(signers.map(encodeBase64Url), "Two leaves have the same key");
}

/** Refuses a commit that gave a leaf to another agent without removing the one before. */
export function checkLeaves(
  before: MlsState,
  after: MlsState,
  removedLeaves: ReadonlySet<number>,
): void {
  const old = new Map(
    before.members.map(({ leafIndex, id }) => [leafIndex, id]),
  );
  for (const { id, leafIndex } of after.members) {
    const was = old.get(leafIndex);
    if (was && !removedLeaves.has(leafIndex) && !was.equals(id)) {
      throw new FabricError("refused", "A leaf was given to another agent");
    }
  }
}

function distinct(texts: readonly string[], otherwise: string): void {
  if (new Set(texts).size < texts.length) {
    throw new FabricError("refused", otherwise);
  }
}
