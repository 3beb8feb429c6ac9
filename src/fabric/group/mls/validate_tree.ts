import type { CiphersuiteImpl } from "ts-mls/crypto/ciphersuite.js";
import { extensionsSupportedByCapabilities } from "ts-mls/extension.js";
import type { GroupContext } from "ts-mls/groupContext.js";
import {
  type LeafNode,
  verifyLeafNodeSignature,
  verifyLeafNodeSignatureKeyPackage,
} from "ts-mls/leafNode.js";
import { verifyParentHashes } from "ts-mls/parentHash.js";
import type { RatchetTree } from "ts-mls/ratchetTree.js";
import {
  decodeRequiredCapabilities,
  type RequiredCapabilities,
} from "ts-mls/requiredCapabilities.js";
import { treeHashRoot } from "ts-mls/treeHash.js";
import {
  directPath,
  isLeaf,
  leafToNodeIndex,
  leafWidth,
  toLeafIndex,
  toNodeIndex,
} from "ts-mls/treemath.js";
import { equal } from "../../../core/bytes/mod.ts";
import type { CryptoProvider } from "../../../core/crypto/mod.ts";
import { FabricError } from "../../error.ts";
import { checkTree } from "./check_tree.ts";
import { isBound } from "./leaf_credential.ts";

/**
 * Verifies a tree that somebody gives to who joins, against the group context (RFC 9420 §12.4.3.1). The library's own function
 * refuses trees that are good: it wants all nodes above an unmerged leaf to have the same unmerged leaves.
 */
export async function validateTree(
  crypto: CryptoProvider,
  suite: CiphersuiteImpl,
  tree: RatchetTree,
  context: GroupContext,
): Promise<void> {
  checkTree(tree);
  checkShape(tree);
  if (
    !equal(await treeHashRoot(tree, suite.hash), context.treeHash) ||
    !await verifyParentHashes(tree, suite.hash)
  ) throw new FabricError("unauthenticated", "The tree is not the group's");
  const required = requiredBy(context);
  for (const [index, node] of tree.entries()) {
    if (node?.nodeType !== "leaf") continue;
    const { leaf } = node;
    const { credential, signaturePublicKey } = leaf;
    if (
      !isBound(crypto, credential, signaturePublicKey) ||
      !await isSigned(suite, leaf, context.groupId, index / 2)
    ) throw new FabricError("unauthenticated", "A leaf is not its agent's");
    if (!isCapable(leaf, context, required)) {
      throw new FabricError("refused", "A member lacks a capability");
    }
  }
}

/** Leaves and parents where they belong, and unmerged leaves as RFC 9420 §7.9 says. */
function checkShape(tree: RatchetTree): void {
  const bad = () => new FabricError("refused", "The tree has a wrong shape");
  const leaves = leafWidth(tree.length);
  for (const [index, node] of tree.entries()) {
    if (node === undefined) continue;
    if (isLeaf(toNodeIndex(index)) !== (node.nodeType === "leaf")) throw bad();
    if (node.nodeType === "leaf") continue;
    let last = -1;
    for (const unmerged of node.parent.unmergedLeaves) {
      const leaf = leafToNodeIndex(toLeafIndex(unmerged));
      if (unmerged <= last || tree[leaf]?.nodeType !== "leaf") throw bad();
      last = unmerged;
      const path = directPath(leaf, leaves);
      const above = path.indexOf(toNodeIndex(index));
      if (above < 0) throw bad();
      for (const between of path.slice(0, above)) {
        const inner = tree[between];
        if (
          inner?.nodeType === "parent" &&
          !inner.parent.unmergedLeaves.includes(unmerged)
        ) throw bad();
      }
    }
  }
}

function isSigned(
  { signature }: CiphersuiteImpl,
  leaf: LeafNode,
  groupId: Uint8Array,
  leafIndex: number,
): Promise<boolean> {
  return leaf.leafNodeSource === "key_package"
    ? verifyLeafNodeSignatureKeyPackage(leaf, signature)
    : verifyLeafNodeSignature(leaf, groupId, leafIndex, signature);
}

function requiredBy({ extensions }: GroupContext): RequiredCapabilities {
  const found = extensions.find(({ extensionType }) =>
    extensionType === "required_capabilities"
  );
  const none = { extensionTypes: [], proposalTypes: [], credentialTypes: [] };
  if (found === undefined) return none;
  const read = decodeRequiredCapabilities(found.extensionData, 0);
  if (read === undefined) {
    throw new FabricError("malformed", "Want the capabilities required");
  }
  return read[0];
}

function isCapable(
  { capabilities, extensions }: LeafNode,
  context: GroupContext,
  required: RequiredCapabilities,
): boolean {
  return capabilities.credentials.includes("basic") &&
    extensionsSupportedByCapabilities(context.extensions, capabilities) &&
    extensionsSupportedByCapabilities(extensions, capabilities) &&
    required.extensionTypes
      .every((each) => capabilities.extensions.includes(each)) &&
    required.proposalTypes
      .every((each) => capabilities.proposals.includes(each)) &&
    required.credentialTypes
      .every((each) => capabilities.credentials.includes(each));
}
