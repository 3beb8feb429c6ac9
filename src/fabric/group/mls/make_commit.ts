import {
  applyProposals,
  type ClientState,
  nextEpochContext,
} from "ts-mls/clientState.js";
import { createGroupInfoWithRatchetTree } from "ts-mls/createCommit.js";
import type { CiphersuiteImpl } from "ts-mls/crypto/ciphersuite.js";
import {
  createConfirmationTag,
  createContentCommitSignature,
} from "ts-mls/framedContent.js";
import type { GroupInfo } from "ts-mls/groupInfo.js";
import { type KeyPackage, makeKeyPackageRef } from "ts-mls/keyPackage.js";
import { type EpochSecrets, initializeEpoch } from "ts-mls/keySchedule.js";
import { protect } from "ts-mls/messageProtection.js";
import { getCommitSecret, pathToPathSecrets } from "ts-mls/pathSecrets.js";
import type { PrivateMessage } from "ts-mls/privateMessage.js";
import {
  mergePrivateKeyPaths,
  toPrivateKeyPath,
  updateLeafKey,
} from "ts-mls/privateKeyPath.js";
import type { Proposal } from "ts-mls/proposal.js";
import type { ProposalOrRef } from "ts-mls/proposalOrRefType.js";
import { emptyPskIndex } from "ts-mls/pskIndex.js";
import type { RatchetTree } from "ts-mls/ratchetTree.js";
import { createSecretTree } from "ts-mls/secretTree.js";
import { treeHashRoot } from "ts-mls/treeHash.js";
import {
  leafToNodeIndex,
  leafWidth,
  toLeafIndex,
  toNodeIndex,
} from "ts-mls/treemath.js";
import {
  createUpdatePath,
  firstCommonAncestor,
  type PathSecret,
} from "ts-mls/updatePath.js";
import { base64ToBytes } from "ts-mls/util/byteArray.js";
import {
  encryptGroupInfo,
  encryptGroupSecrets,
  type Welcome,
} from "ts-mls/welcome.js";
import { FabricError } from "../../error.ts";

/** A commit and what it makes. */
export interface CommitParts {
  readonly newState: ClientState;
  readonly privateMessage: PrivateMessage;
  readonly welcome: Welcome | undefined;
}

const WIRE_FORMAT = "mls_private_message";

/**
 * Commits the pending proposals and `proposals` (RFC 9420 §12.4.1), always with a path: the committer's keys are new, and its
 * secrets are for who is a member after it. The library's own function leaves the path out where settings change, which needs
 * one, and seals it to the old settings where both happen.
 */
