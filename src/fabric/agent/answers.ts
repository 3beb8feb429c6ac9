import type { Clock, WaitOptions } from "../../core/async/mod.ts";
import { FabricError } from "../error.ts";
import type { Message } from "../message/message.ts";
import { SlotMap } from "../slot_map.ts";

interface Waiter {
  readonly request: Message;
  readonly resolve: (answer: Message) => void;
  readonly reject: (error: unknown) => void;
}

/** Requests whose answers are waited for. */
export class Answers {
  readonly #clock: Clock;
  readonly #waiting = new SlotMap<Waiter>();

  /** Starts without any. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Waits for the answer to a request until its deadline.
   *
   * @throws {FabricError} `expired`; what {@link fail} says; `closed`.
   * @throws The reason of the signal.
   */
  async wait(request: Message, { signal }: WaitOptions): Promise<Message> {
    const clock = this.#clock;
    const key = request.id.toHex();
    const { promise, resolve, reject } = Promise.withResolvers<Message>();
    this.#waiting.set(key, { request, resolve, reject });
    const cancel = clock.setTimeout(() => {
      reject(new FabricError("expired", "No answer came in time"));
    }, request.deadlineMs - clock.wallTime());
    const onAbort = () => reject(signal!.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      return await promise;
    } finally {
      cancel();
      signal?.removeEventListener("abort", onAbort);
      this.#waiting.delete(key);
    }
  }

  /** Whether the answer to a request is waited for. */
  awaits(id: Uint8Array): boolean {
    return this.#waiting.has(id.toHex());
  }

  /** An answer came; says whether it was waited for, from whom it came. */
  resolve(answer: Message): boolean {
    const key = answer.replyTo?.toHex() ?? "";
    const waiter = this.#waiting.get(key);
    if (!waiter?.request.to.equals(answer.from)) return false;
    waiter.resolve(answer);
    return true;
  }

  /** A request was given up. */
  fail(id: Uint8Array, reason: string): void {
    const code = reason === "expired" ? "expired" : "refused";
    const text = `The request was given up: ${reason}`;
    this.#waiting.get(id.toHex())?.reject(new FabricError(code, text));
  }

  /** Waits for the answer to a request no longer. */
  drop(id: Uint8Array): void {
    const text = "The request was not sent";
    this.#waiting.get(id.toHex())?.reject(new FabricError("closed", text));
  }

  /** Waits for nothing any more. */
  close(): void {
    const error = new FabricError("closed", "The fabric is closed");
    for (const { reject } of this.#waiting.values()) reject(error);
  }
}
