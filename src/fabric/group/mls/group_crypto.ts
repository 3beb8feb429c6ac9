import type { Bytes } from "../../../core/bytes/mod.ts";
import type { Secret } from "../../../core/crypto/mod.ts";
import type { Agent } from "../../identity/agent.ts";
import type { AgentId } from "../../identity/agent_id.ts";

/** Most bytes of a message of a group that is read: a Welcome holds the whole tree. */
export const MAX_GROUP_MESSAGE_BYTES = 2 ** 20;

/** Most members of a group. */
export const MAX_GROUP_MEMBERS = 1024;

/** A member of a group. */
export interface GroupMember {
  /** Who it is. */
  readonly id: AgentId;
  /** Its place in the tree, which a later member may take over. */
  readonly leafIndex: number;
}

/** A proposal that waits for a commit. */
export interface PendingProposal {
  /** Who made it. */
  readonly sender: AgentId;
  /** What it wants. */
  readonly kind: "add" | "remove" | "settings";
  /** Whom it would add or remove. */
  readonly agent?: AgentId;
}

/**
 * What one member knows of a group in one epoch: a value that never changes, so that an old one can be kept and gone back
 * to. Each use of a sending or receiving key gives a new one, which must take the place of the old one before the next.
 */
export interface GroupState {
  /** The group. */
  readonly groupId: Bytes;
  /** How many commits made it. */
  readonly epoch: bigint;
  /** The same for all that are in the same epoch of the same history (RFC 9420 §8.7). */
  readonly epochAuthenticator: Bytes;
  /** The members, by leaf index. */
  readonly members: readonly GroupMember[];
  /** This member. */
  readonly self: GroupMember;
  /** Whether this member still belongs to the group; if not, nothing can be done with the state. */
  readonly isMember: boolean;
  /** The group's settings, opaque to this layer: all members have the same. */
  readonly settings: Bytes;
  /** Proposals that the next commit carries out. */
  readonly pending: readonly PendingProposal[];
  /** The state with its secrets, for {@link GroupCrypto.decodeState}. Store it as a secret. */
  encode(): Bytes;
}

/** What a commit does besides renewing the committer's keys, which each does. */
export interface CommitChanges {
  /** Key packages of agents to add. */
  readonly add?: readonly Uint8Array[];
  /** Members to remove. */
  readonly remove?: readonly AgentId[];
  /** New settings of the group. */
  readonly settings?: Uint8Array;
  /** What is authenticated with the commit and travels in clear; at most 4,096 bytes. */
  readonly data?: Uint8Array;
}

/** A proposal: one of these. */
export type ProposedChange =
  | { readonly add: Uint8Array }
  | { readonly remove: AgentId }
  | { readonly settings: Uint8Array };

/** A commit that was made here. */
export interface MadeCommit {
  /** The next epoch, if the others take the commit. */
  readonly state: GroupState;
  /** The commit, for the members of the old epoch. */
  readonly commit: Bytes;
  /** For all that it adds; holds the tree. */
  readonly welcome?: Bytes;
}

/** What a message did. */
export type Processed =
  | {
    readonly kind: "commit";
    /** The next epoch; {@link GroupState.isMember} is false if it removed this member. */
    readonly state: GroupState;
    readonly committer: AgentId;
    /** Whether the committer joined, or came back, by it (an external commit). */
    readonly isExternal: boolean;
    readonly added: readonly AgentId[];
    readonly removed: readonly AgentId[];
    /** What was authenticated with it. */
    readonly data: Bytes;
  }
  | {
    readonly kind: "proposal";
    readonly state: GroupState;
    readonly sender: AgentId;
  }
  | {
    readonly kind: "application";
    readonly state: GroupState;
    readonly sender: AgentId;
    readonly data: Bytes;
  };

/** What can be seen of a message without keys; nothing of it is authenticated. */
export type GroupMessageHeader =
  | {
    readonly kind: "commit" | "proposal" | "application" | "group_info";
    readonly groupId: Bytes;
    readonly epoch: bigint;
  }
  | { readonly kind: "welcome" | "key_package" };

