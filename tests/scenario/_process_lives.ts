import type { LineProcess } from "./_line_process.ts";

/** The processes of one node of a scenario, one after another; each says a line of kind `ready` once it is. */
export class ProcessLives<Line extends { readonly kind: string }, Order>
  implements AsyncDisposable {
  /** Whether one lives and is ready. */
  isUp = false;
  readonly #name: string;
  readonly #hear: (line: Line) => void;
  #process: LineProcess | undefined;
  #reading: Promise<void> = Promise.resolve();

  /** None lives yet; `hear` gets every line that one says. */
  constructor(name: string, hear: (line: Line) => void) {
    this.#name = name;
    this.#hear = hear;
  }

  /** The one that lives. */
  get process(): LineProcess {
    return this.#process!;
  }

  /** Resolves when the one that lives has said its last. */
  get over(): Promise<void> {
    return this.#reading;
  }

  /** Begins a life, and waits until it is ready. */
  async begin(process: LineProcess): Promise<void> {
    const ready = Promise.withResolvers<void>();
    this.#process = process;
    this.#reading = this.#read(process, ready);
    await ready.promise;
    this.isUp = true;
  }

  /** Tells it something; nothing hears it if it was killed meanwhile. */
  async tell(order: Order): Promise<void> {
    await this.process.tell(order).catch((error) => {
      if (this.isUp) throw error;
    });
  }

  /** Ends it as `how` does, and reads what it had said before. */
  async end<T>(
    how: (process: LineProcess) => Promise<T>,
  ): Promise<T | undefined> {
    this.isUp = false;
    const result = this.#process && await how(this.#process);
    await this.#reading;
    return result;
  }

  /** Ends it with SIGKILL, and reads what it had said before. */
  async kill(): Promise<void> {
    await this.end((process) => process.kill());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill().catch(() => {}); // it may have ended
    await this.#process?.[Symbol.asyncDispose]();
  }

  async #read(
    process: LineProcess,
    ready: PromiseWithResolvers<void>,
  ): Promise<void> {
    for await (const line of process.said<Line>()) {
      this.#hear(line);
      if (line.kind === "ready") ready.resolve();
    }
    ready.reject(new Error(`${this.#name} ended before it was ready`));
    ready.promise.catch(() => {});
  }
}
