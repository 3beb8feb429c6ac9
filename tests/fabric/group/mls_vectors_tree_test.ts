import { assert, assertEquals, assertThrows } from "@std/assert";
import { verifyParentHashes } from "ts-mls/parentHash.js";
import {
  type LeafNode,
  verifyLeafNodeSignature,
  verifyLeafNodeSignatureKeyPackage,
} from "ts-mls/leafNode.js";
import { applyUpdatePathSecret } from "ts-mls/createCommit.js";
import type { GroupContext } from "ts-mls/groupContext.js";
import { getCommitSecret } from "ts-mls/pathSecrets.js";
import {
  mergePrivateKeyPaths,
  type PrivateKeyPath,
  toPrivateKeyPath,
} from "ts-mls/privateKeyPath.js";
import { decodeProposal } from "ts-mls/proposal.js";
import {
  addLeafNode,
  decodeRatchetTree,
  encodeRatchetTree,
  getHpkePublicKey,
  type RatchetTree,
  removeLeafNode,
  resolution,
  updateLeafNode,
} from "ts-mls/ratchetTree.js";
import { treeHash, treeHashRoot } from "ts-mls/treeHash.js";
import {
  isLeaf,
  leafToNodeIndex,
  left,
  nodeWidth,
  parent,
  right,
  root,
  sibling,
  toLeafIndex,
  toNodeIndex,
} from "ts-mls/treemath.js";
import {
  applyUpdatePath,
  createUpdatePath,
  decodeUpdatePath,
  type UpdatePath,
} from "ts-mls/updatePath.js";
import { decoded, hex, suiteOf, vectorsOf } from "./_mls_vectors.ts";

type Indices = readonly (number | null)[];

interface TreeMath {
  readonly n_leaves: number;
  readonly n_nodes: number;
  readonly root: number;
  readonly left: Indices;
  readonly right: Indices;
  readonly parent: Indices;
  readonly sibling: Indices;
}

Deno.test("MLS vectors, tree-math", async () => {
  const vectors = await vectorsOf<TreeMath>("tree_math");
  assertEquals(vectors.length, 10);
  for (const wanted of vectors) {
    const leaves = wanted.n_leaves;
    assertEquals(nodeWidth(leaves), wanted.n_nodes);
    assertEquals(root(leaves), toNodeIndex(wanted.root));
    for (let i = 0; i < wanted.n_nodes; i++) {
      const node = toNodeIndex(i);
      const is = (index: number | null | undefined, found: () => number) => {
        if (index === null || index === undefined) assertThrows(found);
        else assertEquals<number>(found(), index);
      };
      assertEquals(isLeaf(node), wanted.left[i] === null);
      is(wanted.left[i], () => left(node));
      is(wanted.right[i], () => right(node));
      is(wanted.parent[i], () => parent(node, leaves));
      is(wanted.sibling[i], () => sibling(node, leaves));
    }
  }
});

interface TreeOperation {
  readonly cipher_suite: number;
  readonly tree_before: string;
  readonly proposal: string;
  readonly proposal_sender: number;
  readonly tree_hash_before: string;
  readonly tree_after: string;
  readonly tree_hash_after: string;
}

Deno.test("MLS vectors, tree-operations: add, update and remove, and the hashes of the tree", async () => {
  const vectors = await vectorsOf<TreeOperation>("tree_operations");
  assertEquals(vectors.length, 5);
  for (const each of vectors) {
    const { hash } = suiteOf(each.cipher_suite);
    const before = decoded(decodeRatchetTree, hex(each.tree_before));
    assertEquals(await treeHashRoot(before, hash), hex(each.tree_hash_before));
    const proposal = decoded(decodeProposal, hex(each.proposal));
    let after: RatchetTree;
    if (proposal.proposalType === "add") {
      const { leafNode } = proposal.add.keyPackage;
      [after] = addLeafNode(before, leafNode);
    } else if (proposal.proposalType === "remove") {
      after = removeLeafNode(before, toLeafIndex(proposal.remove.removed));
    } else {
      assert(proposal.proposalType === "update");
      const sender = toLeafIndex(each.proposal_sender);
      after = updateLeafNode(before, proposal.update.leafNode, sender);
    }
    assertEquals(encodeRatchetTree(after), hex(each.tree_after));
    assertEquals(await treeHashRoot(after, hash), hex(each.tree_hash_after));
  }
});

interface TreeValidation {
  readonly cipher_suite: number;
  readonly tree: string;
  readonly group_id: string;
  readonly tree_hashes: readonly string[];
  readonly resolutions: readonly (readonly number[])[];
}

Deno.test("MLS vectors, tree-validation: resolutions, hashes, parent hashes and signatures of leaves", async () => {
  const vectors = await vectorsOf<TreeValidation>("tree_validation");
  assertEquals(vectors.length, 28);
  for (const each of vectors) {
    const { hash, signature } = suiteOf(each.cipher_suite);
    const tree = decoded(decodeRatchetTree, hex(each.tree));
    assertEquals(tree.length, each.tree_hashes.length);
    for (const [i, wanted] of each.tree_hashes.entries()) {
      const node = toNodeIndex(i);
      assertEquals(await treeHash(tree, node, hash), hex(wanted));
      assertEquals<readonly number[]>(
        resolution(tree, node),
        each.resolutions[i]!,
      );
    }
    assert(await verifyParentHashes(tree, hash));
    const verifies = (leaf: LeafNode, index: number) =>
      leaf.leafNodeSource === "key_package"
        ? verifyLeafNodeSignatureKeyPackage(leaf, signature)
        : verifyLeafNodeSignature(leaf, hex(each.group_id), index, signature);
    for (const [i, node] of tree.entries()) {
      if (node?.nodeType !== "leaf") continue;
      assert(await verifies(node.leaf, i / 2));
    }
  }
});

