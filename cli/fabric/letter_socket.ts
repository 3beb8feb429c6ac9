import { BoundedQueue } from "../../src/core/async/mod.ts";
import { type AppAddress, noNodeAt } from "../_ask_app.ts";
import { CliError } from "../_error.ts";

/** A message, as a node gives it to an application. */
export interface GivenLetter {
  /** Its number on this socket. */
  readonly n: number;
  /** Its id, in hexadecimal. */
  readonly id: string;
  /** Who sent it. */
  readonly from: string;
  /** What it is. */
  readonly kind: string;
  /** What it carries. */
  readonly value: unknown;
}

/** More than a node gives at a time. */
const MAX_QUEUED = 128;

/** A WebSocket to a node, over which messages come: those of one type, or of a group. */
export class LetterSocket<L extends object = GivenLetter>
  implements AsyncDisposable {
  readonly #socket: WebSocket;
  readonly #letters = new BoundedQueue<L>({ capacity: MAX_QUEUED });
  readonly #closed = Promise.withResolvers<void>();

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      this.#letters.offer(JSON.parse(String(data)));
    };
    socket.onerror = (event) => event.preventDefault(); // closed comes next
    socket.onclose = () => {
      const error = new CliError("failed", "The node has closed the WebSocket");
      this.#letters.close(error);
      this.#closed.resolve();
    };
  }

  /**
   * Listens at an agent: to a type, or by another `path` to a group.
   *
   * @throws {CliError} `failed` if no node answers, or it refuses.
   */
  static async open<L extends object = GivenLetter>(
    address: AppAddress,
    query: Readonly<Record<string, string>>,
    signal: AbortSignal,
    path = "/messages",
  ): Promise<LetterSocket<L>> {
    const { where, secret } = address;
    const url = `ws://${where}${path}?${new URLSearchParams(query)}`;
    const headers: Record<string, string> = secret === undefined
      ? {}
      : { authorization: `Bearer ${secret}` };
    const web = new WebSocket(url, { headers });
    const socket = new LetterSocket<L>(web);
    signal.addEventListener("abort", () => web.close());
    await new Promise<void>((resolve, reject) => {
      web.onopen = () => resolve();
      void socket.#closed.promise.then(() => reject(noNodeAt(address)));
    });
    return socket;
  }

  /**
   * The next message.
   *
   * @throws {CliError} `failed` if the node closes.
   * @throws The reason of `signal`.
   */
  async next(options: { readonly signal?: AbortSignal }): Promise<L> {
    return (await this.#letters.shift(options))!; // it is closed with an error
  }

  /** Is done with a message; what `reply` says goes to who sent a request. */
  answer(
    { n }: { readonly n: number },
    reply: { readonly answer?: unknown; readonly refuse?: string } = {},
  ): void {
    this.#socket.send(JSON.stringify({ n, ...reply }));
  }

  /** Closes it: what is not answered waits at the node. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close();
    await this.#closed.promise;
  }
}
