import {
  Backoff,
  type Clock,
  Deadline,
  delay,
  systemClock,
} from "../../core/async/mod.ts";
import { type Bytes, encodeHex, utf8 } from "../../core/bytes/mod.ts";
import type { CryptoProvider } from "../../core/crypto/mod.ts";
import { type Logger, silentLogger } from "../../core/log/mod.ts";
import { namespace, StorageError, type Store } from "../../core/storage/mod.ts";
import type { Address } from "../../core/transport/mod.ts";
import {
  type DirectoryDocument,
  MAX_DOCUMENT_LENGTH,
} from "./directory_document.ts";
import type { DirectoryFetch } from "./directory_fetch.ts";
import { type Directory, DocumentHistory } from "./document_history.ts";
import { checkTrust, type DocumentTrust } from "./document_trust.ts";
import { epochSchedule } from "./epoch_schedule.ts";
import { DirectoryError, type DirectoryErrorCode } from "./error.ts";
import { MAX_EVIDENCE_LENGTH } from "./evidence.ts";
import { EvidenceBook } from "./evidence_book.ts";
import { arrayOf, bytesOf, decode } from "./fields.ts";

/** Options of {@link DirectoryClient}. */
export interface DirectoryClientOptions {
  /** Primitives. */
  readonly crypto: CryptoProvider;
  /** Whose documents count. */
  readonly trust: DocumentTrust;
  /** Length of the network's epochs; documents that say another are refused. */
  readonly epochSeconds: number;
  /** Where the authorities are: 1 to 64. */
  readonly authorities: readonly Address[];
  /** Asks them. */
  readonly ask: DirectoryFetch;
  /** How many authorities' documents are compared, so that a split is seen; 2 by default, as far as they answer. */
  readonly witnesses?: number;
  /** Keeps the documents over restarts. */
  readonly store: Store;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Where it says what it refused. */
  readonly log?: Logger;
  /** Time. */
  readonly clock?: Clock;
}

const NAMESPACE = "mixnet.directory";
const REQUEST_TIMEOUT_MS = 30_000;
const MIN_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 60_000;
const MAX_KINDS = 3;

/** Keeps the documents of this epoch and the next, of which it asks the authorities in an order of chance. */
export class DirectoryClient implements Directory {
  /** What convicts authorities, for good: of splits that were seen, and what {@link gatherEvidence} got. */
  readonly evidence: EvidenceBook;
  readonly #options: DirectoryClientOptions;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #store: Store;
  readonly #history: DocumentHistory;
  readonly #refused = new Map<DirectoryErrorCode, number>();
  #newest = -1;