/** What a verified key package says. */
export interface KeyPackageContent {
  /** Whose it is: the agent has signed its signature key. */
  readonly id: AgentId;
  /** Wall time until which it may be used to add the agent, in ms; `Infinity` if it has no end. */
  readonly notAfterMs: number;
}

/** A key package and what its owner keeps. */
export interface MadeKeyPackage {
  /** For those who add the agent; for one use. */
  readonly keyPackage: Bytes;
  /** For {@link GroupCrypto.join}; dispose it when it was used. */
  readonly secret: Secret;
}

/**
 * Keys of groups: the messages of RFC 9420 in and out, as bytes, and who sent them.
 *
 * Every leaf is of an agent: its basic credential holds the agent's id and the agent's signature over the leaf's signature key,
 * which is verified for each leaf that a commit, a Welcome or a GroupInfo brings. An agent has one leaf in a group.
 *
 * Whatever a message does wrong, the given state stays as it is, and the error is a {@link FabricError}: `too_large`,
 * `malformed` (does not decode), `unauthenticated` (a signature, tag or binding does not verify), `group_epoch` (for another
 * epoch or group than the state's), `group_key_package`, `group_member` (not a member any more), `full`, or `refused` (against
 * the rules of RFC 9420, or what is not offered here: pre-shared keys, re-initialization, external senders).
 */
export interface GroupCrypto {
  /**
   * A new leaf for `agent`.
   *
   * @param options.notAfterMs - Wall time until which it can be used to be added, checked by the system's clock of who adds it;
   * no end by default.
   */
  createKeyPackage(
    agent: Agent,
    options?: { readonly notAfterMs?: number },
  ): Promise<MadeKeyPackage>;

  /** Whose a key package is, if all its signatures verify. */
  readKeyPackage(keyPackage: Uint8Array): Promise<KeyPackageContent>;

  /** What a message is, without keys. */
  describe(message: Uint8Array): GroupMessageHeader;

  /**
   * A new group with one member.
   *
   * @throws {RangeError} If the group id has not 1 to 255 bytes, or the settings more than 65,536.
   */
  createGroup(
    groupId: Uint8Array,
    made: MadeKeyPackage,
    settings?: Uint8Array,
  ): Promise<GroupState>;

  /** Joins by a Welcome that was made with the key package; `group_key_package` if it was not. */
  join(welcome: Uint8Array, made: MadeKeyPackage): Promise<GroupState>;

  /**
   * Joins by a commit of one's own after a GroupInfo, which should come from somebody trusted and be current; if the agent has a
   * leaf already, the commit takes it away.
   */
  joinExternal(
    groupInfo: Uint8Array,
    made: MadeKeyPackage,
  ): Promise<MadeCommit>;

  /** Makes a commit of the pending proposals and `changes`. */
  commit(state: GroupState, changes?: CommitChanges): Promise<MadeCommit>;

  /** Proposes a change that the next commit of another member carries out. */
  propose(
    state: GroupState,
    change: ProposedChange,
  ): Promise<{ readonly state: GroupState; readonly message: Bytes }>;

  /** Takes a commit, a proposal or an application message of another member. One's own do not decrypt. */
  process(state: GroupState, message: Uint8Array): Promise<Processed>;

  /** Encrypts `data` for the members; `refused` while proposals are pending (RFC 9420 §12.4). */
  encrypt(
    state: GroupState,
    data: Uint8Array,
  ): Promise<{ readonly state: GroupState; readonly message: Bytes }>;

  /** A secret of `length` bytes for another use, the same for all members of the epoch (RFC 9420 §8.5). */
  export(
    state: GroupState,
    label: string,
    context: Uint8Array,
    length: number,
  ): Promise<Bytes>;

  /** What an agent needs to join by itself: with the tree, signed by this member. */
  groupInfo(state: GroupState): Promise<Bytes>;

  /** The state that {@link GroupState.encode} gave; `malformed` if it is not one. */
  decodeState(bytes: Uint8Array): GroupState;
}
