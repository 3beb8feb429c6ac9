import config from "../deno.json" with { type: "json" };
import { systemClock } from "../src/core/async/mod.ts";
import {
  createLogger,
  jsonSink,
  LOG_LEVELS,
  type Logger,
  textSink,
} from "../src/core/log/mod.ts";
import { CliError } from "./_error.ts";
import {
  type FlagTypes,
  type FlagValues,
  oneOf,
  parseFlags,
  suggest,
} from "./_flags.ts";
import { Progress } from "./_progress.ts";
import {
  type EndSignal,
  OutputClosed,
  systemTerminal,
  type Terminal,
  workerScope,
} from "./_terminal.ts";
import { work, type WorkerTask } from "./_worker.ts";

/** A program: commands under one name. */
export interface Program {
  /** The name of its executable, e.g. `betanet-htx`. */
  readonly name: string;
  /** What `--help` prints: synopsis, commands, examples. */
  readonly usage: string;
  /** Commands, and programs of their own, by name; a function loads one when it is called for. */
  readonly commands: Readonly<
    Record<string, Command | Program | (() => Promise<Command | Program>)>
  >;
  /** The command that a command line stands for whose first word is a flag. */
  readonly defaultCommand?: string;
  /** What its worker threads do, by name. */
  readonly workers?: Readonly<Record<string, WorkerTask>>;
}

/** One thing a program does. Make it with {@link command}. */
export interface Command<F extends FlagTypes = FlagTypes> {
  /** What `--help` after the command prints, with the flags of every command below it; it names the command's own. */
  readonly usage: string;
  /** Its flags besides those of every command. */
  readonly flags: F;
  /** Flags that have a letter, by letter. */
  readonly aliases?: Readonly<Record<string, keyof F & string>>;
  /** How many operands it takes; default none. */
  readonly operands?: readonly [min: number, max: number];
  /** Does it. Returning is exit code 0, throwing 1, or 2 for a {@link CliError} of code `usage`. */
  run(flags: FlagValues<F>, context: Context): Promise<void>;
}

/** What a command works with. */
export interface Context {
  /** The operands. */
  readonly operands: readonly string[];
  /** Aborts on the first SIGINT or SIGTERM: finish what is under way and return, or throw its reason. */
  readonly signal: AbortSignal;
  /** To stderr, as `--log-level` and `--log-format` say. */
  readonly log: Logger;
  /** Bytes from stdin. */
  readonly stdin: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** Bytes to stdout, for commands that do not {@link print}. */
  readonly stdout: WritableStream<Uint8Array>;
  /** An environment variable; `undefined` if it is unset, empty or not permitted. */
  env(name: string): string | undefined;
  /** Prints a result to stdout: `text`, or with `--json` `value` as one line of JSON. */
  print(value: unknown, text: string): void;
  /** Prints a line for the person to stderr, unless `--quiet`. */
  note(line: string): void;
  /** Shows a transfer under way, unless `--quiet`. */
  progress(label: string, totalBytes?: number): Progress;
}

/** Flags of every command. */
const COMMON_FLAGS = {
  help: "boolean",
  json: "boolean",
  quiet: "boolean",
  "log-level": "string",
  "log-format": "string",
} as const satisfies FlagTypes;

const COMMON_USAGE = `
Flags of every command:
  --json                     print results as JSON, one value a line
  --quiet                    show neither notes nor progress
  --log-level <level>        debug, info, warn or error; default info
  --log-format text|json     default text
  --help
`;

const EXIT_USAGE = `
Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 130 or 143 cut short by SIGINT or SIGTERM.
`;

/** How many causes of an error are printed. */
const MAX_CAUSES = 4;

const EXIT_CODE = { usage: 2, failed: 1, SIGINT: 130, SIGTERM: 143 } as const;

/** Runs `program` as this process, or the task of this thread: `if (import.meta.main) await main(program);` */
export async function main(program: Program): Promise<void> {
  const scope = workerScope();
  if (scope) return await work(program.workers ?? {}, scope);
  const terminal = systemTerminal();
  terminal.exit(await run(program, terminal));
}

/** Runs the command that `terminal.args` name, and returns the exit code. */
export async function run(
  program: Program,
  terminal: Terminal,
): Promise<number> {
  try {
    const [name, ...args] = withDefault(terminal.args, program);
    if (name === "--help" || name === "-h") {
      terminal.print(`${program.usage.trim()}\n${EXIT_USAGE.trimEnd()}`);
      return 0;
    }
    if (name === "--version") {
      terminal.print(`${program.name} ${config.version}`);
      return 0;
    }
    const found = await load(program, name);
    return "commands" in found
      ? await run(found, { ...terminal, args })
      : await runCommand(found, args, program, terminal);
  } catch (error) {
    return report(error, program, terminal);
  }
}

