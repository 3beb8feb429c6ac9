import config from "../deno.json" with { type: "json" };
import { CliError } from "./_error.ts";

/** What goes into one file. */
export interface SingleFile {
  /** Name of the executable. */
  readonly name: string;
  /** The program's module. */
  readonly entry: string;
  /** Flags of `deno run`: all it may do. */
  readonly flags: readonly string[];
  /** The Deno executable that runs it. */
  readonly runtime: string;
  /** Where to write it. */
  readonly output: string;
}

/** Besides the role's flags: nothing is looked up outside the file. */
const SEALED = [
  "--no-config",
  "--no-lock",
  "--no-remote",
  "--no-npm",
  "--cached-only",
];

/** Gives CommonJS packages in the bundle, such as prom-client, Deno's own modules. */
const REQUIRE = new TextEncoder().encode(
  'import{createRequire}from"node:module";const require=createRequire(import.meta.url);\n',
);

/** Bytes of the header with its padding, so that offsets do not depend on its length. */
const HEADER_BYTES = 8192;

/**
 * Joins the bundled program and a Deno executable behind a POSIX shell header (`_single_file.sh`) to an executable that needs
 * neither Deno nor network. The same inputs give the same file.
 *
 * @throws {CliError} `failed` if the program cannot be bundled.
 */
export async function writeSingleFile(
  { name, entry, flags, runtime, output }: SingleFile,
): Promise<void> {
  const program = await bundle(entry);
  const deno = await Deno.readFile(runtime);
  const programGzip = await gzip(program);
  const header = await fillHeader({
    NAME: name,
    VERSION: config.version,
    FLAGS: [...SEALED, ...flags].map(quote).join(" "),
    PROGRAM_SHA256: await sha256(program),
    PROGRAM_OFFSET: `${HEADER_BYTES + 1}`,
    PROGRAM_GZIP_BYTES: `${programGzip.length}`,
    DENO_SHA256: await sha256(deno),
    DENO_BYTES: `${deno.length}`,
    DENO_OFFSET: `${HEADER_BYTES + programGzip.length + 1}`,
  });
  const part = `${output}.part`;
  const whole = new Blob([header, programGzip, await gzip(deno)]);
  await Deno.writeFile(part, whole.stream(), { mode: 0o755 });
  await Deno.rename(part, output);
}

/** The program and all it imports as one module, minified because esbuild's comments would name paths of this machine. */
async function bundle(entry: string): Promise<Uint8Array<ArrayBuffer>> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--quiet", "--frozen", "--minify", "--keep-names", entry],
    env: { NO_COLOR: "1" },
  }).output();
  if (success) return await new Blob([REQUIRE, stdout]).bytes();
  throw new CliError("failed", `Cannot bundle ${entry}`, {
    cause: new TextDecoder().decode(stderr).trim(),
  });
}

async function fillHeader(
  values: Readonly<Record<string, string>>,
): Promise<Uint8Array<ArrayBuffer>> {
  const template = await Deno.readTextFile(
    new URL("./_single_file.sh", import.meta.url),
  );
  const text = template.replace(/@([A-Z0-9_]+)@/g, (_, key) => values[key]!);
  const header = new Uint8Array(HEADER_BYTES).fill("\n".charCodeAt(0));
  header.set(new TextEncoder().encode(text));
  return header;
}

/** `text` as one word of the shell. */
function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

async function gzip(
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream()
    .pipeThrough(new CompressionStream("gzip"));
  return await new Response(stream).bytes();
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}
