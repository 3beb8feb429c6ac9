import type { AppAddress } from "../_ask_app.ts";
import { CliError } from "../_error.ts";
import { LetterSocket } from "../fabric/letter_socket.ts";

/** A message or an event of a group, as a node gives it to an application. */
interface Given {
  readonly n?: number;
  readonly value?: unknown;
}

/** An application that follows a group, in which numbers are published. */
export class GroupReader implements AsyncDisposable {
  /** The numbers that came, as they came. */
  readonly numbers: number[] = [];
  readonly #socket: LetterSocket<Given>;
  readonly #reading: Promise<void>;

  private constructor(socket: LetterSocket<Given>) {
    this.#socket = socket;
    this.#reading = this.#read();
  }

  /** Follows a group at a node. */
  static async open(
    address: AppAddress,
    group: string,
    signal: AbortSignal,
  ): Promise<GroupReader> {
    const path = "/group/messages";
    return new GroupReader(
      await LetterSocket.open<Given>(address, { group }, signal, path),
    );
  }

  /** Follows no more. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#socket[Symbol.asyncDispose]();
    await this.#reading;
  }

  async #read(): Promise<void> {
    for (;;) {
      let given: Given;
      try {
        given = await this.#socket.next({});
      } catch (error) {
        if (error instanceof CliError) return; // the socket is closed
        throw error;
      }
      const { n, value } = given;
      if (n === undefined) continue;
      this.numbers.push(Number(value));
      this.#socket.answer({ n });
    }
  }
}
