import type { Bundle } from "../bundle/bundle.ts";

/** A bundle for an application. */
export interface Delivery {
  /** Its name. */
  readonly id: string;
  /** The bundle. */
  readonly bundle: Bundle;
  /** Takes it: it is not given again. Until then it is, after a restart too. */
  accept(): void;
}

/** What a {@link Registration} asks its node. */
export interface DeliverySource {
  /** Names of the bundles that wait for the endpoint. */
  waiting(): Iterable<string>;
  /** The bundle of that name, if it is still here. */
  delivery(id: string): Delivery | undefined;
}

/** An endpoint in which an application is registered: iterating gives its bundles as they come, each once for each iteration. */
export class Registration implements AsyncIterable<Delivery>, Disposable {
  readonly #source: DeliverySource;
  readonly #onClose: () => void;
  #wake: PromiseWithResolvers<void> = Promise.withResolvers();
  #isClosed = false;

  /** Made by `DtnNode.register`. */
  constructor(source: DeliverySource, onClose: () => void) {
    this.#source = source;
    this.#onClose = onClose;
  }

  /** Says that there may be more. */
  wake(): void {
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
  }

  /** Gives bundles until the registration is closed. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Delivery, void> {
    const given = new Set<string>();
    while (!this.#isClosed) {
      const { promise } = this.#wake;
      let isAny = false;
      for (const id of this.#source.waiting()) {
        if (this.#isClosed) return;
        if (given.has(id)) continue;
        const delivery = this.#source.delivery(id);
        if (!delivery) continue;
        given.add(id);
        isAny = true;
        yield {
          ...delivery,
          accept: () => {
            given.delete(id);
            delivery.accept();
          },
        };
      }
      if (!isAny) await promise;
    }
  }

  /** Ends every iteration; bundles wait for the next registration. */
  [Symbol.dispose](): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#onClose();
    this.wake();
  }
}
