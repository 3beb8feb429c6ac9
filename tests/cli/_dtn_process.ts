import { ROLES } from "../../cli/_roles.ts";
import { HtxProcess } from "./_htx_process.ts";

/** How `betanet-dtn` runs from its sources, with the permissions it ships with. */
const FROM_SOURCES: readonly string[] = [
  Deno.execPath(),
  "run",
  "--quiet",
  "--frozen",
  "--no-check",
  ...ROLES.dtn.flags,
  new URL(`../../${ROLES.dtn.entry}`, import.meta.url).pathname,
];

/** Where a node's state is and who it is, beside the flags of `betanet-dtn node`. */
export interface DtnNodeProcessOptions {
  /** Its name `n` in `dtn://n/`. */
  readonly name: string;
  /** The folder of its state, in which its `dtn.toml` is written. */
  readonly state: string;
  /** More flags of `betanet-dtn node`. */
  readonly args: readonly string[];
}

const CONFIG = `
[node]
lenient = true
plaintext = ["*"]

[app]
token = "none"
port = 0
`;

/** A `betanet-dtn node` in a process of its own, which asks no token and lets plaintext leave; disposing kills it. */
export class DtnNodeProcess implements AsyncDisposable {
  readonly #process: HtxProcess;
  /** Where it takes contacts. */
  readonly addresses: readonly string[];
  /** Its REST, e.g. `http://127.0.0.1:40123`. */
  readonly app: string;

  private constructor(
    process: HtxProcess,
    { addresses, app }: { addresses: readonly string[]; app: string },
  ) {
    this.#process = process;
    this.addresses = addresses;
    this.app = app.replace(/\/$/, "");
  }

  /** Starts it and waits until it is ready. */
  static async start(
    { name, state, args }: DtnNodeProcessOptions,
  ): Promise<DtnNodeProcess> {
    const config = `${state}/dtn.toml`;
    await Deno.writeTextFile(config, CONFIG);
    const process = new HtxProcess([
      ...["node", "--config", config, "--json"],
      ...["--id", `dtn://${name}/`, "--state", state],
      ...args,
    ], { program: FROM_SOURCES });
    try {
      const [line] = await process.stdout.match(/^\{.*\}$/m);
      return new DtnNodeProcess(process, JSON.parse(line));
    } catch (cause) {
      await process[Symbol.asyncDispose]();
      throw new Error(`Not ready:\n${process.stderr.text}`, { cause });
    }
  }

  /** The port of its REST. */
  get appPort(): string {
    return new URL(this.app).port;
  }

  /** Gives it a bundle as an application of its would; its name once it is stored. */
  async insert(bundle: Uint8Array): Promise<string> {
    const body = new Uint8Array(bundle);
    const response = await fetch(`${this.app}/insert`, {
      method: "POST",
      body,
    });
    const text = (await response.text()).trim();
    if (!response.ok) throw new Error(`${response.status}: ${text}`);
    return text;
  }

  /** Takes the next bundle of an endpoint of its; `undefined` if there is none. */
  async take(endpoint: string): Promise<Uint8Array | undefined> {
    const response = await fetch(`${this.app}/endpoint?${endpoint}`);
    const bytes = await response.bytes();
    const isBundle = response.headers.get("content-type") ===
      "application/cbor";
    return isBundle ? bytes : undefined;
  }

  /** What it answers to `/status/…`, as JSON. */
  async status<T>(what: string): Promise<T> {
    return await (await fetch(`${this.app}/status/${what}`)).json();
  }

  /** Ends it at once. */
  async kill(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.exitCode();
  }

  /** Asks it to end and gives its exit code. */
  async stop(): Promise<number> {
    this.#process.kill("SIGTERM");
    return await this.#process.exitCode();
  }

  /** Kills it, if it runs. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
  }
}
