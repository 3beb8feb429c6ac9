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
import {
  type DocumentTrust,
  isSignatureOf,
  joinDocument,
  makeDocument,
  type NetworkParameters,
  signDocument,
} from "./directory_document.ts";
import { arrayOf, bytesOf } from "./fields.ts";
import { decode } from "./node_descriptor.ts";
import { signVote } from "./vote.ts";

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
  /** Keeps what was signed, so that a restart does not make an authority sign another. */
  readonly store: Store;
}

/** Longest answer of {@link DocumentRound.signatures} in bytes. */
export const MAX_SIGNATURES_LENGTH = 64 * 128 + 64;

const NAMESPACE = "mixnet.rounds";

/** How an authority makes one document with others: it signs one vote and one document, whatever happens. */
export class DocumentRound {
  /** The votes. */
  readonly ballot: Ballot;
  readonly #options: DocumentRoundOptions;
  readonly #store: Store;
  readonly #signatures = new Map<string, Bytes>();
  readonly #others = new Set<string>();
  #hasVoted = false;
  #payload: Bytes | undefined;

  /** Takes up what the store has of this epoch. */
  constructor(options: DocumentRoundOptions) {
    const { crypto, epoch, trust, store } = options;
    this.#options = options;
    this.#store = namespace(store, NAMESPACE);
    this.ballot = new Ballot(crypto, epoch, trust);
    const vote = this.#store.get(this.#nameOf("vote"));
    if (vote) this.#vote(vote);
    const payload = this.#store.get(this.#nameOf("payload"));
    if (payload) this.#sign(payload);
  }

  /** Whether we voted. */
  get hasVoted(): boolean {
    return this.#hasVoted;
  }

  /** Whether we signed a document. */
  get hasSigned(): boolean {
    return this.#payload !== undefined;
  }

  /** How many authorities say that they signed another document than ours. */
  get disagreements(): number {
    return this.#others.size;
  }

  /** Votes once; later calls do nothing. */
  vote(
    descriptors: readonly Uint8Array[],
    components: BeaconComponents,
    previousHash: Uint8Array,
  ): void {
    if (this.#hasVoted) return;
    const { crypto, seed, epoch, trust: { network } } = this.#options;
    const vote = signVote(crypto, seed, {
      ...{ network, epoch, components, previousHash },
      descriptors: [...descriptors].sort((a, b) =>
        encodeHex(a) < encodeHex(b) ? -1 : 1
      ),
    });
    this.#keep("vote", vote);
    this.#vote(vote);
  }

  /** Hashes, in hexadecimal, of agreed descriptors that `descriptorOf` does not have. */
  missing(descriptorOf: (hash: string) => Uint8Array | undefined): string[] {
    const { descriptors = [] } = this.ballot.tally() ?? {};
    return descriptors.filter((hash) => !descriptorOf(hash));
  }

  /**
   * Signs what the votes agree on, once. Says why not, if it cannot: there are too few votes, no component of the beacon has enough,
   * or a descriptor is missing.
   */
  sign(
    descriptorOf: (hash: string) => Uint8Array | undefined,
  ): "signed" | "few_votes" | "no_beacon" | "missing" {
    if (this.#payload) return "signed";
    const { crypto, epoch, parameters } = this.#options;
    const tally = this.ballot.tally();
    if (!tally) return "few_votes";
    const { beacon, previousHash } = tally;
    if (!beacon) return "no_beacon";
    const descriptors: Uint8Array[] = [];
    for (const hash of tally.descriptors) {
      const descriptor = descriptorOf(hash);
      if (!descriptor) return "missing";
      descriptors.push(descriptor);
    }
    const payload = makeDocument(crypto, {
      ...{ parameters, epoch, beacon, previousHash, descriptors },
    });
    this.#keep("payload", payload);
    this.#sign(payload);
    return "signed";
  }

  /** Our document's hash and the signatures that we have of it, in CBOR; `undefined` before we signed. */
  get signatures(): Bytes | undefined {
    return this.#payload && encodeCbor([
      this.#options.crypto.hash("sha256", this.#payload),
      [...this.#signatures].sort(([a], [b]) => a < b ? -1 : 1)
        .map(([id, signature]) => [Uint8Array.fromHex(id), signature]),
    ]);
  }

  /**
   * Takes {@link signatures} of another authority; those of another document are counted, and those that do not verify left out.
   *
   * @throws {DirectoryError} `malformed`.
   */
  addSignatures(bytes: Uint8Array): void {
    const { crypto, trust: { authorities } } = this.#options;
    const cbor = decode(bytes, MAX_SIGNATURES_LENGTH, 3, 4 * 64 + 4);
    const [hash, list] = arrayOf(cbor, 2, 2);
    const pairs = arrayOf(list, 0, 64).map((pair) => {
      const [key, signature] = arrayOf(pair, 2, 2);
      return [bytesOf(key, 32), bytesOf(signature, 64)] as const;
    });
    if (!this.#payload) return;
    const isOurs = equal(
      bytesOf(hash, 32),
      crypto.hash("sha256", this.#payload),
    );
    for (const [key, signature] of pairs) {
      const id = encodeHex(key);
      if (!authorities.some((each) => equal(each, key))) continue;
      if (!isOurs) this.#others.add(id);
      else if (
        !this.#signatures.has(id) &&
        isSignatureOf(crypto, key, this.#payload, signature)
      ) this.#signatures.set(id, signature);
    }
  }

  /** The signed document, once enough authorities have signed. */
  get document(): Bytes | undefined {
    if (
      !this.#payload ||
      this.#signatures.size < this.#options.trust.threshold
    ) return undefined;
    return joinDocument(
      this.#payload,
      [...this.#signatures].map(([id, signature]) =>
        [Uint8Array.fromHex(id), signature] as const
      ),
    );
  }

  #vote(bytes: Bytes): void {
    this.ballot.add(bytes);
    this.#hasVoted = true;
  }

  #sign(payload: Bytes): void {
    const { crypto, seed } = this.#options;
    this.#payload = payload;
    this.#signatures.set(
      encodeHex(crypto.ed25519.publicKey(seed)),
      signDocument(crypto, seed, payload),
    );
  }

  #keep(what: string, bytes: Bytes): void {
    const { epoch, parameters } = this.#options;
    const expiresAt = (epoch + 2) * parameters.epochSeconds * 1000;
    this.#store.set(this.#nameOf(what), bytes, { expiresAt });
  }

  #nameOf(what: string): Bytes {
    return utf8(`${this.#options.epoch}.${what}`);
  }
}
