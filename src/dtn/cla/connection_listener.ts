import type {
  Address,
  Connection,
  Listener,
} from "../../core/transport/mod.ts";
import type { Contact, ContactListener } from "./convergence_layer.ts";
import type { Window } from "./window.ts";

/** Makes a contact of each connection that comes while there are places; the others are closed. */
export class ConnectionListener implements ContactListener {
  /** Where it listens. */
  readonly address: Address;
  readonly #listener: Listener;
  readonly #places: Window;
  readonly #make: (connection: Connection) => Contact;
  readonly #onFull: () => void;

  /** Takes over `listener`; the layer knows it by `address`, if not by its own, and hears of connections that are closed by `onFull`. */
  constructor(
    listener: Listener,
    places: Window,
    make: (connection: Connection) => Contact,
    { address = listener.address, onFull = () => {} }: {
      readonly address?: Address;
      readonly onFull?: () => void;
    } = {},
  ) {
    this.#listener = listener;
    this.#places = places;
    this.#make = make;
    this.#onFull = onFull;
    this.address = address;
  }

  /** Gives contacts until closed. */
  async *[Symbol.asyncIterator](): AsyncIterator<Contact> {
    for await (const connection of this.#listener) {
      if (!this.#places.tryEnter(0)) {
        connection.close();
        this.#onFull();
        continue;
      }
      const contact = this.#make(connection);
      void contact.closed.then(() => this.#places.leave(0));
      yield contact;
    }
  }

  /** Takes no more connections. */
  close(): void {
    this.#listener.close();
  }

  /** Closes it, and waits until that is done. */
  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.#listener[Symbol.asyncDispose]();
  }
}
