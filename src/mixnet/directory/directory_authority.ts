import {
  type Clock,
  Deadline,
  delay,
  systemClock,
} from "../../core/async/mod.ts";
import {
  type Bytes,
  encodeCbor,
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
import type { DirectoryFetch } from "./directory_fetch.ts";
import {
  type DirectoryDocument,
  type DocumentTrust,
  MAX_DOCUMENT_LENGTH,
  type NetworkParameters,
} from "./directory_document.ts";
import { type Directory, DocumentHistory } from "./document_history.ts";
import { DocumentRound, MAX_SIGNATURES_LENGTH } from "./document_round.ts";
import { epochSchedule } from "./epoch_schedule.ts";
import { DirectoryError } from "./error.ts";
import { arrayOf, bytesOf } from "./fields.ts";
import { decode, MAX_DESCRIPTOR_LENGTH } from "./node_descriptor.ts";
import { MAX_VOTE_LENGTH } from "./vote.ts";

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

const NAMESPACE = "mixnet.documents";
const STEPS_PER_EPOCH = 120;
/** How long all requests of a step may take, in steps. */
const PATIENCE = 4;
const MAX_MISSING = 256;

/** An authority: takes descriptors, votes with the others and signs a document before each epoch. */
export class DirectoryAuthority implements Directory {
  readonly #options: DirectoryAuthorityOptions;
  readonly #clock: Clock;
  readonly #stepMs: number;
  readonly #pool: DescriptorPool;
  readonly #history: DocumentHistory;
  readonly #store: Store;
  readonly #rounds = new Map<number, DocumentRound>();
  /** Descriptors of a round's votes, which the pool may not have any more. */
  readonly #voted = new Map<number, Map<string, Bytes>>();
  readonly #documents = new Map<number, Bytes>();
  readonly #said = new Set<string>();

  /**
   * Takes up what the store has.
   *
   * @throws {RangeError} If our key is no authority's, or the threshold is not more than half of them and at most all.
   */
  constructor(options: DirectoryAuthorityOptions) {
    const { crypto, seed, trust, parameters, store, clock = systemClock } =
      options;
    const key = crypto.ed25519.publicKey(seed.expose());
    const { authorities, threshold } = trust;
    if (!authorities.some((each) => equal(each, key))) {
      throw new RangeError("Our key is none of the authorities'");
    }
    if (!(threshold > authorities.length / 2)) {
      throw new RangeError("Want a threshold of more than half");
    }
    if (threshold > authorities.length) {
      throw new RangeError("Want a threshold of at most all");
    }
    this.#options = options;
    this.#clock = clock;
    this.#stepMs = parameters.epochSeconds * 1000 / STEPS_PER_EPOCH;
    this.#pool = new DescriptorPool({
      ...options,
      network: parameters.network,
    });
    this.#history = new DocumentHistory({ ...trust, crypto });
    this.#store = namespace(store, NAMESPACE);
    store.sweep(clock.wallTime());
    for (const { value } of this.#store.entries()) this.#restore(value);
  }

  /** Number of nodes that it knows. */
  get nodes(): number {
    return this.#pool.size;
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
    for (const voted of this.#voted.values()) {
      const found = voted.get(hash);
      if (found) return found;
    }
    return this.#pool.get(hash);
  }

  /** All votes for `epoch` that are known, in a CBOR array. */
  votes(epoch: number): Bytes | undefined {
    const round = this.#rounds.get(epoch);
    return round && encodeCbor([...round.ballot.votes]);
  }

  /** `DocumentRound.signatures` of `epoch`. */
  signatures(epoch: number): Bytes | undefined {
    return this.#rounds.get(epoch)?.signatures;
  }

  /** Both votes of each authority that signed two for `epoch`, by its key in hexadecimal. */
  equivocations(
    epoch: number,
  ): ReadonlyMap<string, readonly [Bytes, Bytes]> {
    return this.#rounds.get(epoch)?.ballot.equivocations ?? new Map();
  }

  /**
   * Takes a node's signed descriptor.
   *
   * @throws {DirectoryError} As `DescriptorPool.add`.
   */
  submit(descriptor: Uint8Array): void {
    this.#pool.add(descriptor, this.#clock.wallTime());
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
    const nowMs = this.#clock.wallTime();
    const lengthMs = this.#options.parameters.epochSeconds * 1000;
    const current = Math.floor(nowMs / lengthMs);
    this.#forget(current);
    for (const epoch of [current, current + 1]) {
      if (signal.aborted) return;
      await this.#advance(epoch, deadline.signal).catch((error) => {
        if (!signal.aborted) {
          this.#options.log.error("directory.step", { epoch, error });
        }
      });
    }
  }

  async #advance(epoch: number, signal: AbortSignal): Promise<void> {
    const schedule = epochSchedule(epoch, this.#options.parameters);
    const nowMs = this.#clock.wallTime();
    if (nowMs < schedule.voteMs || this.#documents.has(epoch)) return;
    const round = this.#round(epoch);
    if (!round.hasVoted && nowMs < schedule.closeMs) {
      await this.#vote(epoch, round, signal);
    }
    await this.#fromPeers(`/votes/${epoch}`, this.#maxVotes, (body) => {
      for (
        const vote of arrayOf(decode(body, this.#maxVotes, 1, 256), 0, 128)
      ) {
        round.ballot.add(bytesOf(vote));
      }
    }, signal);
    for (const authority of round.ballot.equivocations.keys()) {
      this.#sayOnce("directory.equivocation", { epoch, authority });
    }
    if (this.#clock.wallTime() < schedule.signMs) return;
    await this.#sign(epoch, round, signal);
    await this.#collect(epoch, round, signal);
  }

  async #vote(epoch: number, round: DocumentRound, signal: AbortSignal) {
    const components = await this.#options.beacon(epoch, signal);
    const { voteMs, closeMs } = epochSchedule(epoch, this.#options.parameters);
    const isEarly = this.#clock.wallTime() < (voteMs + closeMs) / 2;
    if (isEarly && [...components.values()].includes(undefined)) return;
    this.#pool.sweep(this.#clock.wallTime());
    const held = new Map(this.#pool.byHash);
    this.#voted.set(epoch, held);
    const hashes = [...held.keys()].map((hash) => Uint8Array.fromHex(hash));
    const before = this.#history.document(epoch - 1)?.hash;
    round.vote(hashes, components, before ?? new Uint8Array(0));
    this.#options.log.info("directory.voted", { epoch, nodes: held.size });
  }

  async #sign(epoch: number, round: DocumentRound, signal: AbortSignal) {
    if (round.hasSigned) return;
    const { crypto, log } = this.#options;
    const get = (hash: string) => this.descriptor(hash);
    const voted = this.#voted.get(epoch) ?? new Map<string, Bytes>();
    this.#voted.set(epoch, voted);
    for (const hash of round.missing(get).slice(0, MAX_MISSING)) {
      const path = `/descriptor/${hash}`;
      await this.#fromPeers(path, MAX_DESCRIPTOR_LENGTH, (body) => {
        if (encodeHex(crypto.hash("sha256", body)) === hash) {
          voted.set(hash, body);
        }
      }, signal);
    }
    const outcome = round.sign(get);
    if (outcome === "signed") log.info("directory.signed", { epoch });
    else this.#sayOnce("directory.not_signed", { epoch, reason: outcome });
  }

  async #collect(epoch: number, round: DocumentRound, signal: AbortSignal) {
    await this.#fromPeers(
      `/signatures/${epoch}`,
      MAX_SIGNATURES_LENGTH,
      (body) => round.addSignatures(body),
      signal,
    );
    const { document, disagreements } = round;
    if (document) return this.#take(document);
    if (disagreements > 0) {
      this.#sayOnce("directory.disagreement", { epoch, disagreements });
    }
    await this.#fromPeers(`/document/${epoch}`, MAX_DOCUMENT_LENGTH, (body) => {
      if (!this.#documents.has(epoch)) this.#take(body);
    }, signal);
  }

  #take(bytes: Bytes): void {
    const { epoch, validUntilMs, nodes } = this.#history.add(
      bytes,
      this.#clock.wallTime(),
    );
    this.#store.set(utf8(String(epoch)), bytes, { expiresAt: validUntilMs });
    this.#documents.set(epoch, bytes);
    this.#options.log.info("directory.document", {
      epoch,
      nodes: nodes.length,
    });
  }

  /** Asks all peers at once for `path`, and gives `take` what they have; an answer that it throws at is logged. */
  async #fromPeers(
    path: string,
    maxBytes: number,
    take: (body: Bytes) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const { peers, ask, log } = this.#options;
    await Promise.all(peers.map(async (address) => {
      try {
        const answer = await ask({ address, path, maxBytes }, signal);
        if (answer.status === 200) take(answer.body);
      } catch (error) {
        if (!(error instanceof DirectoryError)) throw error;
        log.debug("directory.peer", { address, code: error.code });
      }
    }));
  }

  get #maxVotes(): number {
    return 2 * this.#options.trust.authorities.length * (MAX_VOTE_LENGTH + 8);
  }

  #round(epoch: number): DocumentRound {
    const known = this.#rounds.get(epoch);
    if (known) return known;
    const { seed, ...options } = this.#options;
    const round = new DocumentRound({
      ...options,
      seed: seed.expose(),
      epoch,
    });
    this.#rounds.set(epoch, round);
    return round;
  }

  #forget(current: number): void {
    for (const kept of [this.#rounds, this.#voted, this.#documents]) {
      for (const epoch of [...kept.keys()]) {
        if (epoch < current - 1) kept.delete(epoch);
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
