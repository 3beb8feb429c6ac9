import { assert } from "@std/assert";
import type { Route } from "../../src/mixnet/mod.ts";
import { isAtLeast } from "./_peers.ts";

const HERE = import.meta.dirname!;
const FOLDER = `${HERE}/rust/sphinx_peer`;
const PROGRAM = `${HERE}/.cache/sphinx_peer/release/sphinx_peer`;

/** Whether there is a cargo that builds Nym's crate. */
export function hasCargo(asker: string): boolean {
  return isAtLeast("cargo --version", "1.85", asker);
}

/** Nym's crate `sphinx-packet` in a process of its own: see `rust/sphinx_peer/src/main.rs`. */
export class SphinxCrate implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: ReadableStreamDefaultReader<string>;
  #rest = "";

  private constructor() {
    this.#child = new Deno.Command(PROGRAM, {
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    this.#writer = this.#child.stdin.getWriter();
    this.#lines = this.#child.stdout.pipeThrough(new TextDecoderStream())
      .getReader();
  }

  static async start(): Promise<SphinxCrate> {
    const { success, stderr } = await new Deno.Command("cargo", {
      args: [
        "build",
        "--release",
        "--locked",
        "--target-dir",
        "../../.cache/sphinx_peer",
      ],
      cwd: FOLDER,
      stderr: "piped",
    }).output();
    assert(success, new TextDecoder().decode(stderr));
    return new SphinxCrate();
  }

  /** The words of the answer to each of `requests`, in order. */
  async ask(requests: readonly string[]): Promise<string[][]> {
    const text = new TextEncoder().encode(requests.join("\n") + "\n");
    const written = this.#writer.write(text);
    const answers: string[][] = [];
    while (answers.length < requests.length) {
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

/** `route` as the crate's requests write it. */
export function routeText({ route }: Route): string {
  return route.map(({ address, publicKey, delayNs }) =>
    `${address.toHex()},${publicKey.toHex()},${delayNs}`
  ).join(";");
}
