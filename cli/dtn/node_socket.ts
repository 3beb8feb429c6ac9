import { BoundedQueue } from "../../src/core/async/mod.ts";
import {
  type Bundle,
  bundleId,
  decodeBundle,
  QUIRKS,
} from "../../src/dtn/mod.ts";
import { CliError } from "../_error.ts";
import type { Context } from "../_main.ts";
import { noNodeAt } from "../_ask_app.ts";
import { appAt } from "./ask_node.ts";
import type { DtnConfig } from "./config.ts";

/** Beyond what the node sends without acknowledgement, so that nothing is dropped. */
const MAX_QUEUED = 128;

/** A WebSocket to a node, over which the bundles of one endpoint come, each to be acknowledged. */
export class NodeSocket implements AsyncDisposable {
  readonly #socket: WebSocket;
  readonly #answers = new BoundedQueue<string>({ capacity: MAX_QUEUED });
  readonly #bundles = new BoundedQueue<Bundle>({ capacity: MAX_QUEUED });
  readonly #closed = Promise.withResolvers<void>();

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => {
      if (typeof data === "string") {
        this.#answers.offer(data);
        return;
      }
      const bytes = new Uint8Array(data);
      // The node has judged it.
      this.#bundles.offer(decodeBundle(bytes, { quirks: QUIRKS }));
    };
    socket.onerror = (event) => event.preventDefault(); // closed comes next
    socket.onclose = () => {
      const error = new CliError("failed", "The node has closed the WebSocket");
      this.#answers.close(error);
      this.#bundles.close(error);
      this.#closed.resolve();
    };
  }

  /**
   * Subscribes to an endpoint of the node that `config` describes.
   *
   * @throws {CliError} `failed` if no node answers, or it refuses.
   */
  static async open(
    endpoint: string,
    config: DtnConfig,
    context: Context,
  ): Promise<NodeSocket> {
    const address = appAt(config, context);
    const { where, secret } = address;
    const web = new WebSocket(`ws://${where}/ws`);
    const socket = new NodeSocket(web);
    context.signal.addEventListener("abort", () => web.close());
    await new Promise<void>((resolve, reject) => {
      web.onopen = () => resolve();
      void socket.#closed.promise.then(() => reject(noNodeAt(address)));
    });
    if (secret !== undefined) await socket.#say(`/token ${secret}`);
    for (const command of ["/bundle", "/acks", `/subscribe ${endpoint}`]) {
      await socket.#say(command);
    }
    return socket;
  }

  /**
   * The next bundle.
   *
   * @throws {CliError} `failed` if the node closes.
   * @throws The reason of `signal`.
   */
  async next(options: { readonly signal?: AbortSignal }): Promise<Bundle> {
    return (await this.#bundles.shift(options))!; // it is closed with an error
  }

  /** Takes `bundle`: the node gives it to nobody again. */
  async acknowledge(bundle: Bundle): Promise<void> {
    await this.#say(`/ack ${bundleId(bundle)}`);
  }

  /** Closes it: what is not acknowledged waits at the node. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close();
    await this.#closed.promise;
  }

  async #say(command: string): Promise<void> {
    this.#socket.send(command);
    const answer = (await this.#answers.shift())!;
    if (answer.startsWith("200 ")) return;
    throw new CliError("failed", `The node answered ${answer}`);
  }
}
