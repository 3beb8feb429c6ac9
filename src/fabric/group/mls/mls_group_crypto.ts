import type { ClientConfig } from "ts-mls/clientConfig.js";
import {
  type ClientState,
  createGroup,
  decodeGroupState,
} from "ts-mls/clientState.js";
import { createGroupInfoWithRatchetTree } from "ts-mls/createCommit.js";
import {
  createApplicationMessage,
  createProposal,
} from "ts-mls/createMessage.js";
import type { CiphersuiteImpl } from "ts-mls/crypto/ciphersuite.js";
import type { Extension } from "ts-mls/extension.js";
import {
  generateKeyPackageWithKey,
  type KeyPackage,
  type PrivateKeyPackage,
  verifyKeyPackage,
} from "ts-mls/keyPackage.js";
import { mlsExporter } from "ts-mls/keySchedule.js";
import {
  type LeafNode,
  verifyLeafNodeSignatureKeyPackage,
} from "ts-mls/leafNode.js";
import { defaultLifetimeConfig } from "ts-mls/lifetimeConfig.js";
import { defaultPaddingConfig } from "ts-mls/paddingConfig.js";
import type { Proposal } from "ts-mls/proposal.js";
import { encodeRequiredCapabilities } from "ts-mls/requiredCapabilities.js";
import { type Bytes, concat, equal } from "../../../core/bytes/mod.ts";
import { type CryptoProvider, Secret } from "../../../core/crypto/mod.ts";
import { FabricError } from "../../error.ts";
import type { Agent } from "../../identity/agent.ts";
import { checkTree } from "./check_tree.ts";
import { externalPub } from "./external_pub.ts";
import { cipherSuite, type GroupCipherSuite } from "./cipher_suite.ts";
import type {
  CommitChanges,
  GroupCrypto,
  GroupMessageHeader,
  GroupState,
  KeyPackageContent,
  MadeCommit,
  MadeKeyPackage,
  Processed,
  ProposedChange,
} from "./group_crypto.ts";
import {
  headerOf,
  readFramed,
  readGroupInfo,
  readKeyPackageMessage,
  readWelcome,
  writeMessage,
} from "./group_messages.ts";
import { agentOf, isBound, leafCredential } from "./leaf_credential.ts";
import { asFabricError, typed } from "./mls_error.ts";
import { joinByCommit, joinByWelcome, type Joiner } from "./join_group.ts";
import { makeCommit } from "./make_commit.ts";
import {
  innerOf,
  MlsState,
  SETTINGS_EXTENSION,
  STATE_VERSION,
} from "./mls_state.ts";
import { processFramed } from "./process_message.ts";

const KEY_BYTES = 32;
const MAX_GROUP_ID_BYTES = 255;
const MAX_SETTINGS_BYTES = 65_536;
const MAX_COMMIT_DATA_BYTES = 4096;
const NO_END = 2n ** 64n - 1n;
const EMPTY = new Uint8Array();

/** {@link GroupCrypto} by the package ts-mls, over the primitives of a {@link CryptoProvider}. */
export class MlsGroupCrypto implements GroupCrypto {
  readonly #suite: CiphersuiteImpl;
  readonly #config: ClientConfig;
  readonly #crypto: CryptoProvider;

  /**
   * Works with one cipher suite.
   *
   * @param suite - The number of the cipher suite (RFC 9420 §17.1) that all members of a group must use; 1 by default.
   */
  constructor(crypto: CryptoProvider, suite: GroupCipherSuite = 1) {
    this.#crypto = crypto;
    this.#suite = cipherSuite(crypto, suite);
    this.#config = clientConfig(crypto);
  }

