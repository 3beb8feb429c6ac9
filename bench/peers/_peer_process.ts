const CLOCK_TICKS_PER_S = 100; // what Linux shows in /proc on every machine
const MAX_ANSWER_MS = 120_000;
const decoder = new TextDecoder();

/** A program and its arguments. */
export type Command = readonly string[];

/** A process that answers each line of its input with one line of JSON. */
export class PeerProcess implements AsyncDisposable {
  /** The first line it said. */
  readonly known: unknown;
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: AsyncGenerator<string>;

  private constructor(
    child: Deno.ChildProcess,
    lines: AsyncGenerator<string>,
    known: unknown,
  ) {
    this.#child = child;
    this.#writer = child.stdin.getWriter();
    this.#lines = lines;
    this.known = known;
  }

  /** Runs a program and its arguments, and waits until it says its first line. */
  static async start(
    [program, ...args]: Command,
  ): Promise<PeerProcess> {
    const child = new Deno.Command(program!, {
      args,
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const lines = linesOf(child.stdout);
    return new PeerProcess(child, lines, await answer(lines));
  }

  /** Sends a command and returns the answer; a process that takes longer than two minutes is ended. */
  async ask(command: string, argument: unknown = null): Promise<unknown> {
    const line = JSON.stringify([command, argument]) + "\n";
    const timer = setTimeout(() => this.#child.kill(), MAX_ANSWER_MS);
    try {
      await this.#writer.write(new TextEncoder().encode(line));
      return await answer(this.#lines);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Processor time used so far, in seconds. */
  get cpuS(): number {
    const stat = Deno.readTextFileSync(`/proc/${this.#child.pid}/stat`);
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_S;
  }

  /** Memory in use now, in bytes. */
  get rssBytes(): number {
    const status = Deno.readTextFileSync(`/proc/${this.#child.pid}/status`);
    return 1_024 * Number(status.match(/VmRSS:\s*(\d+)/)![1]);
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer.close().catch(() => {});
    await this.#lines.return(undefined);
    await this.#child.status;
  }
}

/** How to run a program of Deno. */
export function deno(...args: readonly string[]): Command {
  const options = ["--quiet", "-A", "--v8-flags=--expose-gc"];
  return [Deno.execPath(), "run", ...options, ...args];
}

async function answer(lines: AsyncGenerator<string>): Promise<unknown> {
  const { value, done } = await lines.next();
  if (done) throw new Error("A peer ended early");
  return JSON.parse(value);
}

async function* linesOf(
  stream: ReadableStream<Uint8Array>,
): AsyncGenerator<string> {
  let text = "";
  for await (const bytes of stream) {
    const lines = (text + decoder.decode(bytes, { stream: true })).split("\n");
    text = lines.pop()!;
    yield* lines;
  }
}
