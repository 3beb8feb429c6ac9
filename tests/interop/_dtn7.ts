import { assert } from "@std/assert";
import type { Bytes } from "../../src/core/bytes/mod.ts";
import { makeFolder } from "../cli/_htx_process.ts";
import { isAtLeast } from "./_peers.ts";

const VERSION = "0.21.0";
const ROOT = `${import.meta.dirname!}/.cache/dtn7`;
const POLL_MS = 20;
const TIMEOUT_MS = 20_000;

/** Whether there is a cargo that builds dtn7-rs. */
export function canHaveDtn7(asker: string): boolean {
  return isAtLeast("cargo --version", "1.70", asker);
}

/** Options of {@link Dtnd.start}. */
export interface DtndOptions {
  /** Its name `n` in `dtn://n/`. */
  readonly node: string;
  /** Convergence layers as `-C` has them, e.g. `tcp:port=4556`; `bind` is added. */
  readonly layers: readonly string[];
  /** Neighbours as `-s` has them, e.g. `tcp://127.0.0.1:4556/us`. */
  readonly peers?: readonly string[];
  /** Names of endpoints that keep what comes for them. */
  readonly endpoints?: readonly string[];
  /** Where bundles are, as `-D` has it; in memory by default. */
  readonly db?: "mem" | "sled" | "sneakers";
  /** Where that is; a folder of its own, removed at the end, by default. */
  readonly folder?: string;
  /** How often it looks at waiting bundles again, as `-j` has it; every second by default. */
  readonly janitor?: string;
}

/** dtn7-rs's daemon in a process of its own, on loopback; it is built once, which takes some minutes. */
export class Dtnd implements AsyncDisposable {
  readonly #stack: AsyncDisposableStack;
  readonly #web: string;
  /** Its process. */
  readonly pid: number;

  private constructor(stack: AsyncDisposableStack, web: string, pid: number) {
    this.#stack = stack;
    this.#web = web;
    this.pid = pid;
  }

  /** Starts it with an epidemic router, and waits until it answers. */
  static async start(options: DtndOptions): Promise<Dtnd> {
    await install();
    await using stack = new AsyncDisposableStack();
    const path = options.folder ?? stack.use(await makeFolder()).path;
    const port = freePort();
    const each = (flag: string, values: readonly string[] = []) =>
      values.flatMap((value) => [flag, value]);
    const child = new Deno.Command(`${ROOT}/bin/dtnd`, {
      args: [
        ...["-6", "-i", "0", "--disable_nd", "-r", "epidemic"],
        ...["-n", options.node, "-W", path, "-w", `${port}`],
        ...["-D", options.db ?? "mem", "-j", options.janitor ?? "1s"],
        ...each("-C", options.layers.map((layer) => `${layer}:bind=127.0.0.1`)),
        ...each("-s", options.peers),
        ...each("-e", options.endpoints),
      ],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    stack.use(child);
    const dtnd = new Dtnd(stack.move(), `http://[::1]:${port}`, child.pid);
    try {
      await until(() => dtnd.#get("/status/nodeid").catch(() => undefined));
    } catch (error) {
      await dtnd[Symbol.asyncDispose]();
      throw error;
    }
    return dtnd;
  }

  /** Where its REST is. */
  get web(): string {
    return this.#web;
  }

  /** Gives it a bundle as an application of its would. */
  async insert(bundle: Uint8Array): Promise<void> {
    const response = await fetch(`${this.#web}/insert`, {
      method: "POST",
      body: new Uint8Array(bundle),
    });
    const text = await response.text();
    assert(response.ok, text);
  }

  /** The next bundle that came for an endpoint of its, waited for. */
  async take(endpoint: string): Promise<Bytes> {
    return await until(() => this.next(endpoint));
  }

  /** The next bundle that came for an endpoint of its, if there is one. */
  async next(endpoint: string): Promise<Bytes | undefined> {
    const bytes = await this.#get(`/endpoint?${endpoint}`);
    const isNone = new TextDecoder().decode(bytes) === "Nothing to receive";
    return isNone ? undefined : bytes;
  }

  /** Whether it has stored `count` bundles in whose endpoints `text` is. */
  async holds(count: number, text: string): Promise<boolean> {
    const bytes = await this.#get(`/status/bundles/filtered?addr=${text}`);
    const names: string[] = JSON.parse(new TextDecoder().decode(bytes));
    if (names.length < count) return false;
    // It lists a bundle before it has stored it.
    for (const name of names) {
      const isThere = await this.#get(`/download?${name}`)
        .then(() => true, () => false);
      if (!isThere) return false;
    }
    return true;
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }

  async #get(path: string): Promise<Bytes> {
    const response = await fetch(this.#web + path);
    const bytes = await response.bytes();
    assert(response.ok, `${path}: ${new TextDecoder().decode(bytes)}`);
    return bytes;
  }
}

/** Where a program of dtn7-rs is. */
export async function dtn7Path(program: string): Promise<string> {
  await install();
  return `${ROOT}/bin/${program}`;
}

/** Runs a program of dtn7-rs, such as `dtnsend`, to its end; gives what it printed. */
export async function runDtn7(
  program: string,
  args: readonly string[],
): Promise<Bytes> {
  const { success, stdout, stderr } = await new Deno.Command(
    await dtn7Path(program),
    { args: [...args], stdin: "null", stdout: "piped", stderr: "piped" },
  ).output();
  assert(success, new TextDecoder().decode(stderr));
  return new Uint8Array(stdout);
}

/** A port of loopback that was free just now. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** What `ask` gives, asked until it is something. */
export async function until<T>(ask: () => Promise<T | undefined>): Promise<T> {
  const by = performance.now() + TIMEOUT_MS;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    assert(performance.now() < by, `Nothing within ${TIMEOUT_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

async function install(): Promise<void> {
  if (await exists(`${ROOT}/bin/dtnd`)) return;
  const { success, stderr } = await new Deno.Command("cargo", {
    args: ["install", "--root", ROOT, "--locked", `dtn7@${VERSION}`],
    stderr: "piped",
  }).output();
  assert(success, new TextDecoder().decode(stderr));
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
