/**
 * Whether `program` can be run with `args`, such as `--version`; if not, prints that `test` is skipped and why.
 *
 * ```ts ignore
 * Deno.test({ name: "…", ignore: !isAvailable("curl", ["--version"], "curl_test"), fn });
 * ```
 */
export function isAvailable(
  program: string,
  args: readonly string[],
  test: string,
): boolean {
  const why = fault(program, args);
  // deno-lint-ignore no-console -- a skipped test says why
  if (why !== undefined) console.warn(`${test}: skipped, ${why}`);
  return why === undefined;
}

/**
 * Whether the version that `command` prints, such as `cargo --version`, is `least` or later; if not, prints that `test` is skipped
 * and why.
 */
export function isAtLeast(
  command: string,
  least: string,
  test: string,
): boolean {
  const [program, ...args] = command.split(" ");
  if (!isAvailable(program!, args, test)) return false;
  const { stdout } = new Deno.Command(program!, { args }).outputSync();
  const version = versionIn(new TextDecoder().decode(stdout));
  if (isLater(version, least)) return true;
  // deno-lint-ignore no-console -- a skipped test says why
  console.warn(`${test}: skipped, want ${program} ${least}, got ${version}`);
  return false;
}

/** The first version in what a program prints about itself, such as `1.95` in `cargo 1.95.0 (f2d3ce0bd)`. */
function versionIn(text: string): string {
  return text.match(/\d+\.\d+/)?.[0] ?? "none";
}

function isLater(version: string, least: string): boolean {
  const [major = NaN, minor = NaN] = version.split(".").map(Number);
  const [leastMajor = 0, leastMinor = 0] = least.split(".").map(Number);
  return major > leastMajor || major === leastMajor && minor >= leastMinor;
}

function fault(program: string, args: readonly string[]): string | undefined {
  try {
    const { code } = new Deno.Command(program, {
      args: [...args],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).outputSync();
    return code === 0 ? undefined : `${program} exits with ${code}`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return `${program} not found`;
    throw error;
  }
}
