import {
  type ClientState,
  encodeGroupState,
  type GroupState as MlsGroupState,
} from "ts-mls/clientState.js";
import type { Extension } from "ts-mls/extension.js";
import type { Proposal } from "ts-mls/proposal.js";
import type { RatchetTree } from "ts-mls/ratchetTree.js";
import { type Bytes, concat } from "../../../core/bytes/mod.ts";
import { FabricError } from "../../error.ts";
import type { AgentId } from "../../identity/agent_id.ts";
import type {
  GroupMember,
  GroupState,
  PendingProposal,
} from "./group_crypto.ts";
import { agentOf } from "./leaf_credential.ts";

/** The group context extension that holds a group's settings: of the range for private use (RFC 9420 §17.3). */
export const SETTINGS_EXTENSION = 0xf0b7;

/** The first byte of an encoded state. */
export const STATE_VERSION = 1;

const EMPTY = new Uint8Array();

/** A state of the library, as a value of ours. */
export class MlsState implements GroupState {
  readonly groupId: Bytes;
  readonly epoch: bigint;
  readonly epochAuthenticator: Bytes;
  readonly isMember: boolean;
  /** What the library works on. */
  readonly inner: ClientState;
  #members: readonly GroupMember[] | undefined;

  constructor(inner: ClientState) {
    // who wants the keys of an epoch before keeps the state of that epoch
    this.inner = { ...inner, historicalReceiverData: new Map() };
    this.groupId = inner.groupContext.groupId.slice();
    this.epoch = inner.groupContext.epoch;
    this.epochAuthenticator = inner.keySchedule.epochAuthenticator.slice();
    this.isMember = inner.groupActiveState.kind === "active";
  }

  get members(): readonly GroupMember[] {
    return this.#members ??= membersOf(this.inner.ratchetTree);
  }

  get self(): GroupMember {
    const { leafIndex } = this.inner.privatePath;
    const found = this.members.find((member) => member.leafIndex === leafIndex);
    if (found !== undefined) return found;
    throw new FabricError("group_member", "Not a member of the group any more");
  }

  get settings(): Bytes {
    return settingsOf(this.inner.groupContext.extensions);
  }

  get pending(): readonly PendingProposal[] {
    return Object.values(this.inner.unappliedProposals).map(
      ({ proposal, senderLeafIndex }) => ({
        sender: this.idAt(senderLeafIndex ?? -1),
        ...this.#describe(proposal),
      }),
    );
  }

  /** The member at a leaf. */
  idAt(leafIndex: number): AgentId {
    const found = this.members.find((member) => member.leafIndex === leafIndex);
    if (found !== undefined) return found.id;
    throw new FabricError("refused", "Nobody is at that leaf of the tree");
  }

  encode(): Bytes {
    const state: MlsGroupState = this.inner;
    return concat(Uint8Array.of(STATE_VERSION), encodeGroupState(state));
  }

  #describe(proposal: Proposal): Omit<PendingProposal, "sender"> {
    if (proposal.proposalType === "remove") {
      const { removed } = proposal.remove;
      return { kind: "remove", agent: this.idAt(removed) };
    }
    if (proposal.proposalType !== "add") return { kind: "settings" };
    const agent = agentOf(proposal.add.keyPackage.leafNode.credential);
    return { kind: "add", ...(agent && { agent }) };
  }
}

/** The state behind the port's type. */
export function innerOf(state: GroupState): MlsState {
  if (!(state instanceof MlsState)) {
    throw new TypeError("Want a state of this GroupCrypto");
  }
  if (!state.isMember) {
    throw new FabricError("group_member", "Not a member of the group any more");
  }
  return state;
}

/** The members that a tree has, by leaf index. */
export function membersOf(tree: RatchetTree): readonly GroupMember[] {
  const members: GroupMember[] = [];
  for (const [index, node] of tree.entries()) {
    if (node?.nodeType !== "leaf") continue;
    const id = agentOf(node.leaf.credential);
    if (id === undefined) {
      throw new FabricError("unauthenticated", "A leaf has no agent");
    }
    members.push({ id, leafIndex: index / 2 });
  }
  return members;
}

/** The settings in a group's extensions. */
function settingsOf(extensions: readonly Extension[]): Bytes {
  const found = extensions.find(({ extensionType }) =>
    extensionType === SETTINGS_EXTENSION
  );
  return (found?.extensionData ?? EMPTY).slice();
}
