import { type Bytes, encodeHex, equal } from "../../core/bytes/mod.ts";
import type { CryptoProvider } from "../../core/crypto/mod.ts";
import { namespace, type Store } from "../../core/storage/mod.ts";
import { DirectoryError } from "./error.ts";
import { type NodeDescriptor, verifyDescriptor } from "./node_descriptor.ts";
import { MAX_VOTE_DESCRIPTORS } from "./vote.ts";

/** Options of {@link DescriptorPool}. */
export interface DescriptorPoolOptions {
  /** Primitives. */
  readonly crypto: CryptoProvider;
  /** Name of the network. */
  readonly network: string;
  /** Identity keys of the nodes that are taken; all by default. */
  readonly registered?: readonly Uint8Array[];
  /** Keeps descriptors over restarts. */
  readonly store: Store;
  /** Most nodes; 4,096 by default and at most. */
  readonly maxNodes?: number;
}

interface Held {
  readonly hash: string;
  readonly bytes: Bytes;
  readonly sequence: number;
  readonly expiresMs: number;
}

const NAMESPACE = "mixnet.descriptors";

/** The newest descriptor of each node that an authority knows. */
export class DescriptorPool {
  readonly #options: DescriptorPoolOptions;
  readonly #store: Store;
  readonly #maxNodes: number;
  readonly #byNode = new Map<string, Held>();
  readonly #byHash = new Map<string, Bytes>();

  /** Reads those in the store. */
  constructor(options: DescriptorPoolOptions) {
    this.#options = options;
    this.#store = namespace(options.store, NAMESPACE);
    this.#maxNodes = Math.min(
      options.maxNodes ?? MAX_VOTE_DESCRIPTORS,
      MAX_VOTE_DESCRIPTORS,
    );
    for (const { key, value } of this.#store.entries()) {
      this.#keep(
        encodeHex(key),
        value,
        verifyDescriptor(options.crypto, value),
      );
    }
  }

  /** Number of nodes. */
  get size(): number {
    return this.#byNode.size;
  }

  /**
   * Takes a signed descriptor.
   *
   * @param nowMs Wall time in milliseconds since 1970-01-01 UTC.
   * @throws {DirectoryError} As `verifyDescriptor`; `wrong_network`, `not_admitted`, `stale` if it has expired or a newer one is
   * there, or `full`.
   */
  add(bytes: Uint8Array, nowMs: number): void {
    const { crypto, network, registered } = this.#options;
    const node = verifyDescriptor(crypto, bytes);
    const { identityKey, sequence, expiresMs } = node;
    if (node.network !== network) {
      throw new DirectoryError("wrong_network", "A node of another network");
    }
    if (registered && !registered.some((key) => equal(key, identityKey))) {
      throw new DirectoryError("not_admitted", "A node that is not registered");
    }
    if (expiresMs <= nowMs) {
      throw new DirectoryError("stale", "The descriptor has expired");
    }
    const id = encodeHex(identityKey);
    const known = this.#byNode.get(id);
    if (known && equal(known.bytes, bytes)) return;
    if (known && known.sequence >= sequence) {
      throw new DirectoryError("stale", "There is a newer descriptor");
    }
    if (!known && this.#byNode.size >= this.#maxNodes) {
      throw new DirectoryError("full", `There are ${this.#maxNodes} nodes`);
    }
    this.#store.set(identityKey, bytes, { expiresAt: expiresMs });
    this.#keep(id, bytes.slice(), node);
  }

  /** Drops descriptors that have expired. */
  sweep(nowMs: number): void {
    for (const [id, { expiresMs }] of this.#byNode) {
      if (expiresMs > nowMs) continue;
      this.#store.delete(Uint8Array.fromHex(id));
      this.#forget(id);
    }
  }

  /** Those held now, by SHA-256 in hexadecimal. */
  get byHash(): ReadonlyMap<string, Bytes> {
    return new Map(this.#byHash);
  }

  /** The descriptor of this SHA-256 in hexadecimal. */
  get(hash: string): Bytes | undefined {
    return this.#byHash.get(hash);
  }

  #keep(id: string, bytes: Bytes, node: NodeDescriptor): void {
    this.#forget(id);
    const hash = encodeHex(this.#options.crypto.hash("sha256", bytes));
    const { sequence, expiresMs } = node;
    this.#byNode.set(id, { hash, bytes, sequence, expiresMs });
    this.#byHash.set(hash, bytes);
  }

  #forget(id: string): void {
    const held = this.#byNode.get(id);
    if (!held) return;
    this.#byHash.delete(held.hash);
    this.#byNode.delete(id);
  }
}
