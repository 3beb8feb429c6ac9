import type { CryptoProvider } from "../../core/crypto/mod.ts";
import { isDoubleBallot, verifyBallot } from "../group/ballot.ts";
import { verifyProposal } from "../group/ballot.ts";
import type { SignedProposal } from "../group/ballot.ts";
import type { Group, GroupEvent, Published } from "../group/group.ts";
import { type Evidence, isEquivocation } from "../group/group_evidence.ts";
import { formatEvidence } from "../group/group_evidence.ts";
import type { Invitation } from "../group/groups.ts";
import type { GroupRules } from "../group/group_rules.ts";
import { isAdmin } from "../group/group_rules.ts";
import type { Tally } from "../group/tally.ts";
import type { AgentBook } from "../identity/agent_book.ts";
import type { AgentId } from "../identity/agent_id.ts";
import { formatAgentName } from "../identity/agent_name.ts";
import { jsonText } from "./json_text.ts";

type Json = Record<string, unknown>;

/** What applications are shown of groups, as JSON. */
export class GroupJson {
  readonly #book: Pick<AgentBook, "get" | "byName">;
  readonly #crypto: CryptoProvider;

  /** @param book - Knows the names of agents. */
  constructor(
    book: Pick<AgentBook, "get" | "byName">,
    crypto: CryptoProvider,
  ) {
    this.#book = book;
    this.#crypto = crypto;
  }

  /** An agent: its id, and its name if that is its own. */
  agent(id: AgentId): Json {
    const known = this.#book.get(id)?.record;
    const isNamed = known && this.#book.byName(known.name)?.equals(id);
    return { id: `${id}`, ...isNamed && { name: formatAgentName(known.name) } };
  }

  /** A group in short. */
  summary(group: Group): Json {
    const { id, rules, isMember, epoch, members, evidence } = group;
    return {
      ...{ group: id.toHex(), kind: rules.kind, name: rules.name },
      ...{ isMember, epoch, members: members.length },
      evidence: evidence.length,
    };
  }

  /** All of a group but its keys. */
  group(group: Group): Json {
    const { rules, members, epochAuthenticator, counts } = group;
    return {
      ...this.summary(group),
      ...this.#rules(rules),
      members: members.map((each) => ({
        ...this.agent(each),
        isAdmin: isAdmin(rules, each),
        weight: rules.weights.get(`${each}`) ?? 1,
      })),
      authenticator: epochAuthenticator?.toHex() ?? null,
      counts,
    };
  }

  /** An invitation that waits. */
  invitation({ group, from, rules }: Invitation): Json {
    const { kind, name } = rules;
    return {
      ...{ group: group.toHex(), kind, name },
      ...{ from: this.agent(from), ...this.#rules(rules) },
    };
  }

  /** What a member published; proposals and ballots are read. */
  published({ id, from, type, priority, epoch, value }: Published): string {
    const head = { id: id.toHex(), from: this.agent(from), type };
    const text = JSON.stringify({ ...head, priority, epoch });
    const shown = jsonText(this.#ofVote(type, value) ?? value);
    return `${text.slice(0, -1)},"value":${shown}}`;
  }

  /** What happened to a group. */
  event(event: GroupEvent): Json {
    switch (event.kind) {
      case "epoch": {
        const { epoch, isRollback, isMember, members } = event;
        const shown = members.map((each) => this.agent(each));
        return { event: "epoch", epoch, isRollback, isMember, members: shown };
      }
      case "evidence":
        return { event: "evidence", ...this.evidence(event.evidence) };
      case "healing":
        return { event: "healing", from: this.agent(event.from) };
    }
  }

  /** What a member did, and the bytes that show it. */
  evidence(evidence: Evidence): Json {
    const { kind, agent, atMs } = evidence;
    return {
      ...{ kind, agent: this.agent(agent), atMs },
      // Of other kinds the group's own state is needed to see it.
      isProof: isEquivocation(this.#crypto, evidence) ||
        isDoubleBallot(this.#crypto, evidence),
      signed: formatEvidence(evidence),
    };
  }

  /** A proposal. */
  proposal({ id, by, text, deadlineMs, isUnanimous }: SignedProposal): Json {
    return {
      ...{ vote: id.toHex(), by: this.agent(by), text, deadlineMs },
      isUnanimous,
    };
  }

  /** What came out of a vote so far. */
  tally({ proposal, weights, total, ...rest }: Tally): Json {
    const { isPassed, equivocators, late, strange } = rest;
    return {
      ...this.proposal(proposal),
      ...{ weights, total, isPassed, late, strange },
      equivocators: equivocators.map((each) => this.agent(each)),
    };
  }

  #rules(rules: GroupRules): Json {
    const { admins, isAdminOnlyAdd, isAdminOnlyRemove, maxMembers } = rules;
    return {
      admins: admins.map((each) => this.agent(each)),
      ...{ isAdminOnlyAdd, isAdminOnlyRemove, maxMembers },
      weights: Object.fromEntries(rules.weights),
    };
  }

  #ofVote(type: string, value: unknown): Json | undefined {
    const isSigned = value instanceof Uint8Array &&
      (type === "vote.proposal" || type === "vote.ballot");
    if (!isSigned) return undefined;
    try {
      if (type === "vote.proposal") {
        return this.proposal(verifyProposal(this.#crypto, value));
      }
      const { proposal, choice, atMs } = verifyBallot(this.#crypto, value);
      return { vote: proposal.toHex(), choice, atMs };
    } catch {
      return undefined; // shown as it is: the votes do not count it either
    }
  }
}
