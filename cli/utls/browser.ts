import { Deadline, delay, systemClock } from "../../src/core/async/mod.ts";
import { CliError } from "../_error.ts";

/** How a Chromium is run. */
export interface BrowserOptions {
  /** Its executable, a name in PATH or a path. */
  readonly executable: string;
  /** The page to open. */
  readonly url: string;
  /** Chromium's `--host-resolver-rules` for the hosts that it may reach; no other name or address but 127.0.0.1 resolves. */
  readonly resolverRules: readonly string[];
  /** Variables for its environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Resolves when the browser has done what it was run for. */
  readonly done: Promise<void>;
  /** Longest time until then. */
  readonly timeoutMs: number;
  /** Ends the browser. */
  readonly signal: AbortSignal;
}

/** Without a window, sandbox, QUIC, proxy or updates; certificates count as good. */
const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-proxy-server",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-dev-shm-usage",
  "--ignore-certificate-errors",
  "--remote-debugging-port=0", // stays open though nothing is to be shown
];

/** Its own services are not found either, whatever flags they heed. */
const NOTHING_ELSE = ["MAP * ~NOTFOUND", "EXCLUDE 127.0.0.1"] as const;

/** How long it may take to end, and to print its version. */
const END_MS = 5_000;
const VERSION_MS = 10_000;

/**
 * Runs one process of the browser with a fresh profile folder until `done`, and ends it.
 *
 * @throws {CliError} If it cannot be started, ends by itself or is not done in time.
 */
export async function runBrowser(options: BrowserOptions): Promise<void> {
  const { executable, done, timeoutMs, signal } = options;
  const folder = await Deno.makeTempDir({ prefix: "betanet-utls-" });
  try {
    await using browser = start(options, folder);
    using deadline = new Deadline(systemClock, timeoutMs, { signal });
    const late = Promise.withResolvers<never>();
    deadline.signal.addEventListener("abort", () => {
      const seconds = timeoutMs / 1_000;
      late.reject(
        signal.aborted ? signal.reason : new CliError(
          "failed",
          `${executable} did not do what it was run for in ${seconds} s`,
        ),
      );
    });
    await Promise.race([done, late.promise, browser.endedEarly()]);
  } finally {
    await removeFolder(folder);
  }
}

/**
 * The version that the browser prints of itself, such as `Chromium 156.0.8078.79 built on Debian GNU/Linux 12 (bookworm)`.
 *
 * @throws {CliError} If it cannot be started, or does not end in 10 s.
 */
export async function browserVersion(
  executable: string,
  signal: AbortSignal,
  timeoutMs = VERSION_MS,
): Promise<string> {
  using deadline = new Deadline(systemClock, timeoutMs, { signal });
  signal.throwIfAborted();
  const child = spawn(executable, {}, ["--version"], "piped");
  deadline.signal.addEventListener("abort", () => killGroup(child));
  const { stdout } = await child.output();
  signal.throwIfAborted();
  if (deadline.signal.aborted) {
    throw new CliError("failed", `${executable} --version does not end`);
  }
  return new TextDecoder().decode(stdout).split("\n")[0]!.trim();
}

/** A running browser; disposing ends it. */
interface RunningBrowser extends AsyncDisposable {
  /** Rejects when it ends. */
  endedEarly(): Promise<never>;
}

function start(
  { executable, url, resolverRules, env = {} }: BrowserOptions,
  folder: string,
): RunningBrowser {
  const child = spawn(executable, env, [
    ...FLAGS,
    `--user-data-dir=${folder}`,
    `--host-resolver-rules=${[...resolverRules, ...NOTHING_ELSE].join()}`,
    url,
  ]);
  let ended = false;
  const status = child.status.finally(() => ended = true);
  return {
    async endedEarly() {
      const { code } = await status;
      throw new CliError(
        "failed",
        `${executable} ended by itself, with code ${code}`,
      );
    },
    async [Symbol.asyncDispose]() {
      if (!ended) child.kill("SIGTERM");
      const cancel = systemClock.setTimeout(() => killGroup(child), END_MS);
      await status;
      cancel();
      killGroup(child);
    },
  };
}

/** Kills `child` and all that it started. */
function killGroup({ pid }: Deno.ChildProcess): void {
  if (Deno.build.os === "windows") return; // has no groups
  try {
    Deno.kill(-pid, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error; // they ended
  }
}

function spawn(
  executable: string,
  env: Record<string, string>,
  args: string[],
  stdout: "null" | "piped" = "null",
): Deno.ChildProcess {
  try {
    return new Deno.Command(executable, {
      args,
      env,
      detached: true, // a process group of its own
      stdin: "null",
      stdout,
      stderr: "null",
    }).spawn();
  } catch (cause) {
    throw cannotStart(executable, cause);
  }
}

function cannotStart(executable: string, cause: unknown): CliError {
  return new CliError("failed", `Cannot start ${executable}`, {
    cause,
    hint: "Install a Chromium, or name one with --browser.",
  });
}

/** Helper processes of the browser may still write to it for a moment. */
async function removeFolder(folder: string): Promise<void> {
  for (let attempts = 20;; attempts--) {
    try {
      return await Deno.remove(folder, { recursive: true });
    } catch (error) {
      if (attempts === 0) throw error;
      await delay(systemClock, 50);
    }
  }
}
