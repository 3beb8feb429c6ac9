import {
  type Bytes,
  concat,
  encodeHex,
  equal,
  utf8,
} from "../../core/bytes/mod.ts";
import type { CryptoProvider } from "../../core/crypto/mod.ts";
import { namespace, type Store } from "../../core/storage/mod.ts";
import { endorsementsIn } from "./directory_document.ts";
import type { DocumentTrust } from "./document_trust.ts";
import { DirectoryError } from "./error.ts";
import { encodeEvidence, type Evidence, verifyEvidence } from "./evidence.ts";

const NAMESPACE = "mixnet.evidence";

/**
 * What convicts authorities, kept until somebody empties the store: of each authority the first of each kind, so that a false one
 * cannot fill the book.
 */
export class EvidenceBook {
  readonly #crypto: CryptoProvider;
  readonly #trust: DocumentTrust;
  readonly #store: Store;
  readonly #kept = new Map<string, { evidence: Evidence; bytes: Bytes }>();

  /** Reads what the store has; what is not of this network and its authorities stays there unread. */
  constructor(crypto: CryptoProvider, trust: DocumentTrust, store: Store) {
    this.#crypto = crypto;
    this.#trust = trust;
    this.#store = namespace(store, NAMESPACE);
    for (const { value } of this.#store.entries()) {
      try {
        this.#keep(verifyEvidence(crypto, value, trust), value);
      } catch (error) {
        if (!(error instanceof DirectoryError)) throw error;
      }
    }
  }

  /** All that is kept. */
  get all(): readonly Evidence[] {
    return [...this.#kept.values()].map(({ evidence }) => evidence);
  }

  /** Keys of the authorities about which there is something. */
  get convicted(): readonly Uint8Array[] {
    const keys = this.all.map(({ authority }) => authority);
    return keys.filter((key, i) =>
      keys.findIndex((each) => equal(each, key)) === i
    );
  }

  /** What is kept about the authority of this key in hexadecimal: 3 at most, encoded. */
  about(authority: string): readonly Bytes[] {
    return [...this.#kept.values()]
      .filter(({ evidence }) => encodeHex(evidence.authority) === authority)
      .map(({ bytes }) => bytes);
  }

  /**
   * Keeps evidence, unless there is some of its kind about the authority; says whether it did.
   *
   * @throws {DirectoryError} As `verifyEvidence`.
   */
  add(bytes: Uint8Array): boolean {
    const evidence = verifyEvidence(this.#crypto, bytes, this.#trust);
    const name = nameOf(evidence);
    if (this.#kept.has(name)) return false;
    this.#store.set(concat(evidence.authority, utf8(evidence.kind)), bytes);
    this.#keep(evidence, bytes.slice());
    return true;
  }

  /** Keeps what two signed documents of one epoch say about the authorities that signed both; gives how many are new. */
  addSplit([one, other]: readonly [Uint8Array, Uint8Array]): number {
    const first = endorsementsIn(this.#crypto, one, this.#trust);
    const second = endorsementsIn(this.#crypto, other, this.#trust);
    let count = 0;
    for (const [authority, signed] of first) {
      const also = second.get(authority);
      if (!also) continue;
      const kind = "endorsement";
      if (this.add(encodeEvidence({ kind, signed: [signed, also] }))) count++;
    }
    return count;
  }

  #keep(evidence: Evidence, bytes: Bytes): void {
    this.#kept.set(nameOf(evidence), { evidence, bytes });
  }
}

function nameOf({ authority, kind }: Evidence): string {
  return `${encodeHex(authority)} ${kind}`;
}
