import {
  type Clock,
  Deadline,
  delay,
  systemClock,
} from "../../core/async/mod.ts";
import {
  type Bytes,
  decodeHex,
  encodeHex,
  equal,
  utf8,
} from "../../core/bytes/mod.ts";
import type { CryptoProvider, Secret } from "../../core/crypto/mod.ts";
import type { Logger } from "../../core/log/mod.ts";
import { namespace, type Store } from "../../core/storage/mod.ts";
import type { Address } from "../../core/transport/mod.ts";
import type { BeaconComponents } from "../beacon/beacon_set.ts";
import { DescriptorPool } from "./descriptor_pool.ts";
import {
  type DirectoryDocument,
  MAX_DOCUMENT_LENGTH,
} from "./directory_document.ts";
import type { DirectoryFetch } from "./directory_fetch.ts";
import { DirectoryPeers } from "./directory_peers.ts";
import { type Directory, DocumentHistory } from "./document_history.ts";
import { DocumentRound } from "./document_round.ts";
import { checkTrust, type DocumentTrust } from "./document_trust.ts";
import { ENDORSEMENT } from "./endorsement.ts";
import { DirectoryError, type DirectoryErrorCode } from "./error.ts";
import type { EvidenceKind } from "./evidence.ts";
import { EvidenceBook } from "./evidence_book.ts";
import { arrayOf, bytesOf, decode, malformed } from "./fields.ts";
import type { NetworkParameters } from "./network_parameters.ts";
import { MAX_DESCRIPTOR_LENGTH } from "./node_descriptor.ts";
import { ROLL } from "./roll.ts";
import { VOTE } from "./vote.ts";

/** Options of {@link DirectoryAuthority}. */
export interface DirectoryAuthorityOptions {
  /** Primitives. */
  readonly crypto: CryptoProvider;
  /** Our Ed25519 seed, whose public key is one of the authorities. */
  readonly seed: Secret;
  /** All authorities, ourselves among them, and how many must sign: more than half. */
  readonly trust: DocumentTrust;
  /** Of the network; the same at all authorities, else none of their documents has enough signatures. */
  readonly parameters: NetworkParameters;
  /** Where the other authorities are. */
  readonly peers: readonly Address[];
  /** Asks them. */
  readonly ask: DirectoryFetch;
  /** What is to be had of the BeaconSet's components of an epoch. */
  readonly beacon: (
    epoch: number,
    signal: AbortSignal,
  ) => Promise<BeaconComponents>;
  /** Keeps descriptors, what was signed, and documents. */
  readonly store: Store;
  /** Identity keys of the nodes that may join; all by default. */
  readonly registered?: readonly Uint8Array[];
  /** Where it says what happened. */
  readonly log: Logger;
  /** Time. */
  readonly clock?: Clock;
}

const STEPS_PER_EPOCH = 120;
/** How long all requests of a step may take, in steps. */
const PATIENCE = 4;
const MAX_MISSING = 256;
const MAX_LENGTH: Readonly<Record<EvidenceKind, number>> = {
  roll: ROLL.maxLength,
  vote: VOTE.maxLength,
  endorsement: ENDORSEMENT.maxLength,
};

/** An authority: takes descriptors, closes a list of them and votes on it with the others, and signs a document before each epoch. */
export class DirectoryAuthority implements Directory {
  /** What convicts authorities, for good. */
  readonly evidence: EvidenceBook;
  readonly #options: DirectoryAuthorityOptions;
  readonly #clock: Clock;
  readonly #stepMs: number;
  readonly #pool: DescriptorPool;
  readonly #peers: DirectoryPeers;
  readonly #history: DocumentHistory;
  /** Documents by epoch. */
  readonly #kept: Store;
  /** Descriptors by hash that rounds need and the pool does not have, or not any more. */
  readonly #listed: Store;
  readonly #rounds = new Map<number, DocumentRound>();
  readonly #documents = new Map<number, Bytes>();
  readonly #said = new Set<string>();

