import { assert, assertEquals, assertRejects } from "@std/assert";
import { decodeCommit, encodeCommit } from "ts-mls/commit.js";
import { determineLength } from "ts-mls/codec/variableLength.js";
import { createContentCommitSignature } from "ts-mls/framedContent.js";
import type { GroupContext } from "ts-mls/groupContext.js";
import {
  type GroupInfo,
  verifyGroupInfoConfirmationTag,
  verifyGroupInfoSignature,
} from "ts-mls/groupInfo.js";
import { decodeGroupSecrets, encodeGroupSecrets } from "ts-mls/groupSecrets.js";
import { makeKeyPackageRef } from "ts-mls/keyPackage.js";
import { defaultKeyRetentionConfig } from "ts-mls/keyRetentionConfig.js";
import {
  decodeMlsMessage,
  encodeMlsMessage,
  type MLSMessage,
} from "ts-mls/message.js";
import {
  protect,
  protectApplicationData,
  protectProposal,
  unprotectPrivateMessage,
} from "ts-mls/messageProtection.js";
import {
  protectProposalPublic,
  protectPublicMessage,
  unprotectPublicMessage,
} from "ts-mls/messageProtectionPublic.js";
import { defaultPaddingConfig } from "ts-mls/paddingConfig.js";
import type { PrivateMessage } from "ts-mls/privateMessage.js";
import {
  decodeAdd,
  decodeExternalInit,
  decodeGroupContextExtensions,
  decodeProposal,
  decodePSK,
  decodeReinit,
  decodeRemove,
  decodeUpdate,
  encodeAdd,
  encodeExternalInit,
  encodeGroupContextExtensions,
  encodeProposal,
  encodePSK,
  encodeReinit,
  encodeRemove,
  encodeUpdate,
} from "ts-mls/proposal.js";
import type { PublicMessage } from "ts-mls/publicMessage.js";
import {
  decodeRatchetTree,
  encodeRatchetTree,
  type RatchetTree,
} from "ts-mls/ratchetTree.js";
import { createSecretTree } from "ts-mls/secretTree.js";
import { decryptGroupInfo, decryptGroupSecrets } from "ts-mls/welcome.js";
import { readKeyPackageMessage } from "../../../src/fabric/group/mls/group_messages.ts";
import { agentOf } from "../_agents.ts";
import { keyPackageOf } from "./_group.ts";
import { decoded, hex, suiteOf, vectorsOf } from "./_mls_vectors.ts";

Deno.test("MLS vectors, deserialization: the lengths of vectors", async () => {
  const vectors = await vectorsOf<
    { readonly vlbytes_header: string; readonly length: number }
  >("deserialization");
  assertEquals(vectors.length, 14);
  for (const { vlbytes_header, length } of vectors) {
    const header = hex(vlbytes_header);
    assertEquals(determineLength(header), {
      length,
      lengthFieldSize: header.length,
    });
  }
});

const message =
  (wireformat: MLSMessage["wireformat"]) => (bytes: Uint8Array) => {
    const read = decoded(decodeMlsMessage, bytes);
    assertEquals(read.wireformat, wireformat);
    return encodeMlsMessage(read);
  };
const publicMessage = (contentType: string) => (bytes: Uint8Array) => {
  const read = decoded(decodeMlsMessage, bytes);
  assert(read.wireformat === "mls_public_message");
  assertEquals(read.publicMessage.content.contentType, contentType);
  return encodeMlsMessage(read);
};
const ROUND_TRIP: Readonly<
  Record<string, (bytes: Uint8Array) => Uint8Array>
> = {
  mls_welcome: message("mls_welcome"),
  mls_group_info: message("mls_group_info"),
  mls_key_package: message("mls_key_package"),
  ratchet_tree: (bytes) => encodeRatchetTree(decoded(decodeRatchetTree, bytes)),
  group_secrets: (bytes) =>
    encodeGroupSecrets(decoded(decodeGroupSecrets, bytes)),
  add_proposal: (bytes) => encodeAdd(decoded(decodeAdd, bytes)),
  update_proposal: (bytes) => encodeUpdate(decoded(decodeUpdate, bytes)),
  remove_proposal: (bytes) => encodeRemove(decoded(decodeRemove, bytes)),
  pre_shared_key_proposal: (bytes) => encodePSK(decoded(decodePSK, bytes)),
  re_init_proposal: (bytes) => encodeReinit(decoded(decodeReinit, bytes)),
  external_init_proposal: (bytes) =>
    encodeExternalInit(decoded(decodeExternalInit, bytes)),
  group_context_extensions_proposal: (bytes) =>
    encodeGroupContextExtensions(decoded(decodeGroupContextExtensions, bytes)),
  commit: (bytes) => encodeCommit(decoded(decodeCommit, bytes)),
  public_message_application: publicMessage("application"),
  public_message_proposal: publicMessage("proposal"),
  public_message_commit: publicMessage("commit"),
  private_message: message("mls_private_message"),
};

