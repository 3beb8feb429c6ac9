import { Deadline, systemClock } from "../../src/core/async/mod.ts";
import { CliError } from "../_error.ts";
import type { RoleName } from "../_roles.ts";
import { commandOf } from "../_self.ts";

/** How long a process may take to print its first line, and to end once it is told to. */
const START_MS = 120_000;
const END_MS = 5_000;

/** Lines of stderr that are kept. */
const MAX_SAID = 8;

/** What to start. */
export interface ChildOptions {
  /** What a person calls it, e.g. `HTX server`. */
  readonly name: string;
  /** Its program. */
  readonly role: RoleName;
  /** Its arguments; it must print JSON. */
  readonly args: readonly string[];
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** Another process of this program that ends with its owner. `Printed` is what its first line holds. */
export class Child<Printed> implements AsyncDisposable {
  /** What a person calls it. */
  readonly name: string;
  readonly #process: Deno.ChildProcess;
  readonly #reading: Promise<unknown>;
  readonly #printed = Promise.withResolvers<Printed>();
  readonly #status = Promise.withResolvers<string>();
  readonly #said: string[] = [];

  /** Starts it. */
  constructor({ name, role, args, signal }: ChildOptions) {
    signal.throwIfAborted();
    const line = commandOf(role, args);
    this.name = name;
    this.#process = new Deno.Command(line.command, {
      args: [...line.args],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#printed.promise.catch(() => {}); // who waits for it hears of it
    this.#status.promise.catch(() => {});
    this.#reading = this.#read();
    const end = () => this.#kill("SIGTERM");
    signal.addEventListener("abort", end);
    void this.#process.status.then(() =>
      signal.removeEventListener("abort", end)
    );
  }

  /** What it prints once it works. */
  get printed(): Promise<Printed> {
    return this.#printed.promise;
  }

  /** Where it serves its status, if it says so. */
  get statusAddress(): Promise<string> {
    return this.#status.promise;
  }

  /** The last lines it told the person. */
  get said(): readonly string[] {
    return this.#said;
  }

  /** Ends it at once, as a power cut would. */
  async kill(): Promise<void> {
    this.#kill("SIGKILL");
    await this.#process.status;
  }

  /** Ends it, by force if need be, and waits until it is gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#kill("SIGTERM");
    const cancel = systemClock.setTimeout(() => this.#kill("SIGKILL"), END_MS);
    await this.#process.status;
    cancel();
    await this.#reading;
  }

  async #read(): Promise<void> {
    using deadline = new Deadline(systemClock, START_MS);
    deadline.signal.addEventListener("abort", () => this.#kill("SIGTERM"));
    const { stdout, stderr } = this.#process;
    await Promise.all([
      eachLine(stdout, (line) => {
        deadline[Symbol.dispose]();
        this.#printed.resolve(JSON.parse(line));
      }),
      eachLine(stderr, (line) => this.#hear(line)),
    ]);
    const ended = new CliError("failed", `The ${this.name} did not start`, {
      cause: this.#said.join("\n"),
    });
    this.#printed.reject(ended);
    this.#status.reject(ended);
  }

  #hear(line: string): void {
    this.#said.push(line);
    if (this.#said.length > MAX_SAID) this.#said.shift();
    const address = /^status at (http:\S+)\/$/.exec(line)?.[1];
    if (address !== undefined) this.#status.resolve(address);
  }

  #kill(signal: Deno.Signal): void {
    try {
      this.#process.kill(signal);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // it has ended
    }
  }
}

async function eachLine(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  hear: (line: string) => void,
): Promise<void> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    lines.forEach(hear);
  }
  if (rest !== "") hear(rest);
}
