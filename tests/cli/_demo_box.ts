import { assertEquals, assertRejects } from "@std/assert";
import { ROLES } from "../../cli/_roles.ts";

/** What a process came to. */
export interface DemoOutcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A demo in a process of its own, with a directory of its own for what is temporary. */
export class DemoBox implements AsyncDisposable {
  private constructor(readonly path: string) {}

  static async make(): Promise<DemoBox> {
    return new DemoBox(await Deno.makeTempDir({ prefix: "betanet-test-" }));
  }

  spawn(
    args: readonly string[],
    env: Record<string, string> = {},
  ): Deno.ChildProcess {
    const { flags, entry } = ROLES.betanet;
    return new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--frozen", ...flags, entry, "demo", ...args],
      env: { NO_COLOR: "1", TMPDIR: this.path, ...env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  }

  run(
    args: readonly string[],
    env?: Record<string, string>,
  ): Promise<DemoOutcome> {
    return outcome(this.spawn(args, env));
  }

  /** Nothing is left in the directory, and nobody at the `count` addresses that `stderr` tells. */
  async assertEmpty(stderr: string, count: number): Promise<void> {
    assertEquals(await Array.fromAsync(Deno.readDir(this.path)), []);
    const ports = [...stderr.matchAll(/(?:http|tcp):\/\/127\.0\.0\.1:(\d+)/g)]
      .map(([, port]) => Number(port));
    assertEquals(ports.length, count, stderr);
    for (const port of ports) {
      await assertRejects(
        () => Deno.connect({ hostname: "127.0.0.1", port }),
        Deno.errors.ConnectionRefused,
      );
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Deno.remove(this.path, { recursive: true });
  }
}

/** What `child` comes to; `hear` gets its stderr so far as it grows. */
export async function outcome(
  child: Deno.ChildProcess,
  hear: (stderr: string) => void = () => {},
): Promise<DemoOutcome> {
  const stdout = new Response(child.stdout).text();
  let stderr = "";
  for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
    hear(stderr += text);
  }
  return { code: (await child.status).code, stdout: await stdout, stderr };
}