export async function makeCommit(
  suite: CiphersuiteImpl,
  state: ClientState,
  proposals: readonly Proposal[],
  authenticatedData: Uint8Array,
): Promise<CommitParts> {
  const { kdf, hash, hpke } = suite;
  const { leafIndex } = state.privatePath;
  const committer = toLeafIndex(leafIndex);
  const all = [
    ...Object.keys(state.unappliedProposals).map((
      reference,
    ): ProposalOrRef => ({
      proposalOrRefType: "reference",
      reference: base64ToBytes(reference),
    })),
    ...proposals.map((proposal): ProposalOrRef => ({
      proposalOrRefType: "proposal",
      proposal,
    })),
  ];
  const applied = await applyProposals(
    state,
    all,
    committer,
    emptyPskIndex,
    true,
    suite,
  );
  const { additionalResult } = applied;
  if (additionalResult.kind !== "memberCommit") {
    throw new FabricError("refused", "A proposal of a kind not offered");
  }
  const { addedLeafNodes, extensions } = additionalResult;
  const context = extensions.length > 0
    ? { ...state.groupContext, extensions }
    : state.groupContext;
  const [tree, path, pathSecrets, leafKey] = await createUpdatePath(
    applied.tree,
    committer,
    context,
    state.signaturePrivateKey,
    suite,
    addedLeafNodes.map(([leaf]) => leafToNodeIndex(leaf)),
  );
  const { framedContent, signature } = await createContentCommitSignature(
    state.groupContext,
    WIRE_FORMAT,
    { proposals: all, path },
    { senderType: "member", leafIndex },
    authenticatedData,
    state.signaturePrivateKey,
    suite.signature,
  );
  const groupContext = await nextEpochContext(
    context,
    WIRE_FORMAT,
    framedContent,
    signature,
    await treeHashRoot(tree, hash),
    state.confirmationTag,
    hash,
  );
  const secrets = await initializeEpoch(
    state.keySchedule.initSecret,
    await commitSecretOf(suite, tree, pathSecrets),
    groupContext,
    applied.pskSecret,
    kdf,
  );
  const { keySchedule } = secrets;
  const confirmationTag = await createConfirmationTag(
    keySchedule.confirmationKey,
    groupContext.confirmedTranscriptHash,
    hash,
  );
  const { privateMessage } = await protect(
    state.keySchedule.senderDataSecret,
    authenticatedData,
    state.groupContext,
    state.secretTree,
    {
      ...framedContent,
      auth: { contentType: "commit", signature, confirmationTag },
    },
    leafIndex,
    state.clientConfig.paddingConfig,
    suite,
  );
  const ownKeys = updateLeafKey(
    state.privatePath,
    await hpke.exportPrivateKey(leafKey),
  );
  const pathKeys = await toPrivateKeyPath(
    pathToPathSecrets(pathSecrets),
    leafIndex,
    suite,
  );
  const newState: ClientState = {
    ...state,
    groupContext,
    ratchetTree: tree,
    secretTree: await createSecretTree(
      leafWidth(tree.length),
      secrets.encryptionSecret,
      kdf,
    ),
    keySchedule,
    privatePath: mergePrivateKeyPaths(ownKeys, pathKeys),
    unappliedProposals: {},
    confirmationTag,
  };
  const groupInfo = await createGroupInfoWithRatchetTree(
    groupContext,
    confirmationTag,
    state,
    tree,
    [],
    suite,
  );
  const newcomers = addedLeafNodes.map(([leaf, keyPackage]) => {
    const ancestor = firstCommonAncestor(tree, leaf, committer);
    const found = pathSecrets.find(({ nodeIndex }) => nodeIndex === ancestor);
    return { keyPackage, pathSecret: found?.secret };
  });
  const welcome = newcomers.length > 0
    ? await welcomeOf(suite, groupInfo, secrets, newcomers)
    : undefined;
  return { newState, privateMessage, welcome };
}

/** What the path gives to the key schedule: zeros in a group of one, which has none to tell. */
export async function commitSecretOf(
  { kdf }: CiphersuiteImpl,
  tree: RatchetTree,
  pathSecrets: readonly PathSecret[],
): Promise<Uint8Array> {
  const last = pathSecrets.at(-1);
  if (last === undefined) return new Uint8Array(kdf.size);
  const node = toNodeIndex(last.nodeIndex);
  return await getCommitSecret(tree, node, last.secret, kdf);
}

interface Newcomer {
  readonly keyPackage: KeyPackage;
  readonly pathSecret: Uint8Array | undefined;
}

async function welcomeOf(
  suite: CiphersuiteImpl,
  groupInfo: GroupInfo,
  { joinerSecret, welcomeSecret }: EpochSecrets,
  newcomers: readonly Newcomer[],
): Promise<Welcome> {
  const { hash, hpke } = suite;
  const sealed = await encryptGroupInfo(groupInfo, welcomeSecret, suite);
  const secrets = await Promise.all(
    newcomers.map(async ({ keyPackage, pathSecret }) => {
      const { enc, ct } = await encryptGroupSecrets(
        await hpke.importPublicKey(keyPackage.initKey),
        sealed,
        { joinerSecret, pathSecret, psks: [] },
        hpke,
      );
      return {
        newMember: await makeKeyPackageRef(keyPackage, hash),
        encryptedGroupSecrets: { kemOutput: enc, ciphertext: ct },
      };
    }),
  );
  return { cipherSuite: suite.name, secrets, encryptedGroupInfo: sealed };
}
