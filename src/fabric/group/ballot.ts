import { type Bytes, DecodeError, encodeCbor } from "../../core/bytes/mod.ts";
import type { CryptoProvider } from "../../core/crypto/mod.ts";
import { openSign1, sign1 } from "../cose/sign1.ts";
import { FieldReader } from "../field_reader.ts";
import type { Agent } from "../identity/agent.ts";
import { AGENT_ID_LENGTH, AgentId } from "../identity/agent_id.ts";
import type { Evidence } from "./group_evidence.ts";
import { GROUP_ID_LENGTH } from "./group_message.ts";

/** What a member can say to a proposal, by its number on the wire. */
export const CHOICES = ["against", "for", "abstain"] as const;

/** One of {@link CHOICES}. */
export type Choice = typeof CHOICES[number];

/** What a member proposes. */
export interface Proposal {
  /** The group, 32 bytes. */
  readonly group: Bytes;
  /** What is proposed: 1 to 4,096 characters. */
  readonly text: string;
  /** Until when ballots may be cast, in milliseconds since 1970-01-01 UTC. */
  readonly deadlineMs: number;
  /** Whether all of the weight must be for it; more than half of it by default. */
  readonly isUnanimous: boolean;
  /** Who votes, and with what weight: 1 to 1,000 agents. */
  readonly electors: ReadonlyMap<string, number>;
}

/** A proposal as it was signed. */
export interface SignedProposal extends Proposal {
  /** Its name: SHA-256 of what was signed, 32 bytes. */
  readonly id: Bytes;
  /** Who proposes. */
  readonly by: AgentId;
}

/** What a member says to a proposal. */
export interface Ballot {
  /** The group, 32 bytes. */
  readonly group: Bytes;
  /** The name of the proposal, 32 bytes. */
  readonly proposal: Bytes;
  /** What it says. */
  readonly choice: Choice;
  /** When, in milliseconds since 1970-01-01 UTC. */
  readonly atMs: number;
}

/** A ballot as it was signed. */
export interface SignedBallot extends Ballot {
  /** Whose it is. */
  readonly by: AgentId;
}

const PURPOSE = "betanet-fabric-vote-v1";
const PROPOSAL = 1;
const BALLOT = 2;
const MAX_TEXT = 4_096;
const MAX_ELECTORS = 1_000;
const ID_LENGTH = 32;
const read = new FieldReader("vote");

/**
 * Signs a proposal as COSE_Sign1.
 *
 * ```text
 * CBOR array, deterministic: 1, 32B group, text, deadline, 1 if unanimous else 0, array of [32B agent, weight] by agent
 * ```
 *
 * @throws {RangeError} If a field is out of range.
 */
export function signProposal(agent: Agent, proposal: Proposal): Bytes {
  const { group, text, deadlineMs, isUnanimous, electors } = proposal;
  const payload = encodeCbor([
    ...[PROPOSAL, group, text, deadlineMs, isUnanimous ? 1 : 0],
    [...electors].sort(([a], [b]) => a < b ? -1 : 1).map(([agent, weight]) => [
      AgentId.parse(agent).bytes,
      weight,
    ]),
  ]);
  inRange(() => decodeProposal(payload));
  return sign1(agent, PURPOSE, payload);
}

/**
 * Verifies and decodes a proposal.
 *
 * @throws {DecodeError} If it is malformed.
 * @throws {FabricError} `unauthenticated` if it is not signed.
 */
export function verifyProposal(
  crypto: CryptoProvider,
  bytes: Uint8Array,
): SignedProposal {
  const { signer, payload } = openSign1(crypto, PURPOSE, bytes);
  const id = crypto.hash("sha256", payload);
  return { ...decodeProposal(payload), id, by: signer };
}

/**
 * Signs a ballot as COSE_Sign1.
 *
 * ```text
 * CBOR array, deterministic: 2, 32B group, 32B proposal, choice (0 against, 1 for, 2 abstain), time
 * ```
 *
 * @throws {RangeError} If a field is out of range.
 */
export function signBallot(agent: Agent, ballot: Ballot): Bytes {
  const { group, proposal, choice, atMs } = ballot;
  const payload = encodeCbor([
    ...[BALLOT, group, proposal, CHOICES.indexOf(choice), atMs],
  ]);
  inRange(() => decodeBallot(payload));
  return sign1(agent, PURPOSE, payload);
}

/**
 * Verifies and decodes a ballot.
 *
 * @throws {DecodeError} If it is malformed.
 * @throws {FabricError} `unauthenticated` if it is not signed.
 */
export function verifyBallot(
  crypto: CryptoProvider,
  bytes: Uint8Array,
): SignedBallot {
  const { signer, payload } = openSign1(crypto, PURPOSE, bytes);
  return { ...decodeBallot(payload), by: signer };
}

/**
 * Whether evidence of a double ballot shows by itself that its agent signed two different ballots for one proposal: anybody can check it.
 *
 * @throws {DecodeError} If a proof is malformed.
 * @throws {FabricError} `unauthenticated` if one is not signed.
 */
export function isDoubleBallot(
  crypto: CryptoProvider,
  { kind, agent, proofs }: Evidence,
): boolean {
  if (kind !== "double_ballot" || proofs.length !== 2) return false;
  const [a, b] = proofs.map((each) => verifyBallot(crypto, each));
  return [a!, b!].every(({ by }) => by.equals(agent)) &&
    a!.group.toHex() === b!.group.toHex() &&
    a!.proposal.toHex() === b!.proposal.toHex() && a!.choice !== b!.choice;
}

function decodeProposal(payload: Uint8Array): Proposal {
  const [what, group, text, deadline, unanimous, electors] = read.items(
    payload,
    6,
    { maxDepth: 3, maxItems: 3 * MAX_ELECTORS + 8 },
  );
  if (what !== PROPOSAL) throw read.malformed("want a proposal");
  const weights = new Map(
    read.array(electors!, MAX_ELECTORS, 1).map((each) => {
      const [agent, weight] = read.array(each, 2, 2);
      const id = new AgentId(read.bytes(agent!, AGENT_ID_LENGTH));
      return [`${id}`, read.unsigned(weight!)] as const;
    }),
  );
  return {
    group: read.bytes(group!, GROUP_ID_LENGTH),
    text: read.text(text!, MAX_TEXT, 1),
    deadlineMs: read.unsigned(deadline!),
    isUnanimous: read.unsigned(unanimous!) === 1,
    electors: weights,
  };
}

function decodeBallot(payload: Uint8Array): Ballot {
  const options = { maxDepth: 1, maxItems: 6 };
  const [what, group, proposal, choice, at] = read.items(payload, 5, options);
  if (what !== BALLOT) throw read.malformed("want a ballot");
  return {
    group: read.bytes(group!, GROUP_ID_LENGTH),
    proposal: read.bytes(proposal!, ID_LENGTH),
    choice: read.name(choice!, CHOICES),
    atMs: read.unsigned(at!),
  };
}

function inRange(decode: () => unknown): void {
  try {
    decode();
  } catch (cause) {
    if (!(cause instanceof DecodeError)) throw cause;
    throw new RangeError(cause.message, { cause });
  }
}
