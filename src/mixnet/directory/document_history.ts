import { encodeHex, equal } from "../../core/bytes/mod.ts";
import type { CryptoProvider } from "../../core/crypto/mod.ts";
import {
  type DirectoryDocument,
  type DocumentTrust,
  verifyDocument,
} from "./directory_document.ts";
import { DirectoryError } from "./error.ts";

/** Where nodes and clients look up the network of an epoch. */
export interface Directory {
  /** The document of `epoch`, if it is known. */
  document(epoch: number): DirectoryDocument | undefined;
}

/** Options of {@link DocumentHistory}. */
export interface DocumentHistoryOptions extends DocumentTrust {
  /** Primitives. */
  readonly crypto: CryptoProvider;
  /** How many epochs it keeps; 8 by default. */
  readonly maxEpochs?: number;
}

/** How long before its epoch a document may be known, in epochs. */
const MAX_AHEAD = 2;

interface Kept {
  readonly document: DirectoryDocument;
  readonly bytes: Uint8Array;
}

/** The documents of the last epochs, each of which follows the one before, and of none of which there are two. */
export class DocumentHistory implements Directory {
  readonly #options: DocumentHistoryOptions;
  readonly #kept = new Map<number, Kept>();

  /** Begins without documents: the first is taken on its signatures alone. */
  constructor(options: DocumentHistoryOptions) {
    this.#options = options;
  }

  /** The document of `epoch`, if it is among those kept. */
  document(epoch: number): DirectoryDocument | undefined {
    return this.#kept.get(epoch)?.document;
  }

  /** The bytes of the documents kept, by ascending epoch, to be stored and added again. */
  get documents(): readonly Uint8Array[] {
    return [...this.#kept].sort(([a], [b]) => a - b)
      .map(([, { bytes }]) => bytes);
  }

  /**
   * Takes a signed document.
   *
   * @param nowMs Wall time in milliseconds since 1970-01-01 UTC.
   * @throws {DirectoryError} As `verifyDocument`; `stale` if its epoch is over, `future` if it is more than two epochs ahead, `split`
   * with both documents as evidence, or `broken_chain`.
   */
  add(bytes: Uint8Array, nowMs: number): DirectoryDocument {
    const { crypto } = this.#options;
    const document = verifyDocument(crypto, bytes, this.#options);
    const { epoch, validUntilMs, validAfterMs } = document;
    const known = this.#kept.get(epoch);
    if (known && !equal(known.document.hash, document.hash)) {
      throw new DirectoryError("split", `Two documents of epoch ${epoch}`, {
        evidence: [known.bytes, bytes.slice()],
      });
    }
    if (known) return known.document;
    if (nowMs >= validUntilMs) {
      throw new DirectoryError("stale", `Epoch ${epoch} is over`);
    }
    if (nowMs < validAfterMs - MAX_AHEAD * (validUntilMs - validAfterMs)) {
      throw new DirectoryError("future", `Epoch ${epoch} is far ahead`);
    }
    this.#checkChain(document);
    this.#kept.set(epoch, { document, bytes: bytes.slice() });
    const epochs = [...this.#kept.keys()].sort((a, b) => b - a);
    for (const old of epochs.slice(this.#options.maxEpochs ?? 8)) {
      this.#kept.delete(old);
    }
    return document;
  }

  #checkChain(document: DirectoryDocument): void {
    const { epoch, hash, previousHash } = document;
    const before = this.#kept.get(epoch - 1)?.document.hash;
    const after = this.#kept.get(epoch + 1)?.document.previousHash;
    if (
      before && !equal(before, previousHash) || after && !equal(after, hash)
    ) {
      throw new DirectoryError(
        "broken_chain",
        `The document of epoch ${epoch}, ${
          encodeHex(hash)
        }, does not join those beside it`,
      );
    }
  }
}
