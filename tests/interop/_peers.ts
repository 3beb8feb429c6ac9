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
