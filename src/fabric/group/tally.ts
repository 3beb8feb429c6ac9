import {
  type Bytes,
  decodeBase64Url,
  encodeBase64Url,
  encodeCbor,
} from "../../core/bytes/mod.ts";
import type { CryptoProvider } from "../../core/crypto/mod.ts";
import { FieldReader } from "../field_reader.ts";
import type { AgentId } from "../identity/agent_id.ts";
import {
  type Choice,
  type SignedBallot,
  type SignedProposal,
  verifyBallot,
  verifyProposal,
} from "./ballot.ts";

/** What came out of a vote. */
export interface Tally {
  /** What was proposed. */
  readonly proposal: SignedProposal;
  /** Weight of the ballots that count, by what they say. */
  readonly weights: Readonly<Record<Choice, number>>;
  /** Weight of all electors. */
  readonly total: number;
  /** Whether it passed: more than half of all weight is for it, or all if it must be unanimous. */
  readonly isPassed: boolean;
  /** Electors whose ballots say different things: none of them counts. */
  readonly equivocators: readonly AgentId[];
  /** Ballots after the deadline. */
  readonly late: number;
  /** Ballots of others than electors, or for another proposal. */
  readonly strange: number;
}

const TEXT_PREFIX = "betanet-tally:";
const MAX_BALLOTS = 2_000;
const MAX_BYTES = 256 * 1024;
const read = new FieldReader("tally");

/** Counts ballots; their order and copies change nothing. */
export function tallyOf(
  proposal: SignedProposal,
  ballots: readonly SignedBallot[],
): Tally {
  const { electors, isUnanimous, deadlineMs } = proposal;
  const byElector = new Map<string, { by: AgentId; choices: Set<Choice> }>();
  let late = 0;
  let strange = 0;
  for (const { by, choice, atMs, group, proposal: id } of ballots) {
    const isFor = group.toHex() === proposal.group.toHex() &&
      id.toHex() === proposal.id.toHex();
    if (!isFor || !electors.has(`${by}`)) strange++;
    else if (atMs > deadlineMs) late++;
    else {
      const cast = byElector.get(`${by}`) ?? { by, choices: new Set() };
      cast.choices.add(choice);
      byElector.set(`${by}`, cast);
    }
  }
  const weights = { for: 0, against: 0, abstain: 0 };
  const equivocators: AgentId[] = [];
  for (const { by, choices } of byElector.values()) {
    const [choice, ...others] = choices;
    if (others.length > 0) equivocators.push(by);
    else weights[choice!] += electors.get(`${by}`)!;
  }
  const total = [...electors.values()].reduce((sum, each) => sum + each, 0);
  const isPassed = total > 0 &&
    (isUnanimous ? weights.for === total : 2 * weights.for > total);
  return {
    ...{ proposal, weights, total, isPassed, equivocators, late, strange },
  };
}

/** A proposal and the ballots for it, as they were signed, for {@link verifyTally}: CBOR array of the proposal and an array of ballots. */
export function encodeTally(
  proposal: Uint8Array,
  ballots: readonly Uint8Array[],
): Bytes {
  return encodeCbor([proposal, [...ballots]]);
}

/**
 * Verifies every signature of what {@link encodeTally} gave and counts: who has the bytes needs nothing else, and no membership.
 *
 * @throws {DecodeError} If they are malformed.
 * @throws {FabricError} `unauthenticated` if a signature does not verify.
 */
export function verifyTally(crypto: CryptoProvider, bytes: Uint8Array): Tally {
  const options = { maxDepth: 2, maxItems: MAX_BALLOTS + 4 };
  const [proposal, ballots] = read.items(bytes, 2, options);
  return tallyOf(
    verifyProposal(crypto, read.bytesUpTo(proposal!, MAX_BYTES)),
    read.array(ballots!, MAX_BALLOTS).map((each) =>
      verifyBallot(crypto, read.bytesUpTo(each, MAX_BYTES))
    ),
  );
}

/** Writes what {@link encodeTally} gave as text, for command lines and files: `betanet-tally:` and base64url. */
export function formatTally(bytes: Uint8Array): string {
  return TEXT_PREFIX + encodeBase64Url(bytes);
}

/**
 * The bytes for {@link verifyTally} that `text` writes, white space around it ignored.
 *
 * @throws {DecodeError} If it is not of the text form.
 */
export function parseTally(text: string): Bytes {
  const trimmed = text.trim();
  if (!trimmed.startsWith(TEXT_PREFIX)) {
    throw read.malformed(`want ${TEXT_PREFIX} and base64url`);
  }
  return decodeBase64Url(trimmed.slice(TEXT_PREFIX.length));
}
