import { assertEquals } from "@std/assert";
import { type SingleFile, writeSingleFile } from "../../cli/_single_file.ts";

/** Stands in for Deno where only the unpacking is tested: it prints its arguments, a NUL after each. */
export const FAKE_DENO =
  new URL("./fixtures/fake_deno.sh", import.meta.url).pathname;

/** A single file in a directory of its own, which goes when it is disposed. */
export interface SingleFileBox extends AsyncDisposable {
  /** The directory. */
  readonly path: string;
  /** The file. */
  readonly file: string;
  /** Where it unpacks. */
  readonly cache: string;
  /** Runs it to its end, by `shell` if given. */
  start(
    env?: Record<string, string>,
    args?: readonly string[],
    shell?: readonly string[],
  ): Promise<{ code: number; stdout: string; stderr: string }>;
  /** Starts it, with stdin empty. */
  spawn(
    env: Record<string, string>,
    args: readonly string[],
  ): Deno.ChildProcess;
  /** Runs it with `bytes` as stdin and gives its stdout. */
  pipe(
    args: readonly string[],
    bytes: Uint8Array,
  ): Promise<Uint8Array<ArrayBuffer>>;
  /** What lies in the cache, Deno's own directory apart. */
  entries(): Promise<string[]>;
}

/** Builds a single file, to be run with an empty PATH and an unusable DENO_DIR. */
export async function makeBox(
  { runtime, ...role }: Omit<SingleFile, "output">,
): Promise<SingleFileBox> {
  const path = await Deno.makeTempDir({ prefix: "betanet-build-" });
  const file = `${path}/${role.name}`;
  const cache = `${path}/cache`;
  await writeSingleFile({ ...role, runtime, output: file });
  const command = (
    env: Record<string, string>,
    args: readonly string[],
    shell: readonly string[],
    stdin: "null" | "piped",
  ) => {
    const [first, ...rest] = [...shell, file, ...args];
    return new Deno.Command(first!, {
      args: rest,
      clearEnv: true,
      env: {
        PATH: "",
        HOME: `${path}/home`,
        DENO_DIR: "/dev/null",
        BETANET_CACHE: cache,
        ...env,
      },
      stdin,
      stdout: "piped",
      stderr: "piped",
    });
  };
  return {
    path,
    file,
    cache,
    async start(
      env: Record<string, string> = {},
      args: readonly string[] = [],
      shell: readonly string[] = [],
    ) {
      const output = await command(env, args, shell, "null").output();
      return {
        code: output.code,
        stdout: new TextDecoder().decode(output.stdout),
        stderr: new TextDecoder().decode(output.stderr),
      };
    },
    spawn: (env: Record<string, string>, args: readonly string[]) =>
      command(env, args, [], "null").spawn(),
    async pipe(args: readonly string[], bytes: Uint8Array) {
      await using child = command({}, args, [], "piped").spawn();
      const writer = child.stdin.getWriter();
      const written = writer.write(bytes).then(() => writer.close());
      const echoed = await new Response(child.stdout).bytes();
      await written;
      assertEquals(await text(child.stderr), "");
      assertEquals((await child.status).code, 0);
      return echoed;
    },
    async entries() {
      const names = [];
      for await (const { name } of Deno.readDir(cache)) names.push(name);
      return names.filter((name) => name !== "deno_dir");
    },
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

/** All of `stream` as text. */
export function text(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): Promise<string> {
  return new Response(stream).text();
}
