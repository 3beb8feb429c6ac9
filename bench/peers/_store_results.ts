/** Writes `results` with date, processor and load to `bench/results/<date>-<cpu><suffix>.json`. */
export async function storeResults(
  suffix: string,
  results: object,
): Promise<void> {
  const cpu = Deno.readTextFileSync("/proc/cpuinfo")
    .match(/model name\s*:\s*(.*)/)?.[1] ?? Deno.build.arch;
  const date = new Date().toISOString().slice(0, 10);
  const folder = new URL("../results/", import.meta.url);
  await Deno.mkdir(folder, { recursive: true });
  const stem = `${date}-${cpu.toLowerCase().replace(/[^a-z0-9]+/g, "-")}`;
  const machine = {
    date,
    cpu,
    cores: navigator.hardwareConcurrency,
    loadAverage: Deno.loadavg(),
  };
  const text = JSON.stringify({ ...machine, ...results }, null, 1) + "\n";
  await Deno.writeTextFile(new URL(`${stem}${suffix}.json`, folder), text);
}