  /**
   * Takes up the documents of the store that are still good.
   *
   * @throws {RangeError} If an authority is there twice, or the threshold is not more than half of them and at most all.
   */
  constructor(options: DirectoryClientOptions) {
    const { crypto, trust, store, clock = systemClock } = options;
    checkTrust(trust);
    this.#options = options;
    this.#clock = clock;
    this.#log = options.log ?? silentLogger;
    this.#store = namespace(store, NAMESPACE);
    const { epochSeconds } = options;
    this.#history = new DocumentHistory({ ...trust, crypto, epochSeconds });
    this.evidence = new EvidenceBook(crypto, trust, store);
    for (const { key, value } of this.#store.entries()) {
      const epoch = epochIn(key);
      this.#newest = Math.max(this.#newest, epoch);
      try {
        this.#history.add(value, clock.wallTime());
      } catch (error) {
        if (!(error instanceof DirectoryError)) throw error;
        if (epoch < this.#newest) this.#store.delete(key);
      }
    }
  }

  /** The document of `epoch`, if we have it. */
  document(epoch: number): DirectoryDocument | undefined {
    return this.#history.document(epoch);
  }

  /** The same with its signatures, for others to verify. */
  signedDocument(epoch: number): Bytes | undefined {
    return this.#history.signed(epoch);
  }

  /** The epoch that it is now. */
  get epoch(): number {
    return Math.floor(
      this.#clock.wallTime() / (this.#options.epochSeconds * 1000),
    );
  }

  /** How many answers were refused or failed, by reason. */
  get refused(): ReadonlyMap<DirectoryErrorCode, number> {
    return this.#refused;
  }

  /**
   * Gets the document of `epoch`, if it is not there.
   *
   * @throws {DirectoryError} `split` if two are known; else of the last authority asked, if none had a good one.
   */
  async update(
    epoch: number,
    signal: AbortSignal,
  ): Promise<DirectoryDocument> {
    const known = this.#history.document(epoch);
    if (known) return known;
    const { authorities, random, witnesses = 2 } = this.#options;
    let document: DirectoryDocument | undefined;
    let failure = new DirectoryError("unreachable", "No directory is known");
    let good = 0;
    for (const address of shuffled(authorities, random)) {
      if (good >= witnesses) break;
      signal.throwIfAborted();
      try {
        document = await this.#get(address, epoch, signal) ?? document;
        good++;
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof DirectoryError)) throw error;
        failure = error;
        this.#refuse(address, error);
        if (error.code === "split") throw error;
      }
    }
    if (!document) throw failure;
    return document;
  }

  /**
   * Keeps the documents of the epoch and, from some time after it is signed, of the next until `signal` aborts. That time is
   * random, so that not all clients come at once.
   */
  async run(signal: AbortSignal): Promise<void> {
    const backoff = new Backoff({
      minMs: this.#bounded(MIN_PAUSE_MS),
      maxMs: this.#bounded(MAX_PAUSE_MS),
      random: this.#options.random,
      clock: this.#clock,
    });
    let nextAtMs = this.#askAtMs(this.epoch + 1);
    let askedFor = this.epoch + 1;
    while (!signal.aborted) {
      const now = this.epoch;
      if (askedFor <= now) {
        askedFor = now + 1;
        nextAtMs = this.#askAtMs(askedFor);
      }
      const isDue = this.#clock.wallTime() >= nextAtMs;
      // A network begins with a next epoch, and without this one.
      const hasNow = await this.#has(now, signal);
      const hasNext = isDue && await this.#has(now + 1, signal);
      if (hasNow && hasNext === isDue) {
        backoff.reset();
        const beginMs = this.#beginMs(now + 1);
        await this.#until(hasNext ? beginMs : nextAtMs, signal);
      } else await backoff.wait({ signal }).catch(() => {});
    }
  }

  async #has(epoch: number, signal: AbortSignal): Promise<boolean> {
    try {
      await this.update(epoch, signal);
      return true;
    } catch (error) {
      if (!signal.aborted && !(error instanceof DirectoryError)) throw error;
      return false;
    }
  }

  /** Asks every authority what convicts others, and keeps what does. */
  async gatherEvidence(signal: AbortSignal): Promise<void> {
    for (const address of this.#options.authorities) {
      await this.#gatherEvidence(address, signal).catch((error) => {
        signal.throwIfAborted();
        if (!(error instanceof DirectoryError)) throw error;
        this.#refuse(address, error);
      });
    }
  }

  async #gatherEvidence(address: Address, signal: AbortSignal): Promise<void> {
    const list = async (path: string, count: number, length: number) => {
      const maxBytes = count * (length + 5) + 3;
      const body = await this.#ask(address, path, maxBytes, signal);
      return arrayOf(decode(body, maxBytes, 1, count + 1), 0, count)
        .map((item) => bytesOf(item));
    };
    const { authorities } = this.#options.trust;
    for (const key of await list("/evidence", authorities.length, 32)) {
      const path = `/evidence/${encodeHex(key)}`;
      const found = await list(path, MAX_KINDS, MAX_EVIDENCE_LENGTH);
      for (const each of found) this.evidence.add(each);
    }
  }

  async #get(
    address: Address,
    epoch: number,
    signal: AbortSignal,
  ): Promise<DirectoryDocument> {
    const path = `/document/${epoch}`;
    const body = await this.#ask(address, path, MAX_DOCUMENT_LENGTH, signal);
    if (epoch < this.#newest - 1) {
      throw new DirectoryError("stale", "There were later documents already");
    }
    try {
      const document = this.#history.add(body, this.#clock.wallTime());
      if (document.epoch !== epoch) {
        throw new DirectoryError("malformed", "The document of another epoch");
      }
      this.#keep(epoch, String(epoch), body);
      return document;
    } catch (error) {
      if (error instanceof DirectoryError && error.code === "split") {
        this.#keepSplit(epoch, error.evidence);
      }
      throw error;
    }
  }

  /** Keeps the other document too, so that after a restart the epoch is split still. */
  #keepSplit(epoch: number, [one, other]: readonly Uint8Array[]): void {
    if (!one || !other) return;
    this.#keep(epoch, `${epoch} other`, other);
    this.evidence.addSplit([one, other]);
  }

  async #ask(
    address: Address,
    path: string,
    maxBytes: number,
    signal: AbortSignal,
  ): Promise<Bytes> {
    using deadline = new Deadline(this.#clock, REQUEST_TIMEOUT_MS, { signal });
    const { status, body } = await this.#options.ask(
      { address, path, maxBytes },
      deadline.signal,
    );
    if (status === 200) return body;
    throw new DirectoryError("refused", `Answered with status ${status}`);
  }

  /** A store that fails costs the document after a restart, not now. */
  #keep(epoch: number, name: string, bytes: Uint8Array): void {
    this.#newest = Math.max(this.#newest, epoch);
    try {
      this.#store.transaction(() => {
        this.#store.set(utf8(name), bytes);
        for (const { key } of this.#store.entries()) {
          if (epochIn(key) < this.#newest - 2) this.#store.delete(key);
        }
      });
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      this.#log.warn("directory.not_kept", { epoch, error });
    }
  }

  #refuse(address: Address, { code }: DirectoryError): void {
    this.#refused.set(code, (this.#refused.get(code) ?? 0) + 1);
    const isAnswer = code !== "refused" && code !== "unreachable";
    if (isAnswer) this.#log.warn("directory.refused", { address, code });
    else this.#log.debug("directory.unanswered", { address, code });
  }

  #beginMs(epoch: number): number {
    return epochSchedule(epoch, this.#options).beginMs;
  }

  /** Between signing and the middle of what is left until the epoch begins. */
  #askAtMs(epoch: number): number {
    const { signMs, beginMs } = epochSchedule(epoch, this.#options);
    const windowMs = (beginMs - signMs) / 2;
    return signMs + windowMs / 4 + this.#options.random() * windowMs / 2;
  }

  #bounded(ms: number): number {
    return Math.min(ms, this.#options.epochSeconds * 1000 / 64);
  }

  async #until(wallMs: number, signal: AbortSignal): Promise<void> {
    const waitMs = Math.max(1, wallMs - this.#clock.wallTime());
    // The wall clock may jump: look at it from time to time.
    const mostMs = this.#bounded(MAX_PAUSE_MS);
    await delay(this.#clock, Math.min(waitMs, mostMs), { signal })
      .catch(() => {});
  }
}

function epochIn(key: Uint8Array): number {
  return parseInt(new TextDecoder().decode(key));
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const list = [...items];
  for (let i = list.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [list[i], list[j]] = [list[j]!, list[i]!];
  }
  return list;
}
