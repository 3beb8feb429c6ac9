import type { ClientConfig } from "ts-mls/clientConfig.js";
import {
  type ClientState,
  exportSecret,
  nextEpochContext,
} from "ts-mls/clientState.js";
import type { CiphersuiteImpl } from "ts-mls/crypto/ciphersuite.js";
import {
  createConfirmationTag,
  createContentCommitSignature,
} from "ts-mls/framedContent.js";
import {
  type GroupInfo,
  ratchetTreeFromExtension,
  verifyGroupInfoConfirmationTag,
  verifyGroupInfoSignature,
} from "ts-mls/groupInfo.js";
import {
  type KeyPackage,
  makeKeyPackageRef,
  type PrivateKeyPackage,
} from "ts-mls/keyPackage.js";
import { deriveKeySchedule, initializeEpoch } from "ts-mls/keySchedule.js";
import { protectPublicMessage } from "ts-mls/messageProtectionPublic.js";
import { pathToPathSecrets, pathToRoot } from "ts-mls/pathSecrets.js";
import {
  mergePrivateKeyPaths,
  toPrivateKeyPath,
  updateLeafKey,
} from "ts-mls/privateKeyPath.js";
import type { ProposalOrRef } from "ts-mls/proposalOrRefType.js";
import type { PublicMessage } from "ts-mls/publicMessage.js";
import {
  addLeafNode,
  findLeafIndex,
  getSignaturePublicKeyFromLeafIndex,
  type RatchetTree,
  removeLeafNode,
} from "ts-mls/ratchetTree.js";
import { createSecretTree } from "ts-mls/secretTree.js";
import { treeHashRoot } from "ts-mls/treeHash.js";
import {
  leafToNodeIndex,
  leafWidth,
  nodeToLeafIndex,
  toLeafIndex,
} from "ts-mls/treemath.js";
import { createUpdatePath, firstCommonAncestor } from "ts-mls/updatePath.js";
import {
  decryptGroupInfo,
  decryptGroupSecrets,
  type Welcome,
} from "ts-mls/welcome.js";
import { equal } from "../../../core/bytes/mod.ts";
import type { CryptoProvider } from "../../../core/crypto/mod.ts";
import { FabricError } from "../../error.ts";
import { externalKeyOf } from "./external_pub.ts";
import { agentOf } from "./leaf_credential.ts";
import { commitSecretOf } from "./make_commit.ts";
import { membersOf } from "./mls_state.ts";
import { validateTree } from "./validate_tree.ts";

const PUBLIC = "mls_public_message";

/** Who joins, and by what. */
export interface Joiner {
  readonly crypto: CryptoProvider;
  readonly suite: CiphersuiteImpl;
  readonly config: ClientConfig;
  readonly keyPackage: KeyPackage;
  readonly keys: PrivateKeyPackage;
}

/** The state after a Welcome (RFC 9420 §12.4.3.1). */
export async function joinByWelcome(
  joiner: Joiner,
  welcome: Welcome,
): Promise<ClientState> {
  const { suite, keyPackage, keys } = joiner;
  const { hash, hpke, kdf } = suite;
  const ref = await makeKeyPackageRef(keyPackage, hash);
  if (!welcome.secrets.some(({ newMember }) => equal(newMember, ref))) {
    throw new FabricError(
      "group_key_package",
      "The Welcome is not for this key package",
    );
  }
  const initKey = await hpke.importPrivateKey(keys.initPrivateKey);
  const secrets = await decryptGroupSecrets(initKey, ref, welcome, hpke);
  if (secrets === undefined) {
    throw new FabricError("malformed", "Want the secrets of a group");
  }
  if (secrets.psks.length > 0) {
    throw new FabricError("refused", "Pre-shared keys are not offered");
  }
  const { joinerSecret, pathSecret } = secrets;
  const noPsk = new Uint8Array(kdf.size);
  const info = await decryptGroupInfo(welcome, joinerSecret, noPsk, suite);
  if (info === undefined) {
    throw new FabricError("malformed", "Want a GroupInfo in the Welcome");
  }
  const tree = await verifiedTree(joiner, info);
  const leafIndex = findLeafIndex(tree, keyPackage.leafNode);
  if (
    leafIndex === undefined ||
    !await verifyGroupInfoConfirmationTag(info, joinerSecret, noPsk, suite)
  ) throw new FabricError("unauthenticated", "The Welcome is not of the group");
  const own = {
    leafIndex,
    privateKeys: { [leafToNodeIndex(leafIndex)]: keys.hpkePrivateKey },
  };
  const ancestor = firstCommonAncestor(
    tree,
    leafIndex,
    toLeafIndex(info.signer),
  );
  const privatePath = pathSecret === undefined ? own : mergePrivateKeyPaths(
    await toPrivateKeyPath(
      await pathToRoot(tree, ancestor, pathSecret, kdf),
      leafIndex,
      suite,
    ),
    own,
  );
  const { groupContext, confirmationTag } = info;
  const [keySchedule, encryptionSecret] = await deriveKeySchedule(
    joinerSecret,
    noPsk,
    groupContext,
    kdf,
  );
  return {
    groupContext,
    ratchetTree: tree,
    privatePath,
    signaturePrivateKey: keys.signaturePrivateKey,
    confirmationTag,
    unappliedProposals: {},
    keySchedule,
    secretTree: await createSecretTree(
      leafWidth(tree.length),
      encryptionSecret,
      kdf,
    ),
    historicalReceiverData: new Map(),
    groupActiveState: { kind: "active" },
    clientConfig: joiner.config,
  };
}

