import type { AgentId } from "../identity/agent_id.ts";
import type { FabricStream } from "../stream/fabric_stream.ts";
import { FabricError } from "../error.ts";
import { type Schema, validated } from "./schema.ts";

/** A {@link FabricStream} of a service: `Sent` goes out, `Received` has been validated. */
export class TypedStream<Sent, Received>
  implements AsyncIterableIterator<Received>, AsyncDisposable {
  readonly #stream: FabricStream;
  readonly #schema: Schema | undefined;
  readonly #what: "invalid_input" | "invalid_output";

  /**
   * Wraps a stream.
   *
   * @param schema - Of what comes; nothing may come if it is `undefined`.
   * @param what - What the other end is told of a value that does not fit.
   */
  constructor(
    stream: FabricStream,
    schema: Schema | undefined,
    what: "invalid_input" | "invalid_output",
  ) {
    this.#stream = stream;
    this.#schema = schema;
    this.#what = what;
  }

  /** Who is at the other end, verified. */
  get peer(): AgentId {
    return this.#stream.peer;
  }

  /** Resolves when both sides have ended, or it was closed; never rejects. */
  get closed(): Promise<void> {
    return this.#stream.closed;
  }

  /** As {@link FabricStream.send}. */
  async send(value: Sent): Promise<void> {
    await this.#stream.send(value);
  }

  /**
   * As {@link FabricStream.next}.
   *
   * @throws {FabricError} `invalid` if the value does not fit; the stream is closed, and the other end told where it does not.
   */
  async next(): Promise<IteratorResult<Received, undefined>> {
    const result = await this.#stream.next();
    if (result.done) return { done: true, value: undefined };
    try {
      if (!this.#schema) throw new FabricError("invalid", this.#what);
      const value = await validated(this.#schema, result.value, this.#what);
      return { done: false, value: value as Received };
    } catch (error) {
      const isInvalid = error instanceof FabricError &&
        error.code === "invalid";
      await this.#stream.close(isInvalid ? error.message : "failed");
      throw error;
    }
  }

  /** Itself: it is iterated over once. */
  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Closes the stream, as leaving a loop over it early does. */
  async return(): Promise<IteratorResult<Received, undefined>> {
    await this.close();
    return { done: true, value: undefined };
  }

  /** As {@link FabricStream.end}. */
  async end(): Promise<void> {
    await this.#stream.end();
  }

  /** As {@link FabricStream.close}. */
  async close(reason?: string): Promise<void> {
    await this.#stream.close(reason);
  }

  /** As {@link close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
