import { command, type Context, main, type Program } from "./_main.ts";
import { CliError } from "./_error.ts";
import { suggest } from "./_flags.ts";
import { formatBytes } from "./_progress.ts";
import { executableName, type Role, ROLES } from "./_roles.ts";
import { writeSingleFile } from "./_single_file.ts";

const USAGE = `
Usage: deno task build [role…] [--out <directory>]

Makes one executable file per role in dist/, which needs neither Deno nor network to run.
Without a role it makes all of them: ${Object.keys(ROLES).join(", ")}.

deno compile makes it if its runtime, denort, is at hand: as DENORT_BIN, in Deno's cache, or from the network.
Otherwise the bundled program and this Deno are joined into an equivalent file for POSIX systems.

  --out <directory>   where to put the files, default dist
`;

/** How long a server may take to say whether denort can be had. */
const PROBE_MS = 5_000;

/** How long `deno compile` may take, download included. */
const COMPILE_MS = 600_000;

/** `deno task build`. */
const program: Program = {
  name: "build",
  usage: USAGE,
  commands: {
    build: command({
      usage: USAGE,
      flags: { out: "string" },
      operands: [0, Object.keys(ROLES).length],
      async run({ out = "dist" }, context) {
        const names = context.operands.length > 0
          ? context.operands
          : Object.keys(ROLES);
        const chosen = names.map((name) => ({ name, role: roleOf(name) }));
        const method = await denortSource(context) ? compile : joinWithThisDeno;
        await Deno.mkdir(out, { recursive: true });
        for (const { name, role } of chosen) {
          const output = `${out}/${executableName(name)}`;
          context.note(`build: ${output}`);
          await method(name, role, output, context);
          const { size } = await Deno.stat(output);
          context.print(
            { role: name, path: output, bytes: size },
            `${output}  ${formatBytes(size)}`,
          );
        }
      },
    }),
  },
};

function roleOf(name: string): Role {
  const role = Object.entries(ROLES).find(([key]) => key === name)?.[1];
  if (role) return role;
  throw new CliError("usage", `Unknown role ${name}`, {
    hint: suggest(name, Object.keys(ROLES)) ??
      `The roles are ${Object.keys(ROLES).join(", ")}.`,
  });
}

/** Whether `deno compile` can have its runtime; says so if it cannot. */
async function denortSource(context: Context): Promise<boolean> {
  if (context.env("DENORT_BIN") !== undefined) return true;
  const archive =
    `release/v${Deno.version.deno}/denort-${Deno.build.target}.zip`;
  if (await exists(`${await denoDirectory()}/dl/${archive}`)) return true;
  try {
    const { ok } = await fetch(`https://dl.deno.land/${archive}`, {
      method: "HEAD",
      signal: AbortSignal.any([context.signal, AbortSignal.timeout(PROBE_MS)]),
    });
    if (ok) return true;
  } catch {
    context.signal.throwIfAborted();
  }
  context.note(
    "build: denort is neither in DENORT_BIN, nor in Deno's cache, nor to be had from dl.deno.land: " +
      "joining the bundled program with this Deno instead of deno compile",
  );
  return false;
}

async function compile(
  _name: string,
  { entry, flags }: Role,
  output: string,
  { signal }: Context,
): Promise<void> {
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: [
      "compile",
      "--quiet",
      "--frozen",
      "--output",
      output,
      ...flags,
      entry,
    ],
    signal: AbortSignal.any([signal, AbortSignal.timeout(COMPILE_MS)]),
    stdout: "null",
    stderr: "inherit",
  }).output();
  if (!success) throw new CliError("failed", `Cannot compile ${entry}`);
}

async function joinWithThisDeno(
  name: string,
  { entry, flags }: Role,
  output: string,
): Promise<void> {
  if (Deno.build.os === "windows") {
    throw new CliError("failed", "Cannot build for Windows without denort");
  }
  await writeSingleFile({
    name: executableName(name),
    entry,
    flags,
    runtime: Deno.execPath(),
    output,
  });
}

async function denoDirectory(): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json"],
    stderr: "null",
  }).output();
  return JSON.parse(new TextDecoder().decode(stdout)).denoDir;
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

if (import.meta.main) await main(program);