  async createKeyPackage(
    agent: Agent,
    options: { readonly notAfterMs?: number } = {},
  ): Promise<MadeKeyPackage> {
    const { notAfterMs } = options;
    const keys = await this.#suite.signature.keygen();
    const { publicPackage, privatePackage } = await generateKeyPackageWithKey(
      leafCredential(agent, keys.publicKey),
      {
        versions: ["mls10"],
        ciphersuites: [this.#suite.name],
        extensions: [SETTINGS_EXTENSION],
        proposals: [],
        credentials: ["basic"],
      },
      {
        notBefore: 0n,
        notAfter: notAfterMs === undefined
          ? NO_END
          : BigInt(Math.floor(notAfterMs / 1000)),
      },
      [],
      keys,
      this.#suite,
    );
    const secret = concat(
      privatePackage.initPrivateKey,
      privatePackage.hpkePrivateKey,
      privatePackage.signaturePrivateKey,
    );
    return {
      keyPackage: writeMessage({
        wireformat: "mls_key_package",
        keyPackage: publicPackage,
      }),
      secret: new Secret(secret),
    };
  }

  readKeyPackage(bytes: Uint8Array): Promise<KeyPackageContent> {
    return typed("A key package", async () => {
      const keyPackage = readKeyPackageMessage(bytes);
      const { leafNode } = keyPackage;
      const { signature } = this.#suite;
      const id = agentOf(leafNode.credential);
      if (
        id === undefined || keyPackage.cipherSuite !== this.#suite.name ||
        !isBound(
          this.#crypto,
          leafNode.credential,
          leafNode.signaturePublicKey,
        ) ||
        !await verifyLeafNodeSignatureKeyPackage(leafNode, signature) ||
        !await verifyKeyPackage(keyPackage, signature)
      ) {
        throw new FabricError(
          "unauthenticated",
          "Not a key package of an agent",
        );
      }
      const { notAfter } = leafNode.lifetime;
      const end = Number(notAfter) * 1000;
      return { id, notAfterMs: Number.isSafeInteger(end) ? end : Infinity };
    });
  }

  describe(message: Uint8Array): GroupMessageHeader {
    return headerOf(message);
  }

  async createGroup(
    groupId: Uint8Array,
    made: MadeKeyPackage,
    settings: Uint8Array = EMPTY,
  ): Promise<GroupState> {
    if (groupId.length < 1 || groupId.length > MAX_GROUP_ID_BYTES) {
      throw new RangeError(
        `A group id has 1 to ${MAX_GROUP_ID_BYTES} bytes: got ${groupId.length}`,
      );
    }
    const extension = settingsExtension(settings);
    return await typed("A key package", async () =>
      new MlsState(
        await createGroup(
          groupId.slice(),
          readKeyPackageMessage(made.keyPackage),
          privateKeys(made.secret),
          [requiredCapabilities(), extension],
          this.#suite,
          this.#config,
        ),
      ));
  }

  join(bytes: Uint8Array, made: MadeKeyPackage): Promise<GroupState> {
    return typed("A Welcome", async () => {
      const welcome = readWelcome(bytes);
      return new MlsState(await joinByWelcome(this.#joiner(made), welcome));
    });
  }

  joinExternal(bytes: Uint8Array, made: MadeKeyPackage): Promise<MadeCommit> {
    return typed("A GroupInfo", async () => {
      const { newState, publicMessage } = await joinByCommit(
        this.#joiner(made),
        readGroupInfo(bytes),
      );
      return {
        state: this.#checked(newState),
        commit: writeMessage({
          wireformat: "mls_public_message",
          publicMessage,
        }),
      };
    });
  }

  async commit(
    state: GroupState,
    changes: CommitChanges = {},
  ): Promise<MadeCommit> {
    const { data = EMPTY, settings } = changes;
    if (data.length > MAX_COMMIT_DATA_BYTES) {
      throw new RangeError(
        `The data of a commit have at most ${MAX_COMMIT_DATA_BYTES} bytes: got ${data.length}`,
      );
    }
    if (settings !== undefined) settingsExtension(settings);
    return await typed("The commit", async () => {
      const old = innerOf(state);
      const proposals = [
        ...(changes.remove ?? []).map((remove) => ({ remove })),
        ...(changes.add ?? []).map((add) => ({ add })),
        ...(settings === undefined ? [] : [{ settings }]),
      ];
      const { newState, privateMessage, welcome } = await makeCommit(
        this.#suite,
        old.inner,
        proposals.map((change) => proposalOf(old, change)),
        data.slice(),
      );
      return {
        state: this.#checked(newState),
        commit: writeMessage({
          wireformat: "mls_private_message",
          privateMessage,
        }),
        ...(welcome && {
          welcome: writeMessage({ wireformat: "mls_welcome", welcome }),
        }),
      };
    });
  }

  async propose(
    state: GroupState,
    change: ProposedChange,
  ): Promise<{ readonly state: GroupState; readonly message: Bytes }> {
    if ("settings" in change) settingsExtension(change.settings);
    return await typed("The proposal", async () => {
      const old = innerOf(state);
      const { newState, message } = await createProposal(
        old.inner,
        false,
        proposalOf(old, change),
        this.#suite,
      );
      return { state: new MlsState(newState), message: writeMessage(message) };
    });
  }

  process(state: GroupState, bytes: Uint8Array): Promise<Processed> {
    return typed("A group's message", async () => {
      const old = innerOf(state);
      const framed = readFramed(bytes);
      if (framed.epoch !== old.epoch || !equal(framed.groupId, old.groupId)) {
        throw new FabricError("group_epoch", "For another group or epoch");
      }
      return await processFramed(this.#crypto, this.#suite, old, framed);
    });
  }

  encrypt(
    state: GroupState,
    data: Uint8Array,
  ): Promise<{ readonly state: GroupState; readonly message: Bytes }> {
    return typed("The message", async () => {
      const { newState, privateMessage } = await createApplicationMessage(
        innerOf(state).inner,
        data,
        this.#suite,
      );
      return {
        state: new MlsState(newState),
        message: writeMessage({
          wireformat: "mls_private_message",
          privateMessage,
        }),
      };
    });
  }

  async export(
    state: GroupState,
    label: string,
    context: Uint8Array,
    length: number,
  ): Promise<Bytes> {
    const { exporterSecret } = innerOf(state).inner.keySchedule;
    const secret = await mlsExporter(
      exporterSecret,
      label,
      context,
      length,
      this.#suite,
    );
    return secret.slice();
  }

  async groupInfo(state: GroupState): Promise<Bytes> {
    const { inner } = innerOf(state);
    const { groupContext, confirmationTag, keySchedule, ratchetTree } = inner;
    const groupInfo = await createGroupInfoWithRatchetTree(
      groupContext,
      confirmationTag,
      inner,
      ratchetTree,
      [await externalPub(this.#suite, keySchedule.externalSecret)],
      this.#suite,
    );
    return writeMessage({ wireformat: "mls_group_info", groupInfo });
  }

  decodeState(bytes: Uint8Array): GroupState {
    try {
      const read = bytes[0] === STATE_VERSION
        ? decodeGroupState(bytes.slice(), 1)
        : undefined;
      if (
        read === undefined || read[1] !== bytes.length - 1 ||
        read[0].groupContext.cipherSuite !== this.#suite.name
      ) throw new FabricError("malformed", "Want the state of a group");
      return new MlsState({ ...read[0], clientConfig: this.#config });
    } catch (cause) {
      throw asFabricError("The state of a group", cause);
    }
  }

  #joiner({ keyPackage, secret }: MadeKeyPackage): Joiner {
    return {
      crypto: this.#crypto,
      suite: this.#suite,
      config: this.#config,
      keyPackage: readKeyPackageMessage(keyPackage),
      keys: privateKeys(secret),
    };
  }

  #checked(inner: ClientState): MlsState {
    checkTree(inner.ratchetTree);
    return new MlsState(inner);
  }
}

function clientConfig(crypto: CryptoProvider): ClientConfig {
  const isSame = (a: KeyPackage, leaf: LeafNode) => {
    const id = agentOf(a.leafNode.credential);
    const other = agentOf(leaf.credential);
    return id !== undefined && other !== undefined && id.equals(other);
  };
  return {
    keyRetentionConfig: {
      retainKeysForGenerations: 64,
      retainKeysForEpochs: 1,
      maximumForwardRatchetSteps: 1024,
    },
    lifetimeConfig: defaultLifetimeConfig,
    paddingConfig: defaultPaddingConfig,
    keyPackageEqualityConfig: {
      compareKeyPackages: (a, b) => isSame(a, b.leafNode),
      compareKeyPackageToLeafNode: isSame,
    },
    authService: {
      validateCredential: (credential, signatureKey) =>
        Promise.resolve(isBound(crypto, credential, signatureKey)),
    },
  };
}

function privateKeys(secret: Secret): PrivateKeyPackage {
  const bytes = secret.expose();
  const key = (i: number) => bytes.slice(i * KEY_BYTES, (i + 1) * KEY_BYTES);
  return {
    initPrivateKey: key(0),
    hpkePrivateKey: key(1),
    signaturePrivateKey: key(2),
  };
}

/** So that nobody is added who would not know the settings (RFC 9420 §11.1). */
function requiredCapabilities(): Extension {
  return {
    extensionType: "required_capabilities",
    extensionData: encodeRequiredCapabilities({
      extensionTypes: [SETTINGS_EXTENSION],
      proposalTypes: [],
      credentialTypes: [],
    }),
  };
}

function settingsExtension(settings: Uint8Array): Extension {
  if (settings.length > MAX_SETTINGS_BYTES) {
    throw new RangeError(
      `The settings of a group have at most ${MAX_SETTINGS_BYTES} bytes: got ${settings.length}`,
    );
  }
  return {
    extensionType: SETTINGS_EXTENSION,
    extensionData: settings.slice(),
  };
}

function proposalOf(state: MlsState, change: ProposedChange): Proposal {
  if ("add" in change) {
    const keyPackage = readKeyPackageMessage(change.add);
    return { proposalType: "add", add: { keyPackage } };
  }
  if ("remove" in change) {
    const member = state.members.find(({ id }) => id.equals(change.remove));
    if (member === undefined) {
      throw new FabricError("unknown_agent", "Not a member of the group");
    }
    return { proposalType: "remove", remove: { removed: member.leafIndex } };
  }
  const others = state.inner.groupContext.extensions.filter((extension) =>
    extension.extensionType !== SETTINGS_EXTENSION
  );
  const extensions = [...others, settingsExtension(change.settings)];
  return {
    proposalType: "group_context_extensions",
    groupContextExtensions: { extensions },
  };
}
