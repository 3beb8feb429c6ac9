import { run } from "../../cli/_main.ts";
import { program } from "../../cli/utls.ts";
import { FakeTerminal } from "./_fake_terminal.ts";
import type { Ran } from "./_run_htx.ts";

/** A terminal with an input, which keeps the bytes that go out. */
class PipedTerminal extends FakeTerminal {
  readonly written: Uint8Array<ArrayBuffer>[] = [];
  override readonly stdin: ReadableStream<Uint8Array<ArrayBuffer>>;
  override readonly stdout = new WritableStream<Uint8Array>({
    write: (chunk) => void this.written.push(chunk.slice()),
  });

  constructor(args: readonly string[], input: Uint8Array<ArrayBuffer>) {
    super(args);
    this.stdin = new Blob([input]).stream();
  }
}

/** Runs a command of `betanet-utls` in this process with `input` to read, to its end. */
export async function runUtls(
  args: readonly string[],
  input: string | Uint8Array<ArrayBuffer> = "",
): Promise<Ran & { readonly bytes: Uint8Array<ArrayBuffer> }> {
  const bytes = typeof input === "string"
    ? new TextEncoder().encode(input)
    : input;
  const terminal = new PipedTerminal(args, bytes);
  const code = await run(program, terminal);
  const written = await new Blob(terminal.written).bytes();
  const stdout = terminal.out + new TextDecoder().decode(written);
  return { code, stdout, stderr: terminal.err, bytes: written };
}
