import { BoundedQueue } from "../../core/async/mod.ts";
import type { Address, DatagramSocket } from "../../core/transport/mod.ts";
import type { ByteBudget } from "../cla/byte_budget.ts";
import type { Contact, ContactListener } from "../cla/convergence_layer.ts";
import type { WindowOptions } from "../cla/window.ts";
import { UdpContact } from "./udp_contact.ts";

/** Options of {@link UdpListener}. */
export interface UdpListenerOptions {
  /** Most contacts; the one that was heard of least recently gives way to a new one. */
  readonly maxContacts: number;
  readonly receiving: WindowOptions;
  /** What bundles take room of. */
  readonly budget: ByteBudget;
}

/** Makes a contact of each address that datagrams come from. */
export class UdpListener implements ContactListener {
  readonly #socket: DatagramSocket;
  readonly #options: UdpListenerOptions;
  /** By address; the one that was heard of least recently first. */
  readonly #contacts = new Map<Address, UdpContact>();
  readonly #queue: BoundedQueue<UdpContact>;
  readonly #running: Promise<void>;

  /** Takes over `socket`. */
  constructor(socket: DatagramSocket, options: UdpListenerOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#queue = new BoundedQueue({ capacity: options.maxContacts });
    this.#running = this.#receiveAll().catch(() => this.#closeAll());
  }

  /** Where it listens. */
  get address(): Address {
    return this.#socket.address;
  }

  /** Gives contacts until closed. */
  [Symbol.asyncIterator](): AsyncIterator<Contact> {
    return this.#queue[Symbol.asyncIterator]();
  }

  /** Makes no more contacts; the socket closes with the last of them. */
  close(): void {
    for (const contact of this.#queue.drain()) contact.drop();
    this.#queue.close();
    this.#closeIfLast();
  }

  /** Closes it, and waits for the socket if there is no contact. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    if (this.#contacts.size === 0) await this.#running;
  }

  async #receiveAll(): Promise<void> {
    let datagram;
    while ((datagram = await this.#socket.receive())) {
      this.#contactOf(datagram.from)?.receive(datagram.message);
    }
  }

  #contactOf(from: Address): UdpContact | undefined {
    const contact = this.#contacts.get(from) ?? this.#make(from);
    if (contact) {
      this.#contacts.delete(from);
      this.#contacts.set(from, contact);
    }
    return contact;
  }

  #make(from: Address): UdpContact | undefined {
    if (this.#queue.closed) return;
    const { receiving, budget, maxContacts } = this.#options;
    if (this.#contacts.size >= maxContacts) {
      const [oldest] = this.#contacts.values();
      oldest!.drop();
    }
    const contact = new UdpContact({
      remoteAddress: from,
      ...{ receiving, budget },
      send: (message) => this.#socket.send(message, from),
      onClose: () => {
        if (this.#contacts.get(from) === contact) this.#contacts.delete(from);
        this.#closeIfLast();
      },
    });
    this.#contacts.set(from, contact);
    if (this.#queue.offer(contact)) return contact;
    contact.drop();
  }

  /** When the system takes the socket away. */
  #closeAll(): void {
    this.close();
    for (const contact of this.#contacts.values()) contact.close();
  }

  #closeIfLast(): void {
    if (this.#queue.closed && this.#contacts.size === 0) this.#socket.close();
  }
}
