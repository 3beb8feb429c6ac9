import {
  type Bytes,
  encodeCbor,
  encodeHex,
  equal,
  utf8,
} from "../../core/bytes/mod.ts";
import type { CryptoProvider } from "../../core/crypto/mod.ts";
import { namespace, type Store } from "../../core/storage/mod.ts";
import type { BeaconComponents } from "../beacon/beacon_set.ts";
import { Ballot } from "./ballot.ts";
import { endorse, joinDocument, makeDocument } from "./directory_document.ts";
import type { DocumentTrust } from "./document_trust.ts";
import { ENDORSEMENT, type Endorsement } from "./endorsement.ts";
import { type EpochSchedule, epochSchedule } from "./epoch_schedule.ts";
import { DirectoryError } from "./error.ts";
import { encodeEvidence, type EvidenceKind } from "./evidence.ts";
import type { EvidenceBook } from "./evidence_book.ts";
import { decode, hashesOf } from "./fields.ts";
import type { NetworkParameters } from "./network_parameters.ts";
import { MAX_NODES, ROLL, type Roll } from "./roll.ts";
import { parts, sign } from "./signed_form.ts";
import type { Statement } from "./statement.ts";
import { tallyRolls, tallyVotes } from "./tally.ts";
import { VOTE, type Vote } from "./vote.ts";

/** Options of {@link DocumentRound}. */
export interface DocumentRoundOptions {
  /** Primitives. */
  readonly crypto: CryptoProvider;
  /** The authority's seed: 32 bytes, which it does not copy. */
  readonly seed: Uint8Array;
  /** All authorities, and how many must agree. */
  readonly trust: DocumentTrust;
  /** Of the network. */
  readonly parameters: NetworkParameters;
  /** Which document is made. */
  readonly epoch: number;
  /** Keeps what was signed and which list was closed, so that a restart changes neither. */
  readonly store: Store;
  /** Takes what convicts others. */
  readonly evidence: EvidenceBook;
}

/** What {@link DocumentRound.sign} did, or why it could not. */
export type SignOutcome =
  | "signed"
  | "few_votes" // fewer than the threshold voted
  | "no_list" // fewer than the threshold closed the same list
  | "no_beacon" // no component of the beacon has enough votes
  | "missing" // we have not all descriptors of the list
  | "signed_other"; // others have our signature of another document, from before we lost our store

const MAX_LIST_LENGTH = MAX_NODES * 34 + 8;

/**
 * How an authority makes one document with others: it signs one roll, one vote and one document, whatever happens, and closes its
 * list of descriptors before the beacon's time, whatever it hears later.
 *
 * As long as fewer than 2 · threshold − authorities are false, no other list than the one that honest authorities closed gets
 * enough votes, and no second document enough signatures.
 */
export class DocumentRound {
  /** When what is due. */
  readonly schedule: EpochSchedule;
  readonly #options: DocumentRoundOptions;
  readonly #store: Store;
  readonly #id: string;
  readonly #rolls: Ballot<Roll>;
  readonly #votes: Ballot<Vote>;
  readonly #endorsements: Ballot<Endorsement>;
  #list: readonly Uint8Array[] | undefined;
  #isClosed = false;
  #payload: Bytes | undefined;

  /** Takes up what the store has of this epoch. */
  constructor(options: DocumentRoundOptions) {
    const { crypto, seed, epoch, trust, store, parameters } = options;
    this.#options = options;
    this.schedule = epochSchedule(epoch, parameters);
    this.#id = encodeHex(crypto.ed25519.publicKey(seed));
    this.#store = namespace(store, "mixnet.rounds");
    const common = { crypto, epoch, trust };
    this.#rolls = new Ballot({ ...common, form: ROLL });
    this.#votes = new Ballot({ ...common, form: VOTE });
    this.#endorsements = new Ballot({ ...common, form: ENDORSEMENT });
    const roll = this.#stored("roll");
    if (roll) this.#rolls.add(roll);
    const list = this.#stored("list");
    if (list) this.#close(list);
    const vote = this.#stored("vote");
    if (vote) this.#votes.add(vote);
    const payload = this.#stored("payload");
    if (payload) this.#endorse(payload);
  }

