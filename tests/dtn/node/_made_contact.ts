import type { Clock } from "../../../src/core/async/mod.ts";
import type { Address } from "../../../src/core/transport/mod.ts";
import type { Bundle } from "../../../src/dtn/bundle/bundle.ts";
import { decodeBundle } from "../../../src/dtn/bundle/bundle.ts";
import { ContactError } from "../../../src/dtn/cla/contact_error.ts";
import {
  type Contact,
  type ContactListener,
  noContactCounts,
  type ReceivedBundle,
  type SendOutcome,
} from "../../../src/dtn/cla/convergence_layer.ts";

/** How a {@link MadeContact} behaves. */
export interface MadeContactOptions {
  readonly peerNodeId: string;
  readonly clock: Clock;
  /** How fast it takes bundles, one after the other; at once by default. */
  readonly bytesPerSecond?: number;
  readonly maxBundleBytes?: number;
  /** Whether it hides who speaks with whom. */
  readonly isPrivate?: boolean;
  /** Whether it never says what became of a bundle. */
  readonly isSilent?: boolean;
}

/** A contact that takes bundles as it is told to, and keeps what it took. */
export class MadeContact implements Contact {
  readonly remoteAddress: Address = "memory://made";
  readonly peerNodeId: string;
  readonly isPrivate: boolean;
  readonly maxBundleBytes: number;
  readonly counts = noContactCounts();
  readonly closed: Promise<void>;
  /** What it said that it has, in order. */
  readonly taken: Bundle[] = [];
  /** How many it was sent. */
  asked = 0;
  /** Bytes of them. */
  askedBytes = 0;
  /** What it says to what it is sent from now on. */
  outcome: SendOutcome = { kind: "acknowledged" };
  /** Whether sending fails from now on, without an end of the contact. */
  fails = false;
  readonly #options: MadeContactOptions;
  readonly #over = Promise.withResolvers<void>();
  readonly #underWay = new Set<(error: ContactError) => void>();
  #freeMs = 0;
  #isClosed = false;

  constructor(options: MadeContactOptions) {
    this.#options = options;
    this.peerNodeId = options.peerNodeId;
    this.isPrivate = options.isPrivate ?? false;
    this.maxBundleBytes = options.maxBundleBytes ?? 2 ** 30;
    this.closed = this.#over.promise;
  }

  /** Nothing comes. */
  get received(): AsyncIterable<ReceivedBundle> {
    const over = this.closed.then(() =>
      ({ done: true, value: undefined }) as const
    );
    return { [Symbol.asyncIterator]: () => ({ next: () => over }) };
  }

  send(bytes: Uint8Array): Promise<SendOutcome> {
    this.asked++;
    this.askedBytes += bytes.length;
    const { promise, resolve, reject } = Promise.withResolvers<SendOutcome>();
    if (this.#isClosed) return Promise.reject(closedError());
    if (bytes.length > this.maxBundleBytes) {
      return Promise.reject(new ContactError("tooLarge", "Too large"));
    }
    if (this.fails) {
      return Promise.reject(new ContactError("disconnected", "No way there"));
    }
    this.#underWay.add(reject);
    const { clock, bytesPerSecond = Infinity, isSilent } = this.#options;
    if (isSilent) return promise;
    const beginMs = Math.max(clock.now(), this.#freeMs);
    this.#freeMs = beginMs + bytes.length / bytesPerSecond * 1_000;
    clock.setTimeout(() => {
      if (!this.#underWay.delete(reject)) return;
      if (this.outcome.kind !== "refused") this.taken.push(decodeBundle(bytes));
      resolve(this.outcome);
    }, this.#freeMs - clock.now());
    return promise;
  }

  end(): Promise<void> {
    this.close();
    return this.closed;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const reject of this.#underWay) reject(closedError());
    this.#underWay.clear();
    this.#over.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.end();
  }
}

/** Gives `contacts` to who serves it, and then waits until it is closed. */
export function listenerOf(...contacts: readonly Contact[]): ContactListener {
  const { promise: closed, resolve: close } = Promise.withResolvers<void>();
  return {
    address: "memory://made",
    close,
    async *[Symbol.asyncIterator]() {
      yield* contacts;
      await closed;
    },
    [Symbol.asyncDispose]() {
      close();
      return closed;
    },
  };
}

function closedError(): ContactError {
  return new ContactError("closed", "The contact was closed");
}
