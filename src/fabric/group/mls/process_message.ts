import type { CiphersuiteImpl } from "ts-mls/crypto/ciphersuite.js";
import type { IncomingMessageCallback } from "ts-mls/incomingMessageAction.js";
import {
  decryptSenderData,
  type PrivateMessage,
} from "ts-mls/privateMessage.js";
import {
  processPrivateMessage,
  processPublicMessage,
} from "ts-mls/processMessages.js";
import type { Proposal } from "ts-mls/proposal.js";
import { emptyPskIndex } from "ts-mls/pskIndex.js";
import type { PublicMessage } from "ts-mls/publicMessage.js";
import type { CryptoProvider } from "../../../core/crypto/mod.ts";
import { FabricError } from "../../error.ts";
import type { AgentId } from "../../identity/agent_id.ts";
import { checkLeaves, checkTree } from "./check_tree.ts";
import type { Processed } from "./group_crypto.ts";
import type { FramedMessage } from "./group_messages.ts";
import { agentOf, isBound } from "./leaf_credential.ts";
import { MlsState } from "./mls_state.ts";

const OFFERED: ReadonlySet<unknown> = new Set<Proposal["proposalType"]>([
  "add",
  "remove",
  "update",
  "group_context_extensions",
  "external_init",
]);

/** Takes `framed`, which is for the group and epoch of `state`. */
export async function processFramed(
  crypto: CryptoProvider,
  suite: CiphersuiteImpl,
  state: MlsState,
  framed: FramedMessage,
): Promise<Processed> {
  if (framed.isPublic) {
    const { message } = framed;
    const review = new Review(state, joinerOf(crypto, message));
    const { newState } = await processPublicMessage(
      state.inner,
      message,
      emptyPskIndex,
      suite,
      review.callback,
    );
    const next = new MlsState(newState);
    return review.report(next, message.content.authenticatedData);
  }
  const { message } = framed;
  const review = new Review(state);
  const result = await processPrivateMessage(
    state.inner,
    message,
    emptyPskIndex,
    suite,
    review.callback,
  );
  const next = new MlsState(result.newState);
  if (result.kind === "newState") {
    return review.report(next, message.authenticatedData);
  }
  const sender = await senderOf(suite, state, message);
  const data = result.message.slice();
  return { kind: "application", state: next, sender, data };
}

/** Looks at what a message of members would do, before and after it is done. */
class Review {
  readonly #before: MlsState;
  readonly #joiner: AgentId | undefined;
  #what: Parameters<IncomingMessageCallback>[0] | undefined;

  constructor(before: MlsState, joiner?: AgentId) {
    this.#before = before;
    this.#joiner = joiner;
  }

  /**
   * Refuses what is not offered. A commit that removes this member is not carried out: it has no secret for it, and another may
   * have its leaf.
   */
  readonly callback: IncomingMessageCallback = (what) => {
    const proposals = what.kind === "commit" ? what.proposals : [what.proposal];
    for (const { proposal } of proposals) {
      if (!OFFERED.has(proposal.proposalType)) {
        throw new FabricError("refused", "A proposal of a kind not offered");
      }
    }
    this.#what = what;
    return what.kind === "commit" && this.#removesSelf() ? "reject" : "accept";
  };

  /** What the message did, now that it is done. */
  report(after: MlsState, data: Uint8Array): Processed {
    const before = this.#before;
    const joiner = this.#joiner;
    const what = this.#what;
    if (what === undefined) {
      throw new FabricError("malformed", "Neither a commit nor a proposal");
    }
    if (what.kind === "proposal") {
      const sender = before.idAt(what.proposal.senderLeafIndex ?? -1);
      return { kind: "proposal", state: after, sender };
    }
    const removed = this.#removedLeaves().map((leaf) => before.idAt(leaf));
    if (joiner && removed.some((id) => !id.equals(joiner))) {
      throw new FabricError("refused", "Who joins may remove itself alone");
    }
    const committer = joiner ?? before.idAt(what.senderLeafIndex ?? -1);
    const added = this.#added();
    const isExternal = joiner !== undefined;
    const common = { committer, isExternal, added, removed };
    if (this.#removesSelf()) {
      const state = removedState(before);
      return { kind: "commit", state, ...common, data: data.slice() };
    }
    checkTree(after.inner.ratchetTree);
    checkLeaves(before, after, new Set(this.#removedLeaves()));
    return { kind: "commit", state: after, ...common, data: data.slice() };
  }

  #proposals(): readonly Proposal[] {
    return this.#what?.kind === "commit"
      ? this.#what.proposals.map(({ proposal }) => proposal)
      : [];
  }

  #removedLeaves(): readonly number[] {
    return this.#proposals().flatMap((proposal) =>
      proposal.proposalType === "remove" ? [proposal.remove.removed] : []
    );
  }

  #removesSelf(): boolean {
    const { leafIndex } = this.#before.inner.privatePath;
    return this.#removedLeaves().includes(leafIndex);
  }

  #added(): readonly AgentId[] {
    const added = this.#proposals().flatMap((proposal) =>
      proposal.proposalType === "add"
        ? agentOf(proposal.add.keyPackage.leafNode.credential) ?? []
        : []
    );
    return this.#joiner ? [...added, this.#joiner] : added;
  }
}

/** What a member that is none any more keeps: the last epoch that it knew. */
function removedState({ inner }: MlsState): MlsState {
  return new MlsState({
    ...inner,
    unappliedProposals: {},
    groupActiveState: { kind: "removedFromGroup" },
  });
}

/** The agent that joins by a public message, if it is an external commit. */
function joinerOf(
  crypto: CryptoProvider,
  { content }: PublicMessage,
): AgentId | undefined {
  const { senderType } = content.sender;
  if (senderType === "member" && content.contentType !== "application") {
    return undefined;
  }
  if (senderType !== "new_member_commit" || content.contentType !== "commit") {
    throw new FabricError("refused", "Not a message that members send so");
  }
  const { path, proposals } = content.commit;
  if (
    path === undefined ||
    proposals.some(({ proposalOrRefType }) => proposalOrRefType === "reference")
  ) throw new FabricError("refused", "Not an external commit as it must be");
  const { credential, signaturePublicKey } = path.leafNode;
  const id = agentOf(credential);
  if (id && isBound(crypto, credential, signaturePublicKey)) return id;
  throw new FabricError("unauthenticated", "The leaf is not its agent's");
}

async function senderOf(
  suite: CiphersuiteImpl,
  state: MlsState,
  message: PrivateMessage,
): Promise<AgentId> {
  const { senderDataSecret } = state.inner.keySchedule;
  const data = await decryptSenderData(message, senderDataSecret, suite);
  return state.idAt(data?.leafIndex ?? -1);
}
