import { run } from "../../cli/_main.ts";
import { program } from "../../cli/htx.ts";
import { FakeTerminal } from "./_fake_terminal.ts";

/** What a command gave. */
export interface Ran {
  /** Its exit code. */
  readonly code: number;
  /** What it printed. */
  readonly stdout: string;
  /** What it told the person. */
  readonly stderr: string;
}

/** Runs a command of `betanet-htx` in this process, to its end. */
export async function runHtx(...args: readonly string[]): Promise<Ran> {
  const terminal = new FakeTerminal(args);
  const code = await run(program, terminal);
  return { code, stdout: terminal.out, stderr: terminal.err };
}
