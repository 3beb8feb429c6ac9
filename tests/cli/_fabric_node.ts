import { assertEquals } from "@std/assert";
import { run } from "../../cli/_main.ts";
import { program } from "../../cli/fabric.ts";
import { FakeTerminal } from "./_fake_terminal.ts";
import { RunningProgram } from "./_run_mixnode.ts";
import type { Ran } from "./_run_htx.ts";

/** Runs a command of `betanet-fabric` in this process, to its end. */
export async function runFabric(...args: readonly string[]): Promise<Ran> {
  const terminal = new FakeTerminal(args);
  const code = await run(program, terminal);
  return { code, stdout: terminal.out, stderr: terminal.err };
}

/** Runs a command that must do its work; what it printed. */
export async function ranFabric(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runFabric(...args);
  assertEquals(code, 0, stderr);
  return stdout.trimEnd();
}

/** What `betanet-fabric node` prints once it works. */
interface Printed {
  readonly agents: readonly {
    readonly id: string;
    readonly name: string;
    readonly record: string;
  }[];
  readonly addresses: readonly string[];
  readonly contacts: readonly string[];
  readonly app: string;
  readonly bundleApp?: string;
  readonly status?: string;
}

/** A `betanet-fabric node` with one agent that runs in this process. */
export class RunningFabric {
  /** What it printed. */
  readonly printed: Printed;
  /** Flags of commands that ask it. */
  readonly flags: readonly string[];
  readonly #program: RunningProgram;

  private constructor(
    program: RunningProgram,
    printed: Printed,
    state: string,
  ) {
    this.#program = program;
    this.printed = printed;
    const { port } = new URL(printed.app);
    this.flags = ["--state", state, "--app-port", port];
  }

  /** Its agent. */
  get agent(): Printed["agents"][number] {
    return this.printed.agents[0]!;
  }

  /** Starts a node whose state is `state`; it makes the agent if it has none. */
  static async start(
    state: string,
    name: string,
    ...args: readonly string[]
  ): Promise<RunningFabric> {
    const made = await runFabric("keygen", name, "--state", state);
    assertEquals(made.code === 0 || made.stderr.includes("already"), true);
    const running = new RunningProgram(program, [
      ...["node", "--json", "--state", state, "--app-port", "0"],
      ...args,
    ]);
    const printed = await Promise.race([
      running.said(/^\{"agents".*\}$/m),
      running.ended.then(() => undefined),
    ]);
    if (!printed) throw new Error(running.terminal.err);
    return new RunningFabric(running, JSON.parse(printed[0]), state);
  }

  /** Ends it. */
  async end(): Promise<void> {
    await this.#program.terminal.send("SIGTERM");
    assertEquals(await this.#program.ended, 0, this.#program.terminal.err);
  }
}

/** A command of `betanet-fabric` that goes on until it is told to end. */
export function startFabric(...args: readonly string[]): RunningProgram {
  return new RunningProgram(program, args);
}