Deno.test("MLS vectors, messages: every structure decodes, and encodes to the same bytes", async () => {
  const vectors = await vectorsOf<Readonly<Record<string, string>>>("messages");
  assertEquals(vectors.length, 300);
  for (const each of vectors) {
    assertEquals(Object.keys(each).sort(), Object.keys(ROUND_TRIP).sort());
    for (const [name, text] of Object.entries(each)) {
      const again = ROUND_TRIP[name]!(hex(text));
      if (again.toHex() !== text) throw new Error(`${name} changes`);
    }
  }
});

interface Protection {
  readonly cipher_suite: number;
  readonly group_id: string;
  readonly epoch: number;
  readonly tree_hash: string;
  readonly confirmed_transcript_hash: string;
  readonly signature_priv: string;
  readonly signature_pub: string;
  readonly encryption_secret: string;
  readonly sender_data_secret: string;
  readonly membership_key: string;
  readonly proposal: string;
  readonly proposal_pub: string;
  readonly proposal_priv: string;
  readonly commit: string;
  readonly commit_pub: string;
  readonly commit_priv: string;
  readonly application: string;
  readonly application_priv: string;
}

Deno.test("MLS vectors, message-protection: proposals, commits and application data, theirs and ours", async () => {
  const vectors = await vectorsOf<Protection>("message_protection");
  assertEquals(vectors.length, 2);
  for (const each of vectors) {
    const suite = suiteOf(each.cipher_suite);
    const context: GroupContext = {
      version: "mls10",
      cipherSuite: suite.name,
      groupId: hex(each.group_id),
      epoch: BigInt(each.epoch),
      treeHash: hex(each.tree_hash),
      confirmedTranscriptHash: hex(each.confirmed_transcript_hash),
      extensions: [],
    };
    const sender = 1;
    const tree = await treeOfTwo();
    const signKey = hex(each.signature_priv);
    const verifyKey = hex(each.signature_pub);
    const membershipKey = hex(each.membership_key);
    const senderDataSecret = hex(each.sender_data_secret);
    const none = new Uint8Array();
    const secretTree = () =>
      createSecretTree(2, hex(each.encryption_secret), suite.kdf);
    const openPublic = async (publicMessage: PublicMessage) =>
      (await unprotectPublicMessage(
        membershipKey,
        context,
        tree,
        publicMessage,
        suite,
        verifyKey,
      )).content;
    const openPrivate = async (privateMessage: PrivateMessage) =>
      (await unprotectPrivateMessage(
        senderDataSecret,
        privateMessage,
        await secretTree(),
        tree,
        context,
        defaultKeyRetentionConfig,
        suite,
        verifyKey,
      )).content.content;
    const isProposal = (content: Awaited<ReturnType<typeof openPrivate>>) => {
      assert(content.contentType === "proposal");
      assertEquals(encodeProposal(content.proposal), hex(each.proposal));
    };
    const isCommit = (content: Awaited<ReturnType<typeof openPrivate>>) => {
      assert(content.contentType === "commit");
      assertEquals(encodeCommit(content.commit), hex(each.commit));
    };
    const isApplication = (
      content: Awaited<ReturnType<typeof openPrivate>>,
    ) => {
      assert(content.contentType === "application");
      assertEquals(content.applicationData, hex(each.application));
    };

    isProposal(await openPublic(publicOf(each.proposal_pub)));
    isProposal(await openPrivate(privateOf(each.proposal_priv)));
    const proposal = decoded(decodeProposal, hex(each.proposal));
    const publicProposal = await protectProposalPublic(
      signKey,
      membershipKey,
      context,
      none,
      proposal,
      sender,
      suite,
    );
    isProposal(await openPublic(publicProposal.publicMessage));
    const privateProposal = await protectProposal(
      signKey,
      senderDataSecret,
      proposal,
      none,
      context,
      await secretTree(),
      sender,
      defaultPaddingConfig,
      suite,
    );
    isProposal(await openPrivate(privateProposal.privateMessage));

    isCommit(await openPublic(publicOf(each.commit_pub)));
    isCommit(await openPrivate(privateOf(each.commit_priv)));
    const commit = decoded(decodeCommit, hex(each.commit));
    const confirmationTag = new Uint8Array(32).fill(9);
    for (
      const wireformat of [
        "mls_public_message",
        "mls_private_message",
      ] as const
    ) {
      const { framedContent: content, signature } =
        await createContentCommitSignature(
          context,
          wireformat,
          commit,
          { senderType: "member", leafIndex: sender },
          none,
          signKey,
          suite.signature,
        );
      const auth = {
        contentType: "commit",
        signature,
        confirmationTag,
      } as const;
      if (wireformat === "mls_public_message") {
        const made = await protectPublicMessage(
          membershipKey,
          context,
          { wireformat, content, auth },
          suite,
        );
        isCommit(await openPublic(made));
        continue;
      }
      const made = await protect(
        senderDataSecret,
        none,
        context,
        await secretTree(),
        { ...content, auth },
        sender,
        defaultPaddingConfig,
        suite,
      );
      isCommit(await openPrivate(made.privateMessage));
    }

    isApplication(await openPrivate(privateOf(each.application_priv)));
    const made = await protectApplicationData(
      signKey,
      senderDataSecret,
      hex(each.application),
      none,
      context,
      await secretTree(),
      sender,
      defaultPaddingConfig,
      suite,
    );
    isApplication(await openPrivate(made.privateMessage));
    await assertRejects(() =>
      protectPublicMessage(membershipKey, context, {
        wireformat: "mls_public_message",
        content: {
          contentType: "application",
          applicationData: hex(each.application),
          groupId: context.groupId,
          epoch: context.epoch,
          sender: { senderType: "member", leafIndex: sender },
          authenticatedData: none,
        },
        auth: { contentType: "application", signature: none },
      }, suite)
    );
  }
});