interface TreeKem {
  readonly cipher_suite: number;
  readonly group_id: string;
  readonly epoch: number;
  readonly confirmed_transcript_hash: string;
  readonly ratchet_tree: string;
  readonly leaves_private: readonly {
    readonly index: number;
    readonly encryption_priv: string;
    readonly signature_priv: string;
    readonly path_secrets: readonly {
      readonly node: number;
      readonly path_secret: string;
    }[];
  }[];
  readonly update_paths: readonly {
    readonly sender: number;
    readonly update_path: string;
    readonly path_secrets: readonly (string | null)[];
    readonly commit_secret: string;
    readonly tree_hash_after: string;
  }[];
}

Deno.test("MLS vectors, treekem: paths of others decrypt, and all understand ours", async () => {
  const vectors = await vectorsOf<TreeKem>("treekem");
  assertEquals(vectors.length, 22);
  for (const each of vectors) {
    const suite = suiteOf(each.cipher_suite);
    const tree = decoded(decodeRatchetTree, hex(each.ratchet_tree));
    const base: GroupContext = {
      version: "mls10",
      cipherSuite: suite.name,
      groupId: hex(each.group_id),
      epoch: BigInt(each.epoch),
      treeHash: await treeHashRoot(tree, suite.hash),
      confirmedTranscriptHash: hex(each.confirmed_transcript_hash),
      extensions: [],
    };
    const keys = new Map<number, PrivateKeyPath>();
    for (const leaf of each.leaves_private) {
      keys.set(leaf.index, await keysOf(leaf, tree, suite));
    }
    /** The path secret and the commit secret that a member finds in a path. */
    const read = async (
      path: UpdatePath,
      after: RatchetTree,
      sender: number,
      context: GroupContext,
      reader: number,
    ) => {
      const { nodeIndex, pathSecret } = await applyUpdatePathSecret(
        after,
        keys.get(reader)!,
        toLeafIndex(sender),
        context,
        path,
        [],
        suite,
      );
      const node = toNodeIndex(nodeIndex);
      const commitSecret = await getCommitSecret(
        after,
        node,
        pathSecret,
        suite.kdf,
      );
      return { pathSecret, commitSecret };
    };
    for (const wanted of each.update_paths) {
      const sender = toLeafIndex(wanted.sender);
      const path = decoded(decodeUpdatePath, hex(wanted.update_path));
      const after = await applyUpdatePath(tree, sender, path, suite.hash);
      assert(await verifyParentHashes(after, suite.hash));
      const hash = await treeHashRoot(after, suite.hash);
      assertEquals(hash, hex(wanted.tree_hash_after));
      const context = { ...base, treeHash: hash };
      const readers = [...keys.keys()].filter((each) => each !== sender);
      for (const reader of readers) {
        const found = await read(path, after, sender, context, reader);
        assertEquals(found.pathSecret, hex(wanted.path_secrets[reader]!));
        assertEquals(found.commitSecret, hex(wanted.commit_secret));
      }
      const { signature_priv } = each.leaves_private.find(({ index }) =>
        index === sender
      )!;
      const [ours, made, secrets] = await createUpdatePath(
        tree,
        sender,
        { ...base, epoch: base.epoch - 1n }, // it seals to the epoch after
        hex(signature_priv),
        suite,
      );
      const last = secrets.at(-1)!;
      const commitSecret = await getCommitSecret(
        ours,
        toNodeIndex(last.nodeIndex),
        last.secret,
        suite.kdf,
      );
      const own = { ...base, treeHash: await treeHashRoot(ours, suite.hash) };
      for (const reader of readers) {
        const found = await read(made, ours, sender, own, reader);
        assertEquals(found.commitSecret, commitSecret);
      }
    }
  }
});

/** The private keys of a leaf, each of which fits its node of the tree. */
async function keysOf(
  leaf: TreeKem["leaves_private"][number],
  tree: RatchetTree,
  suite: ReturnType<typeof suiteOf>,
): Promise<PrivateKeyPath> {
  const secrets = Object.fromEntries(
    leaf.path_secrets.map(({ node, path_secret }) => [node, hex(path_secret)]),
  );
  const own: PrivateKeyPath = {
    leafIndex: leaf.index,
    privateKeys: {
      [leafToNodeIndex(toLeafIndex(leaf.index))]: hex(leaf.encryption_priv),
    },
  };
  const keys = mergePrivateKeyPaths(
    await toPrivateKeyPath(secrets, leaf.index, suite),
    own,
  );
  const plaintext = Uint8Array.of(1, 2, 3);
  const info = new Uint8Array();
  for (const [node, key] of Object.entries(keys.privateKeys)) {
    const publicKey = getHpkePublicKey(tree[Number(node)]!);
    const { enc, ct } = await suite.hpke.seal(
      await suite.hpke.importPublicKey(publicKey),
      plaintext,
      info,
    );
    const privateKey = await suite.hpke.importPrivateKey(key);
    assertEquals(await suite.hpke.open(privateKey, enc, ct, info), plaintext);
  }
  return keys;
}