function withDefault(
  args: readonly string[],
  { defaultCommand }: Program,
): readonly string[] {
  const isFlag = args[0]?.startsWith("-") &&
    !["--help", "-h", "--version"].includes(args[0]);
  return isFlag && defaultCommand ? [defaultCommand, ...args] : args;
}

/** Types `command` by its flags. */
export function command<const F extends FlagTypes>(
  command: Command<F>,
): Command {
  return command as unknown as Command;
}

async function load(
  program: Program,
  name: string | undefined,
): Promise<Command | Program> {
  if (name === undefined) {
    throw new CliError("usage", "No command given", {
      hint: `${program.name} --help lists the commands.`,
    });
  }
  if (!Object.hasOwn(program.commands, name)) {
    const what = name.startsWith("-") ? "flag" : "command";
    throw new CliError("usage", `Unknown ${what} ${name}`, {
      hint: what === "flag"
        ? `Flags come after the command; ${program.name} --help lists the commands.`
        : suggest(name, Object.keys(program.commands)) ??
          `${program.name} --help lists the commands.`,
    });
  }
  const found = program.commands[name]!;
  return typeof found === "function" ? await found() : found;
}

async function runCommand(
  command: Command,
  args: readonly string[],
  program: Program,
  terminal: Terminal,
): Promise<number> {
  if (helpAsked(args)) {
    terminal.print(
      `${command.usage.trim()}\n${COMMON_USAGE}${EXIT_USAGE.trimEnd()}`,
    );
    return 0;
  }
  const types: FlagTypes & typeof COMMON_FLAGS = {
    ...command.flags,
    ...COMMON_FLAGS,
  };
  const { flags, operands } = parseFlags(args, types, command.aliases);
  const [min, max] = command.operands ?? [0, 0];
  if (operands.length < min || operands.length > max) {
    const wanted = min === max ? `${min}` : `${min} to ${max}`;
    throw new CliError(
      "usage",
      `Want ${wanted} operands, got ${operands.length}`,
      { hint: "--help after the command shows what it takes." },
    );
  }
  const log = logger(flags, terminal);
  const ended = new AbortController();
  using _listening = terminal.onSignal((name) => {
    if (ended.signal.aborted) terminal.exit(EXIT_CODE[name]);
    terminal.note(`${program.name}: ${name}: finishing; again to stop at once`);
    ended.abort(new Ended(name));
  });
  await command.run(flags, {
    operands,
    signal: ended.signal,
    log,
    stdin: terminal.stdin,
    stdout: terminal.stdout,
    env: (name) => terminal.env(name),
    print: (value, text) =>
      terminal.print(flags.json ? JSON.stringify(value) : text),
    note: (line) => flags.quiet || terminal.note(line),
    progress: (label, totalBytes) =>
      new Progress({
        label,
        totalBytes,
        quiet: flags.quiet,
        terminal,
        clock: systemClock,
      }),
  });
  return 0;
}

function helpAsked(args: readonly string[]): boolean {
  const end = args.indexOf("--");
  return args.slice(0, end < 0 ? undefined : end)
    .some((arg) => arg === "--help" || arg === "-h");
}

function logger(
  flags: FlagValues<typeof COMMON_FLAGS>,
  terminal: Terminal,
): Logger {
  const level = oneOf("log-level", flags["log-level"] ?? "info", LOG_LEVELS);
  const format = oneOf(
    "log-format",
    flags["log-format"] ?? "text",
    ["text", "json"] as const,
  );
  const write = (line: string) => terminal.note(line);
  return createLogger({
    level,
    sink: format === "json" ? jsonSink(write) : textSink(write),
  });
}

/** The reason of {@link Context.signal}. */
class Ended extends Error {
  readonly signal: EndSignal;

  constructor(signal: EndSignal) {
    super(`Ended by ${signal}`);
    this.signal = signal;
  }
}

function report(error: unknown, program: Program, terminal: Terminal): number {
  if (error instanceof Ended) return EXIT_CODE[error.signal];
  if (error instanceof OutputClosed) return 0;
  const say = (what: string, text: string) =>
    terminal.note(`${program.name}: ${what}: ${text.replaceAll("\n", "\n  ")}`);
  say("error", messageOf(error));
  let cause = error instanceof Error ? error.cause : undefined;
  for (let depth = 0; cause !== undefined && depth < MAX_CAUSES; depth++) {
    say("cause", messageOf(cause));
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  const hint = hintOf(error);
  if (hint !== undefined) say("hint", hint);
  return error instanceof CliError ? EXIT_CODE[error.code] : EXIT_CODE.failed;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function hintOf(error: unknown): string | undefined {
  if (error instanceof CliError) return error.hint;
  if (error instanceof Deno.errors.NotCapable) {
    return "The program runs with the permissions of its role; deno.json lists them under tasks.";
  }
  return undefined;
}
