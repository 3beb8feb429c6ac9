import { type Program, run } from "../../cli/_main.ts";
import { program } from "../../cli/mixnode.ts";
import { FakeTerminal } from "./_fake_terminal.ts";
import type { Ran } from "./_run_htx.ts";

/** Runs a command of `betanet-mixnode` in this process, to its end. */
export async function runMixnode(...args: readonly string[]): Promise<Ran> {
  const terminal = new FakeTerminal(args);
  const code = await run(program, terminal);
  return { code, stdout: terminal.out, stderr: terminal.err };
}

/** A command of a program that runs in this process until it is told to end. */
export class RunningProgram {
  readonly terminal: FakeTerminal;
  /** Its exit code, once it has ended. */
  readonly ended: Promise<number>;
  #waiting: { readonly text: RegExp; found(match: RegExpExecArray): void }[] =
    [];

  /** Starts it. */
  constructor(program: Program, args: readonly string[]) {
    this.terminal = new FakeTerminal(args);
    const { note, print } = this.terminal;
    this.terminal.note = (line) => {
      note(line);
      this.#look();
    };
    this.terminal.print = (text) => {
      print(text);
      this.#look();
    };
    this.ended = run(program, this.terminal);
  }

  /** Waits until it notes or prints something that `text` matches. */
  said(text: RegExp): Promise<RegExpExecArray> {
    const { promise, resolve } = Promise.withResolvers<RegExpExecArray>();
    this.#waiting.push({ text, found: resolve });
    this.#look();
    return promise;
  }

  #look(): void {
    this.#waiting = this.#waiting.filter(({ text, found }) => {
      const match = text.exec(this.terminal.err + this.terminal.out);
      if (match) found(match);
      return !match;
    });
  }
}

/** A command of `betanet-mixnode` that runs until it is told to end. */
export class RunningMixnode extends RunningProgram {
  /** Starts it. */
  constructor(...args: readonly string[]) {
    super(program, args);
  }
}
