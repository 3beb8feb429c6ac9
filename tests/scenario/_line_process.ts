/** A script in a process of its own, which is told what to do as JSON and answers in lines of JSON. */
export class LineProcess implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #stdin: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: AsyncIterator<string>;

  /** Spawns `script`, a file of this folder, with `options` as its last argument; by `launcher`, a command that runs another, if given. */
  constructor(
    script: string,
    options: unknown,
    args: readonly string[] = [],
    launcher: readonly string[] = [],
  ) {
    const [command = "", ...before] = [...launcher, Deno.execPath()];
    this.#child = new Deno.Command(command, {
      args: [
        ...before,
        "run",
        "--no-check",
        "--frozen",
        "-A",
        new URL(script, import.meta.url).pathname,
        ...args,
        JSON.stringify(options),
      ],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    this.#stdin = this.#child.stdin.getWriter();
    this.#lines = lines(this.#child.stdout);
  }

  /** Its resident memory in bytes. */
  get rssBytes(): number {
    return rssBytes(this.#child.pid);
  }

  /** Processor time it has used, in seconds. */
  get cpuSeconds(): number {
    return cpuSeconds(this.#child.pid);
  }

  /** The next line it writes. */
  async line<T>(): Promise<T> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error("Process ended before its line");
    return JSON.parse(value);
  }

  /** All lines it writes from now to its end. */
  async *said<T>(): AsyncGenerator<T> {
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done) return;
      yield JSON.parse(value);
    }
  }

  /** Sends it an empty line and returns the next one it writes. */
  async ask<T>(): Promise<T> {
    await this.#stdin.write(Uint8Array.of(10));
    return await this.line();
  }

  /** Sends it a line of JSON. */
  async tell(value: unknown): Promise<void> {
    await this.#stdin.write(encode(value));
  }

  /** Asks it to end, and gives its exit code. */
  async terminate(): Promise<number> {
    this.#child.kill("SIGTERM");
    return (await this.#child.status).code;
  }

  /** Ends it at once, as the kernel does when memory is short. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.status;
  }

  /** Ends its standard input, so that it ends by itself. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stdin.close().catch(() => {});
    await this.#child.status;
    await this.#lines.return?.();
  }
}

/** Resident memory of a process in bytes. */
export function rssBytes(pid: number = Deno.pid): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)![1]) * 1_024;
}

/** Processor time that a process has used, in seconds: the kernel counts it in hundredths. */
export function cpuSeconds(pid: number = Deno.pid): number {
  const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Writes one line of JSON to standard output. */
export function say(value: unknown): void {
  const line = encode(value);
  for (let at = 0; at < line.length;) {
    at += Deno.stdout.writeSync(line.subarray(at));
  }
}

/** The lines of JSON that come on `stdin`. */
export async function* orders<T>(
  stdin: ReadableStream<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<T> {
  for await (const line of lines(stdin)) yield JSON.parse(line);
}

/** Waits for a line on standard input; `false` at its end. */
export async function asked(): Promise<boolean> {
  return await Deno.stdin.read(new Uint8Array(64)) !== null;
}

/** Prints the figures of a scenario. */
export function report(text: string): void {
  // deno-lint-ignore no-console -- a scenario prints its figures
  console.log(text);
}

function encode(value: unknown): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${JSON.stringify(value)}\n`);
}

async function* lines(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<string> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split("\n");
    rest = parts.pop()!;
    yield* parts;
  }
}
