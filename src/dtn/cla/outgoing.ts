import type { WaitOptions } from "../../core/async/mod.ts";
import type { ContactCounts, SendOutcome } from "./convergence_layer.ts";
import { Window, type WindowOptions } from "./window.ts";

/** A bundle on its way to the peer, until its outcome is told; the first call counts. */
export interface Outgoing {
  readonly bundle: Uint8Array;
  resolve(outcome: SendOutcome): void;
  reject(error: unknown): void;
}

/** Bundles on their way to the peer, and those that wait for room among them. */
export class OutgoingBundles {
  readonly #counts: ContactCounts;
  readonly #window: Window;
  readonly #underWay = new Set<Outgoing>();

  /** Starts empty; outcomes go to `counts`. */
  constructor(options: WindowOptions, counts: ContactCounts) {
    this.#window = new Window(options);
    this.#counts = counts;
  }

  /**
   * Sends a bundle once there is room and `checkOpen` does not throw.
   *
   * @param queue Queues it, and gives what takes it back and says whether nothing of it had left.
   * @throws The reason of the signal; what has left in part is then under way, and takes room, until its outcome.
   */
  send(
    bundle: Uint8Array,
    { signal }: WaitOptions,
    checkOpen: () => void,
    queue: (outgoing: Outgoing) => () => boolean,
  ): Promise<SendOutcome> {
    return this.#window.tryEnter(bundle.length)
      ? this.#start(bundle, signal, queue)
      : this.#startLater(bundle, signal, checkOpen, queue);
  }

  /** Fails all that are or would be under way. */
  fail(error: unknown): void {
    this.#window.close(error);
    for (const outgoing of this.#underWay) outgoing.reject(error);
  }

  async #startLater(
    bundle: Uint8Array,
    signal: AbortSignal | undefined,
    checkOpen: () => void,
    queue: (outgoing: Outgoing) => () => boolean,
  ): Promise<SendOutcome> {
    await this.#window.enter(bundle.length, signal && { signal });
    try {
      signal?.throwIfAborted();
      checkOpen();
    } catch (error) {
      this.#window.leave(bundle.length);
      throw error;
    }
    return await this.#start(bundle, signal, queue);
  }

  #start(
    bundle: Uint8Array,
    signal: AbortSignal | undefined,
    queue: (outgoing: Outgoing) => () => boolean,
  ): Promise<SendOutcome> {
    const { promise, resolve, reject } = Promise.withResolvers<SendOutcome>();
    const settle = () => {
      if (!this.#underWay.delete(outgoing)) return;
      signal?.removeEventListener("abort", onAbort);
      this.#window.leave(bundle.length);
    };
    const outgoing: Outgoing = {
      bundle,
      resolve: (outcome) => {
        if (outcome.kind === "refused") this.#counts.refusedByPeer++;
        else this.#counts.sent++;
        settle();
        resolve(outcome);
      },
      reject: (error) => {
        settle();
        reject(error);
      },
    };
    const onAbort = () => {
      reject(signal!.reason);
      if (takeBack()) settle();
    };
    this.#underWay.add(outgoing);
    const takeBack = queue(outgoing);
    signal?.addEventListener("abort", onAbort, { once: true });
    return promise;
  }
}