function publicOf(text: string): PublicMessage {
  const read = decoded(decodeMlsMessage, hex(text));
  assert(read.wireformat === "mls_public_message");
  return read.publicMessage;
}

function privateOf(text: string): PrivateMessage {
  const read = decoded(decodeMlsMessage, hex(text));
  assert(read.wireformat === "mls_private_message");
  return read.privateMessage;
}

/** A tree of two leaves; their signature keys are not those of the vector. */
async function treeOfTwo(): Promise<RatchetTree> {
  const leaves = await Promise.all(
    ["ann@node-1", "ben@node-1"].map(async (name) => {
      const { keyPackage } = await keyPackageOf(agentOf(name));
      return readKeyPackageMessage(keyPackage).leafNode;
    }),
  );
  const [first, second] = leaves.map((leaf) =>
    ({ nodeType: "leaf", leaf }) as const
  );
  return [first, undefined, second];
}

interface WelcomeVector {
  readonly cipher_suite: number;
  readonly init_priv: string;
  readonly signer_pub: string;
  readonly key_package: string;
  readonly welcome: string;
}

Deno.test("MLS vectors, welcome: it decrypts, and signature and confirmation tag verify", async () => {
  const vectors = await vectorsOf<WelcomeVector>("welcome");
  assertEquals(vectors.length, 2);
  for (const each of vectors) {
    const suite = suiteOf(each.cipher_suite);
    const read = decoded(decodeMlsMessage, hex(each.welcome));
    assert(read.wireformat === "mls_welcome");
    const { welcome } = read;
    const keyPackage = readKeyPackageMessage(hex(each.key_package));
    const ref = await makeKeyPackageRef(keyPackage, suite.hash);
    const key = await suite.hpke.importPrivateKey(hex(each.init_priv));
    const secrets = await decryptGroupSecrets(key, ref, welcome, suite.hpke);
    assert(secrets !== undefined);
    const noPsk = new Uint8Array(suite.kdf.size);
    const info: GroupInfo | undefined = await decryptGroupInfo(
      welcome,
      secrets.joinerSecret,
      noPsk,
      suite,
    );
    assert(info !== undefined);
    const signer = hex(each.signer_pub);
    assert(await verifyGroupInfoSignature(info, signer, suite.signature));
    assert(
      await verifyGroupInfoConfirmationTag(
        info,
        secrets.joinerSecret,
        noPsk,
        suite,
      ),
    );
  }
});
