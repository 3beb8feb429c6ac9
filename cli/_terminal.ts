/**
 * The one door to the terminal: no other file prints, or reads arguments and environment.
 *
 * - stdout carries what the user asked for and nothing else; with `--json`, one JSON value a line.
 * - stderr carries the rest: log, progress, `betanet-htx: error: …` and `betanet-htx: hint: …`.
 * - Control characters are escaped, so that nothing a peer or a file chose can drive the terminal.
 * - Progress is one redrawn line on a terminal, a line every few seconds elsewhere, nothing with `--quiet`.
 * - Nothing is asked: programs run unattended.
 * - Who reads stdout may stop, as `head` does: the program ends without complaint.
 *
 * @module
 */

/** Signals that end a program. */
export type EndSignal = "SIGINT" | "SIGTERM";

/** What a program knows of the process it runs in; tests supply their own. */
export interface Terminal {
  /** The command line after the program's name. */
  readonly args: readonly string[];
  /** Whether a person watches stderr. */
  readonly interactive: boolean;
  /** Characters in a line of stderr. */
  readonly columns: number;
  /** Bytes typed or piped in. */
  readonly stdin: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** Raw bytes out, for commands that pipe. */
  readonly stdout: WritableStream<Uint8Array>;
  /** An environment variable; `undefined` if it is unset, empty or not permitted. */
  env(name: string): string | undefined;
  /** Writes a line to stdout. */
  print(line: string): void;
  /** Writes a line to stderr, above the status line. */
  note(line: string): void;
  /** Draws the status line of stderr anew; an empty one clears it. */
  status(line: string): void;
  /** Calls `listener` on each SIGINT and SIGTERM until disposed. */
  onSignal(listener: (name: EndSignal) => void): Disposable;
  /** Ends the process. */
  exit(code: number): never;
}

/** What a worker thread has instead of a terminal. */
export interface WorkerScope {
  /** What its starter called it. */
  readonly name: string;
  /** Called for each message of its starter. */
  onmessage: ((event: MessageEvent) => void) | null;
  /** Sends its starter a message. */
  postMessage(message: unknown, transfer?: ArrayBuffer[]): void;
}

/** That of this thread, if it is a worker. */
export function workerScope(): WorkerScope | undefined {
  return "WorkerGlobalScope" in globalThis
    ? globalThis as unknown as WorkerScope
    : undefined;
}

/** Nobody reads stdout any more. */
export class OutputClosed extends Error {
  /** `"OutputClosed"`. */
  override readonly name = "OutputClosed";
}

/** The terminal of this process. */
export function systemTerminal(): Terminal {
  let shown = "";
  const status = (line: string) => {
    shown = line;
    tell(`\r${escapeControls(line)}\x1b[K`);
  };
  return {
    args: Deno.args,
    interactive: Deno.stderr.isTerminal(),
    columns: columns(),
    stdin: Deno.stdin.readable,
    stdout: rawOutput(),
    env,
    print: (line) =>
      orClosed(() => write(Deno.stdout, `${escapeControls(line)}\n`)),
    note(line) {
      const clear = shown === "" ? "" : "\r\x1b[K";
      tell(`${clear}${escapeControls(line)}\n`);
      if (shown !== "") status(shown);
    },
    status,
    onSignal,
    exit: (code) => Deno.exit(code),
  };
}

/** `text` with every control character but newline and tab written as `\xNN`. */
export function escapeControls(text: string): string {
  return text.replace(
    // deno-lint-ignore no-control-regex -- they are what is escaped
    /[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]/g,
    (c) => {
      const code = c.charCodeAt(0).toString(16);
      return code.length > 2 ? `\\u${code}` : `\\x${code.padStart(2, "0")}`;
    },
  );
}

function env(name: string): string | undefined {
  try {
    return Deno.env.get(name) || undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return undefined;
    throw error;
  }
}

function columns(): number {
  try {
    return Deno.consoleSize().columns;
  } catch {
    return 80; // no terminal
  }
}

function rawOutput(): WritableStream<Uint8Array> {
  const writer = Deno.stdout.writable.getWriter();
  return new WritableStream<Uint8Array>({
    write: (chunk) => writer.write(chunk).catch(throwClosed),
    close: () => writer.close(),
    abort: (reason) => writer.abort(reason),
  });
}

function orClosed(print: () => void): void {
  try {
    print();
  } catch (error) {
    throwClosed(error);
  }
}

function throwClosed(error: unknown): never {
  if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  throw new OutputClosed("Output is closed", { cause: error });
}

/** To stderr; a program goes on when nobody reads that. */
function tell(text: string): void {
  try {
    write(Deno.stderr, text);
  } catch (error) {
    const { BrokenPipe, WouldBlock } = Deno.errors;
    if (error instanceof BrokenPipe || error instanceof WouldBlock) return;
    throw error;
  }
}

function write(file: typeof Deno.stdout, text: string): void {
  let bytes: Uint8Array = new TextEncoder().encode(text);
  while (bytes.length > 0) bytes = bytes.subarray(file.writeSync(bytes));
}

function onSignal(listener: (name: EndSignal) => void): Disposable {
  const interrupt = () => listener("SIGINT");
  const terminate = () => listener("SIGTERM");
  Deno.addSignalListener("SIGINT", interrupt);
  Deno.addSignalListener("SIGTERM", terminate);
  return {
    [Symbol.dispose]() {
      Deno.removeSignalListener("SIGINT", interrupt);
      Deno.removeSignalListener("SIGTERM", terminate);
    },
  };
}
