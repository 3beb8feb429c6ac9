import { type Bytes, encodeHex, equal } from "../../core/bytes/mod.ts";
import type { CryptoProvider } from "../../core/crypto/mod.ts";
import {
  type DirectoryDocument,
  documentParts,
  verifyDocument,
} from "./directory_document.ts";
import type { DocumentTrust } from "./document_trust.ts";
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
  /** Length of the network's epochs, if it is known: documents that say another are refused. */
  readonly epochSeconds?: number;
  /** How many epochs it keeps; 8 by default. */
  readonly maxEpochs?: number;
}

/** How long before its epoch a document may be known, in epochs. */
const MAX_AHEAD = 2;

interface Kept {
  readonly document: DirectoryDocument;
  readonly bytes: Bytes;
  /** Another document of the epoch, which authorities have signed too. */
  other?: Bytes;
}

/** The documents of the last epochs, each of which follows the one before; an epoch of which there are two has none. */
export class DocumentHistory implements Directory {
  readonly #options: DocumentHistoryOptions;
  readonly #kept = new Map<number, Kept>();

  /** Begins without documents: the first is taken on its signatures alone. */
  constructor(options: DocumentHistoryOptions) {
    this.#options = options;
  }

  /** The document of `epoch`, if it is among those kept and there is no other. */
  document(epoch: number): DirectoryDocument | undefined {
    const kept = this.#kept.get(epoch);
    return kept?.other ? undefined : kept?.document;
  }

  /** The same as {@link document}, signed. */
  signed(epoch: number): Bytes | undefined {
    const kept = this.#kept.get(epoch);
    return kept?.other ? undefined : kept?.bytes;
  }

  /** All that are kept, signed, by ascending epoch; two of an epoch that is split. */
  get documents(): readonly Bytes[] {
    return [...this.#kept].sort(([a], [b]) => a - b)
      .flatMap(([, { bytes, other }]) => other ? [bytes, other] : [bytes]);
  }

  /**
   * Takes a signed document.
   *
   * @param nowMs Wall time in milliseconds since 1970-01-01 UTC.
   * @throws {DirectoryError} As `verifyDocument`; `stale` if its epoch is over, `future` if it is more than two epochs ahead, `split`
   * with both documents as evidence if another is known for its epoch, which then has none, or `broken_chain`.
   */
  add(bytes: Uint8Array, nowMs: number): DirectoryDocument {
    const same = this.#sameAs(bytes);
    if (same?.other) return split(same);
    if (same) return same.document;
    const { crypto } = this.#options;
    const document = verifyDocument(crypto, bytes, this.#options);
    const { epoch, validUntilMs, validAfterMs, parameters } = document;
    const { epochSeconds = parameters.epochSeconds } = this.#options;
    if (parameters.epochSeconds !== epochSeconds) {
      throw new DirectoryError("malformed", "Epochs of another length");
    }
    const known = this.#kept.get(epoch);
    if (known) {
      known.other ??= bytes.slice();
      return split(known);
    }
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

  /** What is kept with the payload of this document, whose descriptors then need not be verified again. */
  #sameAs(bytes: Uint8Array): Kept | undefined {
    const { payload } = documentParts(bytes);
    const hash = this.#options.crypto.hash("sha256", payload);
    return [...this.#kept.values()].find((kept) =>
      equal(kept.document.hash, hash)
    );
  }

  #checkChain(document: DirectoryDocument): void {
    const { epoch, hash, previousHash } = document;
    const before = this.document(epoch - 1)?.hash;
    const after = this.document(epoch + 1)?.previousHash;
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

function split({ document: { epoch }, bytes, other }: Kept): never {
  throw new DirectoryError("split", `Two documents of epoch ${epoch}`, {
    evidence: [bytes, ...other ? [other] : []],
  });
}