  /** Says which descriptors we hold, once and before the list is closed; gives whether it did. */
  roll(descriptors: readonly Uint8Array[], nowMs: number): boolean {
    const { rollMs, closeMs } = this.schedule;
    if (this.#rolls.of(this.#id) || this.#isClosed) return false;
    if (nowMs < rollMs || nowMs >= closeMs) return false;
    const { crypto, seed } = this.#options;
    const roll = sign(crypto, ROLL, seed, {
      ...this.#statement,
      descriptors: sorted(descriptors),
    });
    this.#keep("roll", roll);
    this.#rolls.add(roll);
    return true;
  }

  /**
   * Takes another authority's roll.
   *
   * @throws {DirectoryError} As `Ballot.add`; `late` if the list is closed.
   */
  addRoll(bytes: Uint8Array, nowMs: number): void {
    if (this.#rolls.signed.some((known) => equal(known, bytes))) return;
    if (this.#isClosed || nowMs >= this.schedule.closeMs) {
      throw new DirectoryError("late", "The list is closed");
    }
    this.#convict("roll", this.#rolls.add(bytes));
  }

  /** Closes the list when it is time: with what was heard until then, once and for all. */
  close(nowMs: number): void {
    if (this.#isClosed || nowMs < this.schedule.closeMs) return;
    const list = tallyRolls(this.#rolls.values, this.#options.trust);
    const bytes = list ? encodeCbor(list) : new Uint8Array(0);
    this.#keep("list", bytes);
    this.#close(bytes);
  }

  /** The list that we closed; `undefined` before, and if too few rolls were there. */
  get list(): readonly Uint8Array[] | undefined {
    return this.#list;
  }

  /** Whether the roll that we signed or the list that we closed has this hash in hexadecimal. */
  lists(hash: string): boolean {
    return [...this.#rolls.of(this.#id)?.descriptors ?? [], ...this.#list ?? []]
      .some((each) => encodeHex(each) === hash);
  }

  /** Whether it is time to vote and we have not, and closed a list. */
  mayVote(nowMs: number): boolean {
    const { voteMs, votedMs } = this.schedule;
    return !this.#votes.of(this.#id) && this.#list !== undefined &&
      nowMs >= voteMs && nowMs < votedMs;
  }

  /** Votes, if {@link mayVote}; gives whether it did. */
  vote(
    components: BeaconComponents,
    previousHash: Uint8Array,
    nowMs: number,
  ): boolean {
    if (!this.mayVote(nowMs)) return false;
    const { crypto, seed } = this.#options;
    const vote = sign(crypto, VOTE, seed, {
      ...this.#statement,
      ...{ components, previousHash, descriptors: this.#list! },
    });
    this.#keep("vote", vote);
    this.#votes.add(vote);
    return true;
  }

  /**
   * Takes another authority's vote; after we signed it may still convict, and does no more.
   *
   * @throws {DirectoryError} As `Ballot.add`.
   */
  addVote(bytes: Uint8Array): void {
    this.#convict("vote", this.#votes.add(bytes));
  }

  /** Hashes, in hexadecimal, of agreed descriptors that `descriptorOf` does not have. */
  missing(descriptorOf: (hash: string) => Uint8Array | undefined): string[] {
    const { descriptors = [] } = this.#tally ?? {};
    return descriptors.map((hash) => encodeHex(hash))
      .filter((hash) => !descriptorOf(hash));
  }

  /** Signs what the votes agree on, once, when it is time. */
  sign(
    descriptorOf: (hash: string) => Uint8Array | undefined,
  ): SignOutcome {
    if (this.#payload) return "signed";
    const { crypto, epoch, parameters } = this.#options;
    const tally = this.#tally;
    if (!tally) return "few_votes";
    const { descriptors: list, beacon, previousHash } = tally;
    if (!list) return "no_list";
    if (!beacon) return "no_beacon";
    const descriptors: Uint8Array[] = [];
    for (const hash of list) {
      const descriptor = descriptorOf(encodeHex(hash));
      if (!descriptor) return "missing";
      descriptors.push(descriptor);
    }
    const payload = makeDocument(crypto, {
      ...{ parameters, epoch, beacon, previousHash, descriptors },
    });
    const said = this.#endorsements.of(this.#id)?.hash;
    if (said && !equal(said, crypto.hash("sha256", payload))) {
      return "signed_other";
    }
    this.#keep("payload", payload);
    this.#endorse(payload);
    return "signed";
  }

  /** Whether we signed a document. */
  get hasSigned(): boolean {
    return this.#payload !== undefined;
  }

  /**
   * Takes an endorsement.
   *
   * @throws {DirectoryError} As `Ballot.add`.
   */
  addEndorsement(bytes: Uint8Array): void {
    this.#convict("endorsement", this.#endorsements.add(bytes));
  }

  /** How many authorities signed another document than ours. */
  get disagreements(): number {
    const hash = this.#hash;
    return this.#endorsements.values
      .filter((each) => hash && !equal(each.hash, hash)).length;
  }

  /** The signed document, once enough authorities have signed. */
  get document(): Bytes | undefined {
    const hash = this.#hash;
    if (!this.#payload || !hash) return undefined;
    const signatures = this.#endorsements.counted
      .filter(({ value }) => equal(value.hash, hash))
      .map(({ value, bytes }) =>
        [value.authority, parts(ENDORSEMENT, bytes)[1]] as const
      );
    return signatures.length >= this.#options.trust.threshold
      ? joinDocument(this.#payload, signatures)
      : undefined;
  }

  /** All that is known of one kind, signed, in a CBOR array. */
  known(kind: EvidenceKind): Bytes {
    const ballots = {
      roll: this.#rolls,
      vote: this.#votes,
      endorsement: this.#endorsements,
    };
    return encodeCbor([...ballots[kind].signed]);
  }

  get #statement(): Statement {
    const { crypto, seed, epoch, trust: { network } } = this.#options;
    return { network, epoch, authority: crypto.ed25519.publicKey(seed) };
  }

  get #tally() {
    return tallyVotes(this.#votes.values, this.#options.trust);
  }

  get #hash(): Bytes | undefined {
    return this.#payload && this.#options.crypto.hash("sha256", this.#payload);
  }

  #close(list: Uint8Array): void {
    this.#isClosed = true;
    if (list.length === 0) return;
    const cbor = decode(list, MAX_LIST_LENGTH, 1, MAX_NODES + 1);
    this.#list = hashesOf(cbor, MAX_NODES);
  }

  #endorse(payload: Bytes): void {
    const { crypto, seed } = this.#options;
    this.#payload = payload;
    this.#endorsements.add(endorse(crypto, seed, payload));
  }

  #convict(
    kind: EvidenceKind,
    signed: readonly [Bytes, Bytes] | undefined,
  ): void {
    if (signed) this.#options.evidence.add(encodeEvidence({ kind, signed }));
  }

  /** Under our key and the network's name, as a store may outlive both. */
  #nameOf(what: string): Bytes {
    const { epoch, trust } = this.#options;
    return utf8(`${trust.network} ${this.#id} ${epoch} ${what}`);
  }

  #stored(what: string): Bytes | undefined {
    return this.#store.get(this.#nameOf(what));
  }

  #keep(what: string, bytes: Bytes): void {
    const { epoch, parameters } = this.#options;
    const expiresAt = (epoch + 2) * parameters.epochSeconds * 1000;
    this.#store.set(this.#nameOf(what), bytes, { expiresAt });
  }
}

function sorted(hashes: readonly Uint8Array[]): Uint8Array[] {
  return [...hashes].sort((a, b) => encodeHex(a) < encodeHex(b) ? -1 : 1);
}
