import type { Clock } from "../../core/async/mod.ts";
import { type Bytes, concat, DecodeError } from "../../core/bytes/mod.ts";
import type { CryptoProvider } from "../../core/crypto/mod.ts";
import type { Logger } from "../../core/log/mod.ts";
import type { Store } from "../../core/storage/mod.ts";
import { FabricError } from "../error.ts";
import type { Agent } from "../identity/agent.ts";
import {
  type Choice,
  signBallot,
  type SignedBallot,
  type SignedProposal,
  signProposal,
  verifyBallot,
  verifyProposal,
} from "./ballot.ts";
import type { Group, Published } from "./group.ts";
import { decodeSeen, encodeSeen, markOf } from "./seen_ballots.ts";
import { encodeTally, type Tally, tallyOf } from "./tally.ts";

/** How a vote goes. */
export interface ProposeOptions {
  /** How long ballots may be cast, in milliseconds; 300 s by default. */
  readonly timeoutMs?: number;
  /** Whether all of the weight must be for it; not by default. */
  readonly isUnanimous?: boolean;
}

/** What an application does about votes. */
export interface VoteSettings {
  /**
   * Carries out a proposal that has passed; called once, or again with `isAgain` if the process died in the middle of it.
   */
  readonly onPassed?: (tally: Tally, isAgain: boolean) => void | Promise<void>;
  /** How long after the deadline ballots that were cast before it may come; 60 s by default. */
  readonly graceMs?: number;
}

/** Parts of {@link Votes}. */
export interface VotesOptions extends VoteSettings {
  /** A group of the kind `vote`. */
  readonly group: Group;
  /** Whose ballots are cast here. */
  readonly agent: Agent;
  /** Signatures, hashes. */
  readonly crypto: CryptoProvider;
  /** Keeps the votes; they have it for themselves. */
  readonly store: Store;
  /** Where it says what failed. */
  readonly log: Logger;
  /** Time. */
  readonly clock: Clock;
}

/** What was not counted, and why. */
export interface VoteCounts {
  /** Ballots and proposals that are malformed, not signed by who sent them, or for another group. */
  malformed: number;
  /** Proposals whose electors are not the members of the epoch. */
  wrongElectors: number;
  /** Ballots after the deadline, or that came after the time beyond it. */
  late: number;
  /** Second and third different ballots of a member. */
  doubles: number;
  /** Proposals beyond the most that are kept. */
  full: number;
}

interface Vote {
  readonly proposal: SignedProposal;
  readonly signed: Bytes;
  /** When no ballot counts here any more. */
  readonly closesMs: number;
  readonly ballots: Map<string, { ballot: SignedBallot; signed: Bytes }>;
  /** Ballots that were told to who had not seen them. */
  readonly told: Set<string>;
}

const TIMEOUT_MS = 300_000;
const GRACE_MS = 60_000;
const MAX_PROPOSALS = 256;
const MAX_OF_MEMBER = 32;
const MAX_EARLY = 1_024;
const EARLY_MS = 86_400_000;
const [PROPOSAL, BALLOT, BEGUN, DONE, EARLY, UNSAID] = [..."pbsdeu"].map(
  (letter) => Uint8Array.of(letter.charCodeAt(0)),
) as [Bytes, Bytes, Bytes, Bytes, Bytes, Bytes];

/**
 * The votes of a group: proposals, signed ballots, and what came of them.
 *
 * A ballot counts if the time in it is not after the deadline and it came before the deadline and a time of grace were over by the
 * clock here; who dates its ballot back within the grace is not noticed, and after it the ballot counts for nobody. For who was away
 * at the deadline the grace begins when it is back, or hears of the proposal. In the middle of the grace electors say which ballots they
 * have, and who has others publishes those: who tells each one something else is seen by all.
 *
 * What is proposed or cast is stored before it is published, and published again by the next start if that was cut short.
 */
export class Votes implements AsyncDisposable {
  /** What was not counted. */
  readonly counts: VoteCounts = {
    ...{ malformed: 0, wrongElectors: 0, late: 0, doubles: 0, full: 0 },
  };
  readonly #options: VotesOptions;
  readonly #graceMs: number;
  readonly #votes = new Map<string, Vote>();
  /** Ballots that came before their proposals. */
  readonly #early = new Map<string, { ballot: SignedBallot; signed: Bytes }>();
  readonly #subscription: Disposable;
  readonly #timers = new Map<string, () => void>();
  /** What is carried out and published. */
  readonly #working = new Set<Promise<void>>();

