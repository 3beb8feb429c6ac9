import { ROLES } from "../../cli/_roles.ts";

/** How `betanet-htx` runs from its sources, with the permissions it ships with. */
export const FROM_SOURCES: readonly string[] = [
  Deno.execPath(),
  "run",
  "--quiet",
  "--frozen",
  ...ROLES.htx.flags,
  new URL(`../../${ROLES.htx.entry}`, import.meta.url).pathname,
];

/** How long a process may take to say what it is asked for, or to end. */
const PATIENCE_MS = 30_000;

/** What {@link HtxProcess} and {@link startRole} may be told. */
export interface HtxProcessOptions {
  /** The command before the arguments; {@link FROM_SOURCES} if not given. */
  readonly program?: readonly string[];
  /** Variables besides our own. */
  readonly env?: Record<string, string>;
  /** Whether our own variables are kept from it. */
  readonly clearEnv?: boolean;
}

/** A `betanet-htx` that runs; disposing kills it. */
export class HtxProcess implements AsyncDisposable {
  /** What it printed so far. */
  readonly stdout: Output;
  /** What it told the person so far. */
  readonly stderr: Output;
  readonly #child: Deno.ChildProcess;

  /** Starts it with `args`. */
  constructor(args: readonly string[], options: HtxProcessOptions = {}) {
    const [command, ...first] = options.program ?? FROM_SOURCES;
    this.#child = new Deno.Command(command!, {
      args: [...first, ...args],
      clearEnv: options.clearEnv ?? false,
      env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1", ...options.env },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.stdout = new Output(this.#child.stdout);
    this.stderr = new Output(this.#child.stderr);
  }

  /** Its standard input. */
  get stdin(): WritableStream<Uint8Array> {
    return this.#child.stdin;
  }

  /** Its number. */
  get pid(): number {
    return this.#child.pid;
  }

  /** Sends it a signal. */
  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Waits for its end and gives its exit code, 128 and the number for a signal. */
  async exitCode(): Promise<number> {
    const { code } = await within(this.#child.status, "the end");
    await Promise.all([this.stdout.ended, this.stderr.ended]);
    return code;
  }

  /** Kills it and waits until it is gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // it has ended
    }
    await this.#child.stdin.close().catch(() => {}); // closed, or broken with it
    await this.exitCode();
  }
}

/** The text of a stream, as it comes. */
export class Output {
  /** All of it so far. */
  text = "";
  /** Resolves at its end. */
  readonly ended: Promise<void>;
  #isEnded = false;
  #more = Promise.withResolvers<void>();

  /** Reads `stream` to its end. */
  constructor(stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
    this.ended = this.#collect(stream);
  }

  /** Waits until the text matches. */
  match(pattern: RegExp): Promise<RegExpMatchArray> {
    return within(this.#match(pattern), `${pattern}`, () => this.text);
  }

  async #match(pattern: RegExp): Promise<RegExpMatchArray> {
    for (;;) {
      const found = this.text.match(pattern);
      if (found) return found;
      if (this.#isEnded) throw new Error(`No ${pattern} in:\n${this.text}`);
      await this.#more.promise;
    }
  }

  async #collect(stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      this.text += text;
      this.#wake();
    }
    this.#isEnded = true;
    this.#wake();
  }

  #wake(): void {
    this.#more.resolve();
    this.#more = Promise.withResolvers();
  }
}

/** A server or proxy that is ready; disposing kills it. */
export interface HtxRole extends AsyncDisposable {
  /** Its process. */
  readonly process: HtxProcess;
  /** Where it listens, TLS first, the proxy first among forwards, e.g. `tcp://127.0.0.1:40123`. */
  readonly addresses: readonly string[];
  /** The first without TLS as `host:port`. */
  readonly at: string;
  /** The file that holds a server's record. */
  readonly recordFile: string;
  /** Its status page without the last slash. */
  readonly statusUrl: string;
  /** One sample of `/metrics`, e.g. `htx_sessions` or `htx_tickets_total{result="admitted"}`. */
  count(sample: string): Promise<number>;
  /** Asks it to end and gives its exit code. */
  stop(): Promise<number>;
}

/** Starts `betanet-htx server …` or `proxy …` with a status page, and waits until it is ready. */
export async function startRole(
  args: readonly string[],
  options: HtxProcessOptions = {},
): Promise<HtxRole> {
  const isServer = args[0] === "server" && !args.includes("--tls-port");
  const process = new HtxProcess(
    [
      ...args,
      ...(isServer ? ["--tls-port", "0"] : []),
      ...["--json", "--status-port", "0"],
    ],
    options,
  );
  try {
    const [, status] = await process.stderr.match(/^status at (.+)\/$/m);
    const [line] = await process.stdout.match(/^\{.*\}$/m);
    const { addresses, recordFile } = JSON.parse(line) as {
      addresses: string[];
      recordFile: string;
    };
    const tcp = addresses.find((address) => address.startsWith("tcp:"))!;
    return {
      process,
      addresses,
      recordFile,
      at: tcp.replace("tcp://", ""),
      statusUrl: status!,
      count: (sample) => readSample(`${status}/metrics`, sample),
      stop() {
        process.kill("SIGTERM");
        return process.exitCode();
      },
      [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
    };
  } catch (error) {
    await process[Symbol.asyncDispose]();
    throw new Error(`Not ready: ${args.join(" ")}\n${process.stderr.text}`, {
      cause: error,
    });
  }
}

/** A server and a proxy on loopback, and the folder of their keys. */
export interface Tunnel extends AsyncDisposable {
  /** The server's end. */
  readonly server: HtxRole;
  /** The client's end. */
  readonly proxy: HtxRole;
}

/** Starts both; `allow` is what the proxy's clients may reach. */
export async function startTunnel(
  allow: readonly string[],
  { serverArgs = [], proxyArgs = [], ...options }: HtxProcessOptions & {
    readonly serverArgs?: readonly string[];
    readonly proxyArgs?: readonly string[];
  } = {},
): Promise<Tunnel> {
  await using stack = new AsyncDisposableStack();
  const { path } = stack.use(await makeFolder());
  const server = stack.use(
    await startRole([
      "server",
      ...["--port", "0", "--state", path],
      ...allow.flatMap((target) => ["--allow", target]),
      ...serverArgs,
    ], options),
  );
  const proxy = stack.use(
    await startRole([
      "proxy",
      ...["--server", server.recordFile, "--listen", "127.0.0.1:0"],
      ...proxyArgs,
    ], options),
  );
  const owned = stack.move();
  return {
    server,
    proxy,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** A new folder, removed with all in it when disposed. */
export async function makeFolder(): Promise<
  AsyncDisposable & { readonly path: string }
> {
  const path = await Deno.makeTempDir({ prefix: "betanet-test-" });
  return {
    path,
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

/** SHA-256 in hexadecimal. */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

async function readSample(url: string, sample: string): Promise<number> {
  const text = await (await fetch(url)).text();
  const line = text.split("\n").find((line) => line.startsWith(`${sample} `));
  if (line === undefined) throw new Error(`No ${sample} among:\n${text}`);
  return Number(line.slice(sample.length));
}

/** Waits for `promise`, but not for ever. */
async function within<T>(
  promise: Promise<T>,
  what: string,
  seen = () => "",
): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`Waited too long for ${what}\n${seen()}`)),
    PATIENCE_MS,
  );
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
