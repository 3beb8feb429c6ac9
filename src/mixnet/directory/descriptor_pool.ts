import { type Bytes, encodeHex, equal } from "../../core/bytes/mod.ts";
import { CryptoError, type CryptoProvider } from "../../core/crypto/mod.ts";
import { namespace, type Store } from "../../core/storage/mod.ts";
import { isOfEpoch } from "./directory_document.ts";
import { DirectoryError } from "./error.ts";
import type { NetworkParameters } from "./network_parameters.ts";
import { type NodeDescriptor, verifyDescriptor } from "./node_descriptor.ts";
import { MAX_NODES } from "./roll.ts";

/** Options of {@link DescriptorPool}. */
export interface DescriptorPoolOptions {
  /** Primitives. */
  readonly crypto: CryptoProvider;
  /** Of the network. */
  readonly parameters: NetworkParameters;
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
  readonly node: NodeDescriptor;
  /** The latest expiry of all that the node published: until then its older descriptors are known for old. */
  readonly untilMs: number;
}

const NAMESPACE = "mixnet.descriptors";
/** How many epochs ahead a descriptor may have keys and expire. */
const MAX_AHEAD = 8;

/** The newest descriptor of each node that an authority knows. */
export class DescriptorPool {
  readonly #options: DescriptorPoolOptions;
  readonly #store: Store;
  readonly #maxNodes: number;
  readonly #byNode = new Map<string, Held>();
  readonly #byHash = new Map<string, Held>();

  /** Reads those in the store, and drops those that may not join any more. */
  constructor(options: DescriptorPoolOptions) {
    this.#options = options;
    this.#store = namespace(options.store, NAMESPACE);
    this.#maxNodes = Math.min(options.maxNodes ?? MAX_NODES, MAX_NODES);
    for (const { key, value, expiresAt } of this.#store.entries()) {
      try {
        const node = verifyDescriptor(options.crypto, value);
        this.#checkAdmission(node);
        this.#keep(node, value, expiresAt ?? node.expiresMs);
      } catch (error) {
        if (!(error instanceof DirectoryError)) throw error;
        this.#store.delete(key);
      }
    }
  }

  /** Number of nodes. */
  get size(): number {
    return this.#byNode.size;
  }

  /**
   * Takes a signed descriptor and gives that of the node which it replaces.
   *
   * @param nowMs Wall time in milliseconds since 1970-01-01 UTC.
   * @throws {DirectoryError} As `verifyDescriptor`; `malformed` also if a key is of low order; `wrong_network`, `not_admitted`,
   * `stale` if it has expired, has no key of this epoch or later, or a newer one is there; `future` if it expires, or has a key,
   * more than 8 epochs ahead; or `full`.
   */
  add(bytes: Uint8Array, nowMs: number): Bytes | undefined {
    const { crypto } = this.#options;
    if (this.get(encodeHex(crypto.hash("sha256", bytes)))) return undefined;
    const node = verifyDescriptor(crypto, bytes);
    this.#checkAdmission(node);
    this.#checkTime(node, nowMs);
    const id = encodeHex(node.identityKey);
    const known = this.#byNode.get(id);
    if (known && known.node.sequence >= node.sequence) {
      throw new DirectoryError("stale", "There is a newer descriptor");
    }
    if (!known && this.#byNode.size >= this.#maxNodes) {
      throw new DirectoryError("full", `There are ${this.#maxNodes} nodes`);
    }
    this.#checkKeys(node);
    const untilMs = Math.max(known?.untilMs ?? 0, node.expiresMs);
    this.#store.set(node.identityKey, bytes, { expiresAt: untilMs });
    this.#keep(node, bytes.slice(), untilMs);
    return known?.bytes;
  }

  /** Forgets nodes all of whose descriptors have expired. */
  sweep(nowMs: number): void {
    for (const [id, { untilMs, hash }] of this.#byNode) {
      if (untilMs > nowMs) continue;
      this.#store.delete(Uint8Array.fromHex(id));
      this.#byNode.delete(id);
      this.#byHash.delete(hash);
    }
  }

  /** SHA-256 of those that a document of `epoch` can have. */
  hashesOf(epoch: number): Bytes[] {
    return [...this.#byNode.values()]
      .filter(({ node }) => isOfEpoch(node, epoch, this.#options.parameters))
      .map(({ hash }) => Uint8Array.fromHex(hash));
  }

  /** The descriptor of this SHA-256 in hexadecimal. */
  get(hash: string): Bytes | undefined {
    return this.#byHash.get(hash)?.bytes;
  }

  #checkAdmission({ network, identityKey }: NodeDescriptor): void {
    const { parameters, registered } = this.#options;
    if (network !== parameters.network) {
      throw new DirectoryError("wrong_network", "A node of another network");
    }
    if (registered && !registered.some((key) => equal(key, identityKey))) {
      throw new DirectoryError("not_admitted", "A node that is not registered");
    }
  }

  #checkTime({ expiresMs, sphinxKeys }: NodeDescriptor, nowMs: number): void {
    const lengthMs = this.#options.parameters.epochSeconds * 1000;
    const epoch = Math.floor(nowMs / lengthMs);
    const last = Math.max(...sphinxKeys.keys());
    if (expiresMs <= nowMs || last < epoch) {
      throw new DirectoryError("stale", "The descriptor or its keys are over");
    }
    if (
      last > epoch + MAX_AHEAD ||
      expiresMs > (epoch + MAX_AHEAD + 1) * lengthMs
    ) {
      throw new DirectoryError("future", `More than ${MAX_AHEAD} epochs ahead`);
    }
  }

  /** Refuses keys with which no client could make a packet or link. */
  #checkKeys({ linkKey, sphinxKeys }: NodeDescriptor): void {
    const { crypto } = this.#options;
    const scalar = crypto.random(32);
    for (const key of [linkKey, ...sphinxKeys.values()]) {
      try {
        crypto.x25519.sharedSecret(scalar, key);
      } catch (cause) {
        if (!(cause instanceof CryptoError)) throw cause;
        throw new DirectoryError("malformed", "A key of low order", { cause });
      }
    }
  }

  #keep(node: NodeDescriptor, bytes: Bytes, untilMs: number): void {
    const id = encodeHex(node.identityKey);
    const old = this.#byNode.get(id);
    if (old) this.#byHash.delete(old.hash);
    const hash = encodeHex(this.#options.crypto.hash("sha256", bytes));
    const held = { hash, bytes, node, untilMs };
    this.#byNode.set(id, held);
    this.#byHash.set(hash, held);
  }
}