  /**
   * Goes on with the votes in the store.
   *
   * @throws {RangeError} If the group is of another kind.
   */
  constructor(options: VotesOptions) {
    if (options.group.rules.kind !== "vote") {
      throw new RangeError("Votes are held in groups of the kind vote");
    }
    this.#options = options;
    this.#graceMs = options.graceMs ?? GRACE_MS;
    this.#load();
    this.#subscription = options.group.subscribe((each) => this.#take(each));
    for (const { key, value } of [...options.store.entries(UNSAID)]) {
      const type = key[1] === PROPOSAL[0] ? "vote.proposal" : "vote.ballot";
      this.#track(
        this.#say(type, key.subarray(1), value).catch((error) => {
          options.log.warn("fabric.vote_failed", { error });
        }),
      );
    }
  }

  /** Every proposal that is kept. */
  get proposals(): readonly SignedProposal[] {
    return [...this.#votes.values()].map(({ proposal }) => proposal);
  }

  /**
   * Proposes something to the members of now; gives its name, 32 bytes.
   *
   * @throws {FabricError} `full` if too many are kept; as {@link Group.publish}.
   * @throws {RangeError} If the text has not 1 to 4,096 characters.
   */
  async propose(text: string, options: ProposeOptions = {}): Promise<Bytes> {
    const { group, agent, clock, crypto } = this.#options;
    const [electors] = group.electors(group.epoch);
    const deadlineMs = clock.wallTime() + (options.timeoutMs ?? TIMEOUT_MS);
    const isUnanimous = options.isUnanimous ?? false;
    const signed = signProposal(agent, {
      ...{ group: group.id, text, deadlineMs, isUnanimous },
      electors: electors!,
    });
    const proposal = verifyProposal(crypto, signed);
    if (!this.#add(proposal, signed)) {
      throw new FabricError("full", "There are too many proposals");
    }
    await this.#say("vote.proposal", concat(PROPOSAL, proposal.id), signed);
    return proposal.id;
  }

  /**
   * Casts the ballot of this agent.
   *
   * @throws {FabricError} `refused` if it has cast another, or is no elector; `expired` after the deadline.
   * @throws {RangeError} If there is no such proposal.
   */
  async cast(id: Uint8Array, choice: Choice): Promise<void> {
    const { group, agent, crypto, clock } = this.#options;
    const vote = this.#vote(id);
    const atMs = clock.wallTime();
    if (!vote.proposal.electors.has(`${agent.id}`)) {
      throw new FabricError("refused", "Only electors cast ballots");
    }
    if (atMs > vote.proposal.deadlineMs) {
      throw new FabricError("expired", "The deadline of the vote has passed");
    }
    const isCast = [...vote.ballots.values()].some(({ ballot }) =>
      ballot.by.equals(agent.id)
    );
    if (isCast) throw new FabricError("refused", "The ballot was cast");
    const ballot = {
      group: group.id,
      proposal: vote.proposal.id,
      choice,
      atMs,
    };
    const signed = signBallot(agent, ballot);
    this.#keep(vote, verifyBallot(crypto, signed), signed);
    await this.#say("vote.ballot", concat(BALLOT, vote.proposal.id), signed);
  }

  /**
   * What has come out so far.
   *
   * @throws {RangeError} If there is no such proposal.
   */
  tally(id: Uint8Array): Tally {
    const { proposal, ballots } = this.#vote(id);
    return tallyOf(proposal, [...ballots.values()].map(({ ballot }) => ballot));
  }

  /**
   * The proposal and the ballots as they were signed: anybody can check them with `verifyTally`.
   *
   * @throws {RangeError} If there is no such proposal.
   */
  export(id: Uint8Array): Bytes {
    const { signed, ballots } = this.#vote(id);
    return encodeTally(
      signed,
      [...ballots.values()].map(({ signed }) => signed),
    );
  }

  /** Ends; open votes go on at the next start. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#subscription[Symbol.dispose]();
    for (const cancel of this.#timers.values()) cancel();
    await Promise.all(this.#working);
  }

  #take(published: Published): void {
    const { crypto, group } = this.#options;
    const { value, from, type, epoch } = published;
    if (!(value instanceof Uint8Array)) return void this.counts.malformed++;
    try {
      if (type === "vote.proposal") {
        const proposal = verifyProposal(crypto, value);
        if (!proposal.by.equals(from) || !this.#isOurs(proposal)) {
          return void this.counts.malformed++;
        }
        const isRight = group.electors(epoch).some((each) =>
          isSame(each, proposal.electors)
        );
        if (!isRight) return void this.counts.wrongElectors++;
        this.#add(proposal, value.slice());
        return this.#takeEarly(proposal);
      }
      if (type === "vote.seen") return this.#takeSeen(published, value);
      const ballot = verifyBallot(crypto, value);
      if (!this.#isOurs(ballot)) return void this.counts.malformed++;
      this.#takeBallot(ballot, value.slice());
    } catch (error) {
      if (!(error instanceof DecodeError || error instanceof FabricError)) {
        throw error;
      }
      this.counts.malformed++;
    }
  }

  #takeBallot(ballot: SignedBallot, signed: Bytes): void {
    const vote = this.#votes.get(ballot.proposal.toHex());
    if (!vote) return this.#wait(ballot, signed);
    const { deadlineMs, electors } = vote.proposal;
    if (!electors.has(`${ballot.by}`)) return void this.counts.malformed++;
    const nowMs = this.#options.clock.wallTime();
    if (ballot.atMs > deadlineMs || nowMs > vote.closesMs) {
      return void this.counts.late++;
    }
    this.#keep(vote, ballot, signed);
  }

  /** An elector says which ballots it has: it is to have those that are here, too. */
  #takeSeen({ from }: Published, value: Uint8Array): void {
    const { crypto, clock } = this.#options;
    const { proposal, marks } = decodeSeen(value);
    const vote = this.#votes.get(proposal.toHex());
    if (!vote?.proposal.electors.has(`${from}`)) return;
    if (clock.wallTime() > vote.closesMs) return;
    for (const { signed } of vote.ballots.values()) {
      const mark = markOf(crypto, signed);
      if (marks.has(mark) || vote.told.has(mark)) continue;
      vote.told.add(mark);
      this.#publish("vote.ballot", signed);
    }
  }

  /** Says which ballots are here. */
  #saySeen(id: Bytes): void {
    const { crypto, agent } = this.#options;
    const { proposal, ballots } = this.#vote(id);
    if (!proposal.electors.has(`${agent.id}`)) return;
    const marks = new Set(
      [...ballots.values()].map(({ signed }) => markOf(crypto, signed)),
    );
    this.#publish("vote.seen", encodeSeen({ proposal: id, marks }));
  }

  #publish(type: string, value: Bytes): void {
    const { group, log } = this.#options;
    this.#track(
      group.publish(type, value).then(() => {}, (error) => {
        log.warn("fabric.vote_failed", { error });
      }),
    );
  }

  /** A ballot came before its proposal. */
  #wait(ballot: SignedBallot, signed: Bytes): void {
    const { store, clock, crypto } = this.#options;
    const ofMember = [...this.#early.values()].filter((each) =>
      each.ballot.by.equals(ballot.by)
    );
    if (this.#early.size >= MAX_EARLY || ofMember.length >= MAX_OF_MEMBER) {
      return void this.counts.full++;
    }
    const key = concat(EARLY, crypto.hash("sha256", signed));
    store.set(key, signed, { expiresAt: clock.wallTime() + EARLY_MS });
    this.#early.set(key.toHex(), { ballot, signed });
  }

  #takeEarly({ id }: SignedProposal): void {
    for (const [key, { ballot, signed }] of [...this.#early]) {
      if (ballot.proposal.toHex() !== id.toHex()) continue;
      this.#takeBallot(ballot, signed);
      this.#early.delete(key);
      this.#options.store.delete(Uint8Array.fromHex(key));
    }
  }

  /** Publishes what is stored; it is remembered until the outbox has it. */
  async #say(type: string, name: Uint8Array, signed: Bytes): Promise<void> {
    const { store, group } = this.#options;
    const key = concat(UNSAID, name);
    store.set(key, signed);
    await group.publish(type, signed);
    store.delete(key);
  }

  #track(work: Promise<void>): void {
    const tracked = work.finally(() => this.#working.delete(tracked));
    this.#working.add(tracked);
  }

  #isOurs({ group }: { readonly group: Bytes }): boolean {
    return group.toHex() === this.#options.group.id.toHex();
  }

  #add(proposal: SignedProposal, signed: Bytes): boolean {
    const key = proposal.id.toHex();
    if (this.#votes.has(key)) return true;
    const ofMember = this.proposals.filter(({ by }) => by.equals(proposal.by));
    if (
      this.#votes.size >= MAX_PROPOSALS || ofMember.length >= MAX_OF_MEMBER
    ) {
      this.counts.full++;
      return false;
    }
    this.#options.store.set(concat(PROPOSAL, proposal.id), signed);
    const closesMs = this.#closesMs(proposal);
    this.#votes.set(key, voteOf(proposal, signed, closesMs));
    this.#schedule(proposal, closesMs);
    return true;
  }

  /** Keeps a ballot, and one more of the same member that says something else: that is evidence. */
  #keep(vote: Vote, ballot: SignedBallot, signed: Bytes): void {
    const ofMember = [...vote.ballots.values()].filter((each) =>
      each.ballot.by.equals(ballot.by)
    );
    if (ofMember.some((each) => each.ballot.choice === ballot.choice)) return;
    const { group, store, clock } = this.#options;
    if (ofMember.length > 0) {
      this.counts.doubles++;
      if (ofMember.length > 1) return;
      const proofs = [ofMember[0]!.signed, signed];
      const atMs = clock.wallTime();
      group.accuse({ kind: "double_ballot", agent: ballot.by, atMs, proofs });
    }
    const key = concat(vote.proposal.id, ballot.by.bytes);
    const place = Uint8Array.of(ofMember.length);
    store.set(concat(BALLOT, key, place), signed);
    vote.ballots.set(concat(key, place).toHex(), { ballot, signed });
  }

  #vote(id: Uint8Array): Vote {
    const vote = this.#votes.get(id.toHex());
    if (vote) return vote;
    throw new RangeError("There is no such proposal");
  }

  /** When no ballot counts any more for a proposal that is known from now on. */
  #closesMs({ id, deadlineMs }: SignedProposal): number {
    const { clock, store } = this.#options;
    const isDone = store.get(concat(DONE, id)) !== undefined;
    const fromMs = isDone ? deadlineMs : Math.max(deadlineMs, clock.wallTime());
    return fromMs + this.#graceMs;
  }

  #schedule({ id }: SignedProposal, closesMs: number): void {
    const { clock, store } = this.#options;
    if (store.get(concat(DONE, id))) return;
    const leftMs = closesMs - clock.wallTime();
    const cancel = clock.setTimeout(() => {
      this.#track(this.#close(id));
    }, Math.max(0, leftMs + 1));
    const cancelSeen = clock.setTimeout(
      () => this.#saySeen(id),
      Math.max(0, leftMs - this.#graceMs / 2),
    );
    this.#timers.set(id.toHex(), () => {
      cancel();
      cancelSeen();
    });
  }

  /** The time of a vote is over: what has passed is carried out. */
  async #close(id: Bytes): Promise<void> {
    const { store, onPassed, log } = this.#options;
    const tally = this.tally(id);
    const isAgain = store.get(concat(BEGUN, id)) !== undefined;
    if (tally.isPassed && onPassed) {
      store.set(concat(BEGUN, id), new Uint8Array());
      try {
        await onPassed(tally, isAgain);
      } catch (error) {
        log.warn("fabric.vote_failed", { error });
      }
    }
    store.set(concat(DONE, id), new Uint8Array());
  }

  #load(): void {
    const { store, crypto } = this.#options;
    for (const { value } of [...store.entries(PROPOSAL)]) {
      const proposal = verifyProposal(crypto, value);
      const closesMs = this.#closesMs(proposal);
      this.#votes.set(proposal.id.toHex(), voteOf(proposal, value, closesMs));
      this.#schedule(proposal, closesMs);
    }
    for (const { key, value } of store.entries(BALLOT)) {
      const ballot = verifyBallot(crypto, value);
      const vote = this.#votes.get(ballot.proposal.toHex());
      vote?.ballots.set(key.subarray(1).toHex(), { ballot, signed: value });
    }
    for (const { key, value } of store.entries(EARLY)) {
      const ballot = verifyBallot(crypto, value);
      this.#early.set(key.toHex(), { ballot, signed: value });
    }
    // A process that died between the two had not looked for them.
    for (const { proposal } of this.#votes.values()) this.#takeEarly(proposal);
  }
}

function voteOf(
  proposal: SignedProposal,
  signed: Bytes,
  closesMs: number,
): Vote {
  return {
    ...{ proposal, signed, closesMs },
    ballots: new Map(),
    told: new Set(),
  };
}

function isSame(
  a: ReadonlyMap<string, number>,
  b: ReadonlyMap<string, number>,
): boolean {
  return a.size === b.size &&
    [...a].every(([agent, weight]) => b.get(agent) === weight);
}