  /**
   * Takes up what the store has.
   *
   * @throws {RangeError} If our key is no authority's, one is there twice, or the threshold is not more than half of them and at most
   * all.
   */
  constructor(options: DirectoryAuthorityOptions) {
    const { crypto, seed, trust, parameters, store, clock = systemClock } =
      options;
    const key = crypto.ed25519.publicKey(seed.expose());
    if (!trust.authorities.some((each) => equal(each, key))) {
      throw new RangeError("Our key is none of the authorities'");
    }
    checkTrust(trust);
    this.#options = options;
    this.#clock = clock;
    this.#stepMs = parameters.epochSeconds * 1000 / STEPS_PER_EPOCH;
    this.#peers = new DirectoryPeers({
      ...{ addresses: options.peers, ask: options.ask, log: options.log },
      ...{ timeoutMs: this.#stepMs, clock },
    });
    store.sweep(clock.wallTime());
    this.#pool = new DescriptorPool(options);
    this.evidence = new EvidenceBook(crypto, trust, store);
    const { epochSeconds } = parameters;
    this.#history = new DocumentHistory({ ...trust, crypto, epochSeconds });
    this.#kept = namespace(store, "mixnet.documents");
    this.#listed = namespace(store, "mixnet.listed");
    for (const { value } of this.#kept.entries()) this.#restore(value);
    // Descriptors that these list are to be kept from now on.
    for (const epoch of this.#epochs) this.#round(epoch);
  }

  /** Number of nodes that it knows. */
  get nodes(): number {
    return this.#pool.size;
  }

  /** How often something of other authorities was refused, or they did not answer, by reason. */
  get refused(): ReadonlyMap<DirectoryErrorCode, number> {
    return this.#peers.refused;
  }

  /** The document of `epoch`. */
  document(epoch: number): DirectoryDocument | undefined {
    return this.#history.document(epoch);
  }

  /** The signed document of `epoch`. */
  documentBytes(epoch: number): Bytes | undefined {
    return this.#documents.get(epoch);
  }

  /** The descriptor of this SHA-256 in hexadecimal. */
  descriptor(hash: string): Bytes | undefined {
    return this.#pool.get(hash) ?? this.#listed.get(decodeHex(hash));
  }

  /** All rolls, votes or endorsements for `epoch` that are known, in a CBOR array. */
  known(kind: EvidenceKind, epoch: number): Bytes | undefined {
    return this.#rounds.get(epoch)?.known(kind);
  }

  /**
   * Takes a node's signed descriptor.
   *
   * @throws {DirectoryError} As `DescriptorPool.add`.
   */
  submit(descriptor: Uint8Array): void {
    const replaced = this.#pool.add(descriptor, this.#clock.wallTime());
    if (!replaced) return;
    const hash = encodeHex(this.#options.crypto.hash("sha256", replaced));
    for (const [epoch, round] of this.#rounds) {
      if (round.lists(hash)) this.#keepListed(epoch, hash, replaced);
    }
  }

  /** Works until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const startMs = this.#clock.now();
      await this.step(signal);
      const tookMs = this.#clock.now() - startMs;
      await delay(this.#clock, Math.max(0, this.#stepMs - tookMs), { signal })
        .catch(() => {});
    }
  }

  /** Does all that is due. */
  async step(signal: AbortSignal): Promise<void> {
    using deadline = new Deadline(this.#clock, PATIENCE * this.#stepMs, {
      signal,
    });
    const epochs = this.#epochs;
    this.#forget(epochs[0] - 1);
    await Promise.all(
      epochs.map((epoch) =>
        this.#advance(epoch, deadline.signal).catch((error) => {
          if (!signal.aborted) {
            this.#options.log.error("directory.step", { epoch, error });
          }
        })
      ),
    );
    for (const { kind, authority, epoch } of this.evidence.all) {
      const id = encodeHex(authority);
      this.#sayOnce("directory.evidence", { kind, authority: id, epoch });
    }
  }

  async #advance(epoch: number, signal: AbortSignal): Promise<void> {
    const round = this.#round(epoch);
    const { rollMs, closeMs, voteMs, signMs, beginMs } = round.schedule;
    const now = () => this.#clock.wallTime();
    if (now() < rollMs) return;
    if (this.#documents.has(epoch)) {
      // Whoever signs two documents shows the second to others.
      if (now() < beginMs) await this.#endorsements(epoch, round, signal);
      return;
    }
    // First what others know: if our store was lost, what we signed before is among it, and counts.
    if (now() < closeMs) {
      await this.#gather("roll", epoch, (each) => {
        round.addRoll(each, now());
      }, signal);
      this.#pool.sweep(now());
      if (round.roll(this.#pool.hashesOf(epoch), now())) {
        this.#options.log.info("directory.rolled", { epoch });
      }
    }
    round.close(now());
    if (now() < voteMs) return;
    await this.#gather("vote", epoch, (each) => round.addVote(each), signal);
    if (round.mayVote(now())) await this.#vote(epoch, round, signal);
    if (now() < signMs) return;
    await this.#endorsements(epoch, round, signal);
    await this.#sign(epoch, round, signal);
    await this.#collect(epoch, round, signal);
  }

  async #vote(epoch: number, round: DocumentRound, signal: AbortSignal) {
    const components = await this.#options.beacon(epoch, signal);
    const { voteMs, votedMs } = round.schedule;
    const isEarly = this.#clock.wallTime() < (voteMs + votedMs) / 2;
    if (isEarly && [...components.values()].includes(undefined)) return;
    const before = this.#history.document(epoch - 1)?.hash;
    const nowMs = this.#clock.wallTime();
    if (round.vote(components, before ?? new Uint8Array(0), nowMs)) {
      const nodes = round.list?.length;
      this.#options.log.info("directory.voted", { epoch, nodes });
    }
  }

  async #sign(epoch: number, round: DocumentRound, signal: AbortSignal) {
    if (round.hasSigned) return;
    const get = (hash: string) => this.descriptor(hash);
    for (const hash of round.missing(get).slice(0, MAX_MISSING)) {
      await this.#peers.first(
        `/descriptor/${hash}`,
        MAX_DESCRIPTOR_LENGTH,
        (body) => this.#keepListed(epoch, hash, body),
        signal,
      );
    }
    const outcome = round.sign(get);
    const { log } = this.#options;
    if (outcome === "signed") log.info("directory.signed", { epoch });
    else this.#sayOnce("directory.not_signed", { epoch, reason: outcome });
  }

  async #collect(epoch: number, round: DocumentRound, signal: AbortSignal) {
    const { document, disagreements } = round;
    if (document) return this.#take(document);
    if (disagreements > 0) {
      this.#sayOnce("directory.disagreement", { epoch, disagreements });
    }
    await this.#peers.first(
      `/document/${epoch}`,
      MAX_DOCUMENT_LENGTH,
      (body) => this.#take(body),
      signal,
    );
  }

  #endorsements(epoch: number, round: DocumentRound, signal: AbortSignal) {
    return this.#gather("endorsement", epoch, (each) => {
      round.addEndorsement(each);
    }, signal);
  }

  /** Gives `add` all of one kind that others know; each that it throws at is counted alone. */
  #gather(
    kind: EvidenceKind,
    epoch: number,
    add: (bytes: Bytes) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const count = 2 * this.#options.trust.authorities.length;
    const maxBytes = count * (MAX_LENGTH[kind] + 5) + 3;
    return this.#peers.each(`/${kind}s/${epoch}`, maxBytes, (body) => {
      const list = arrayOf(decode(body, maxBytes, 1, count + 1), 0, count);
      for (const each of list) {
        this.#peers.try(() => add(bytesOf(each)), { kind, epoch });
      }
    }, signal);
  }

  #take(bytes: Bytes): void {
    const nowMs = this.#clock.wallTime();
    const { epoch, validUntilMs, nodes } = this.#history.add(bytes, nowMs);
    this.#kept.set(utf8(String(epoch)), bytes, { expiresAt: validUntilMs });
    this.#documents.set(epoch, bytes);
    const { log } = this.#options;
    log.info("directory.document", { epoch, nodes: nodes.length });
  }

  #keepListed(epoch: number, hash: string, bytes: Bytes): void {
    const { crypto, parameters } = this.#options;
    if (encodeHex(crypto.hash("sha256", bytes)) !== hash) {
      return malformed("Another descriptor than was asked for");
    }
    const expiresAt = (epoch + 2) * parameters.epochSeconds * 1000;
    this.#listed.set(decodeHex(hash), bytes, { expiresAt });
  }

  /** This epoch and the next. */
  get #epochs(): readonly [number, number] {
    const lengthMs = this.#options.parameters.epochSeconds * 1000;
    const current = Math.floor(this.#clock.wallTime() / lengthMs);
    return [current, current + 1];
  }

  #round(epoch: number): DocumentRound {
    const known = this.#rounds.get(epoch);
    if (known) return known;
    const { seed, ...options } = this.#options;
    const round = new DocumentRound({
      ...{ ...options, epoch, evidence: this.evidence },
      seed: seed.expose(),
    });
    this.#rounds.set(epoch, round);
    return round;
  }

  #forget(before: number): void {
    for (const kept of [this.#rounds, this.#documents]) {
      for (const epoch of [...kept.keys()]) {
        if (epoch < before) kept.delete(epoch);
      }
    }
    this.#options.store.sweep(this.#clock.wallTime());
  }

  #restore(bytes: Bytes): void {
    try {
      const { epoch } = this.#history.add(bytes, this.#clock.wallTime());
      this.#documents.set(epoch, bytes);
    } catch (error) {
      if (!(error instanceof DirectoryError)) throw error;
      this.#options.log.warn("directory.restore", { code: error.code });
    }
  }

  #sayOnce(event: string, fields: Readonly<Record<string, unknown>>): void {
    const text = `${event} ${JSON.stringify(fields)}`;
    if (this.#said.has(text)) return;
    if (this.#said.size > 256) this.#said.clear();
    this.#said.add(text);
    this.#options.log.warn(event, fields);
  }
}