/** The state and the commit of who joins by itself (RFC 9420 §12.4.3.2), in place of its old leaf if it has one. */
export async function joinByCommit(
  joiner: Joiner,
  info: GroupInfo,
): Promise<{ readonly newState: ClientState; publicMessage: PublicMessage }> {
  const { suite, keyPackage, keys } = joiner;
  const { hash, hpke, kdf } = suite;
  const tree = await verifiedTree(joiner, info);
  const { enc, secret } = await exportSecret(externalKeyOf(info), suite);
  const agent = agentOf(keyPackage.leafNode.credential);
  const old = membersOf(tree).find(({ id }) => agent?.equals(id));
  const [withLeaf, node] = addLeafNode(
    old ? removeLeafNode(tree, toLeafIndex(old.leafIndex)) : tree,
    keyPackage.leafNode,
  );
  const leafIndex = nodeToLeafIndex(node);
  const [newTree, path, pathSecrets, leafKey] = await createUpdatePath(
    withLeaf,
    leafIndex,
    info.groupContext,
    keys.signaturePrivateKey,
    suite,
  );
  const proposals: ProposalOrRef[] = [{
    proposalOrRefType: "proposal",
    proposal: {
      proposalType: "external_init",
      externalInit: { kemOutput: enc },
    },
  }];
  if (old) {
    proposals.unshift({
      proposalOrRefType: "proposal",
      proposal: {
        proposalType: "remove",
        remove: { removed: old.leafIndex },
      },
    });
  }
  const { framedContent, signature } = await createContentCommitSignature(
    info.groupContext,
    PUBLIC,
    { proposals, path },
    { senderType: "new_member_commit" },
    new Uint8Array(),
    keys.signaturePrivateKey,
    suite.signature,
  );
  const groupContext = await nextEpochContext(
    info.groupContext,
    PUBLIC,
    framedContent,
    signature,
    await treeHashRoot(newTree, hash),
    info.confirmationTag,
    hash,
  );
  const { keySchedule, encryptionSecret } = await initializeEpoch(
    secret,
    await commitSecretOf(suite, newTree, pathSecrets),
    groupContext,
    new Uint8Array(kdf.size),
    kdf,
  );
  const confirmationTag = await createConfirmationTag(
    keySchedule.confirmationKey,
    groupContext.confirmedTranscriptHash,
    hash,
  );
  const publicMessage = await protectPublicMessage(
    keySchedule.membershipKey,
    groupContext,
    {
      wireformat: PUBLIC,
      content: framedContent,
      auth: { contentType: "commit", signature, confirmationTag },
    },
    suite,
  );
  const pathKeys = await toPrivateKeyPath(
    pathToPathSecrets(pathSecrets),
    leafIndex,
    suite,
  );
  const newState: ClientState = {
    groupContext,
    ratchetTree: newTree,
    privatePath: updateLeafKey(pathKeys, await hpke.exportPrivateKey(leafKey)),
    signaturePrivateKey: keys.signaturePrivateKey,
    confirmationTag,
    unappliedProposals: {},
    keySchedule,
    secretTree: await createSecretTree(
      leafWidth(newTree.length),
      encryptionSecret,
      kdf,
    ),
    historicalReceiverData: new Map(),
    groupActiveState: { kind: "active" },
    clientConfig: joiner.config,
  };
  return { newState, publicMessage };
}

/** The tree in a GroupInfo, if both are right and signed by a member. */
async function verifiedTree(
  { crypto, suite, keyPackage }: Joiner,
  info: GroupInfo,
): Promise<RatchetTree> {
  const tree = ratchetTreeFromExtension(info);
  const { groupContext } = info;
  if (
    tree === undefined || groupContext.cipherSuite !== suite.name ||
    keyPackage.cipherSuite !== suite.name
  ) throw new FabricError("refused", "Want the tree, and the same suite");
  await validateTree(crypto, suite, tree, groupContext);
  const signer = toLeafIndex(info.signer);
  const key = getSignaturePublicKeyFromLeafIndex(tree, signer);
  if (!await verifyGroupInfoSignature(info, key, suite.signature)) {
    throw new FabricError("unauthenticated", "No member signed the GroupInfo");
  }
  return tree;
}
