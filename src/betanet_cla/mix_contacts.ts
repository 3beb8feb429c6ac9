import type { Clock } from "../core/async/mod.ts";
import type { Bytes } from "../core/bytes/mod.ts";
import type { CryptoProvider } from "../core/crypto/mod.ts";
import type { Address } from "../core/transport/mod.ts";
import { ContactError } from "../dtn/mod.ts";
import type { MixAddress } from "../mixnet/mod.ts";
import type { MixContact, MixContactIdentity } from "./mix_contact.ts";
import { MIX_ID_LENGTH, type MixEnvelope } from "./mix_envelope.ts";
import { formatMixNode } from "./mix_node_address.ts";

/** Parts and options of {@link MixContacts}. */
export interface MixContactsOptions {
  readonly clock: Clock;
  readonly crypto: Pick<CryptoProvider, "random">;
  /** Nodes whose hellos are believed, and where they are. */
  readonly trusted: ReadonlyMap<string, MixAddress>;
  /** Most contacts that others opened. */
  readonly maxContacts: number;
  /** How long one of them stays without a sign of life. */
  readonly idleTimeoutMs: number;
  /** Begins a contact. */
  readonly open: (identity: MixContactIdentity) => MixContact;
}

/** Ids of contacts that ended; beyond, the oldest is forgotten, and what comes late for it opens a contact again. */
const MAX_ENDED = 4_096;

/** The contacts of a layer by id: those that we dialled, and those that an envelope from somebody opened. */
export class MixContacts {
  readonly #options: MixContactsOptions;
  readonly #dialled = new Map<string, MixContact>();
  /** The one that has been heard of longest ago first. */
  readonly #opened = new Map<string, MixContact>();
  readonly #ended = new Set<string>();
  #onOpened: ((contact: MixContact) => boolean) | undefined;

  /** Starts without any, and takes none of others. */
  constructor(options: MixContactsOptions) {
    this.#options = options;
  }

  /** Whether others may open contacts. */
  get isListening(): boolean {
    return this.#onOpened !== undefined;
  }

  /** Lets others open contacts; `onOpened` is given each, and says whether there is room. */
  listen(onOpened: (contact: MixContact) => boolean): void {
    this.#onOpened = onOpened;
  }

  /** Lets others open none any more. */
  unlisten(): void {
    this.#onOpened = undefined;
  }

  /** A contact with the node at `peer`. */
  dialled(peer: MixAddress, remoteAddress: Address): MixContact {
    const id = this.#options.crypto.random(MIX_ID_LENGTH);
    const contact = this.#options.open({
      ...{ id, peer, remoteAddress },
      peerNodeId: undefined,
    });
    return this.#add(this.#dialled, contact);
  }

  /**
   * The contact of an envelope, which is made if there may be one.
   *
   * @returns `"over"` if it has ended or nobody listens, `"full"` if there are as many as may be and none is idle.
   */
  of({ contactId, nodeId }: MixEnvelope): MixContact | "over" | "full" {
    const hex = contactId.toHex();
    if (this.#ended.has(hex)) return "over";
    const known = this.#known(hex);
    if (known) return known.error ? "over" : this.#heard(hex, known);
    if (!this.#onOpened) return "over";
    if (!this.#makeRoom()) return "full";
    const contact = this.#options.open(this.#identity(contactId, nodeId));
    this.#add(this.#opened, contact);
    if (this.#onOpened(contact)) return contact;
    contact.close();
    return "full";
  }

  /** The peer of a contact has taken leave. */
  left({ contactId }: MixEnvelope): void {
    const hex = contactId.toHex();
    this.#end(hex);
    this.#known(hex)?.peerLeft();
  }

  /** Ends those of others that are idle. */
  tick(nowMs: number): void {
    const { idleTimeoutMs } = this.#options;
    for (const contact of this.#opened.values()) {
      if (contact.heardMs + idleTimeoutMs > nowMs) return;
      if (!contact.isWaiting) this.#drop(contact);
    }
  }

  /** Ends all. */
  fail(error: ContactError): void {
    for (const contacts of [this.#dialled, this.#opened]) {
      for (const contact of [...contacts.values()]) contact.fail(error);
    }
  }

  #known(hex: string): MixContact | undefined {
    return this.#dialled.get(hex) ?? this.#opened.get(hex);
  }

  #heard(hex: string, contact: MixContact): MixContact {
    contact.heardMs = this.#options.clock.now();
    if (this.#opened.delete(hex)) this.#opened.set(hex, contact);
    return contact;
  }

  #identity(id: Bytes, nodeId: string | undefined): MixContactIdentity {
    const peer = nodeId === undefined
      ? undefined
      : this.#options.trusted.get(nodeId);
    return {
      ...{ id, peer },
      peerNodeId: peer && nodeId,
      remoteAddress: peer ? formatMixNode(peer) : "mix:",
    };
  }

  #add(to: Map<string, MixContact>, contact: MixContact): MixContact {
    const hex = contact.id.toHex();
    to.set(hex, contact);
    void contact.closed.then(() => {
      if (to.delete(hex)) this.#end(hex);
    });
    return contact;
  }

  /** Room for one more that others open. */
  #makeRoom(): boolean {
    if (this.#opened.size < this.#options.maxContacts) return true;
    for (const contact of this.#opened.values()) {
      if (contact.isWaiting) continue;
      this.#drop(contact);
      return true;
    }
    return false;
  }

  /** Ends a contact that may begin again. */
  #drop(contact: MixContact): void {
    this.#opened.delete(contact.id.toHex());
    contact.fail(new ContactError("timeout", "The contact was idle"));
  }

  #end(hex: string): void {
    this.#ended.add(hex);
    if (this.#ended.size <= MAX_ENDED) return;
    const [oldest] = this.#ended;
    this.#ended.delete(oldest!);
  }
}
