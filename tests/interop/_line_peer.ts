import { assert } from "@std/assert";

/** A program that answers lines on stdin with lines on stdout. */
export class LinePeer implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: ReadableStreamDefaultReader<string>;
  #rest = "";

  /** Starts `program` with `args`. */
  constructor(program: string, ...args: readonly string[]) {
    this.#child = new Deno.Command(program, {
      args: [...args],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    this.#writer = this.#child.stdin.getWriter();
    this.#lines = this.#child.stdout.pipeThrough(new TextDecoderStream())
      .getReader();
  }

  /** The words of the answer to each of `requests`, in order; `lines` of them if a request has not one. */
  async ask(
    requests: readonly string[],
    lines = requests.length,
  ): Promise<string[][]> {
    const text = new TextEncoder().encode(requests.join("\n") + "\n");
    const written = this.#writer.write(text);
    const answers: string[][] = [];
    while (answers.length < lines) {
      const end = this.#rest.indexOf("\n");
      if (end >= 0) {
        answers.push(this.#rest.slice(0, end).split(" "));
        this.#rest = this.#rest.slice(end + 1);
        continue;
      }
      const { value, done } = await this.#lines.read();
      assert(!done, "The peer ended");
      this.#rest += value;
    }
    await written;
    return answers;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer.close();
    await this.#lines.cancel();
    await this.#child.status;
  }
}

/** Builds the crate in `rust/` that has `name`, and returns the path of its program. */
export async function buildCrate(name: string): Promise<string> {
  const here = import.meta.dirname!;
  const { success, stderr } = await new Deno.Command("cargo", {
    args: [
      "build",
      "--release",
      "--locked",
      "--target-dir",
      `../../.cache/${name}`,
    ],
    cwd: `${here}/rust/${name}`,
    stderr: "piped",
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  return `${here}/.cache/${name}/release/${name}`;
}
