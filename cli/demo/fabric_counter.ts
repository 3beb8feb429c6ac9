import type { AppAddress } from "../_ask_app.ts";
import { CliError } from "../_error.ts";
import { type GivenLetter, LetterSocket } from "../fabric/letter_socket.ts";

/** An application that takes messages which carry numbers, and answers each with the next number. */
export class Counter implements AsyncDisposable {
  /** How often each number came. */
  readonly seen: Map<number, number> = new Map();
  readonly #socket: LetterSocket;
  readonly #counting: Promise<void>;

  private constructor(socket: LetterSocket) {
    this.#socket = socket;
    this.#counting = this.#count();
  }

  /** Listens to a type at a node. */
  static async open(
    address: AppAddress,
    type: string,
    signal: AbortSignal,
  ): Promise<Counter> {
    return new Counter(await LetterSocket.open(address, { type }, signal));
  }

  /**
   * Checks that each number below `count` came once.
   *
   * @throws {CliError} `failed` if not.
   */
  requireEachOnce(count: number): void {
    for (let n = 0; n < count; n++) {
      const times = this.seen.get(n) ?? 0;
      if (times === 1) continue;
      throw new CliError("failed", `Message ${n} came ${times} times`);
    }
    if (this.seen.size === count) return;
    throw new CliError("failed", "Messages came that were not sent");
  }

  /** Listens no more. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#socket[Symbol.asyncDispose]();
    await this.#counting;
  }

  async #count(): Promise<void> {
    for (;;) {
      let letter: GivenLetter;
      try {
        letter = await this.#socket.next({});
      } catch (error) {
        if (error instanceof CliError) return; // the socket is closed
        throw error;
      }
      const n = Number(letter.value);
      this.seen.set(n, (this.seen.get(n) ?? 0) + 1);
      this.#socket.answer(letter, { answer: n + 1 });
    }
  }
}
