import { delay, systemClock } from "../src/core/async/mod.ts";
import { parseExposition } from "../cli/mixnode/parse_exposition.ts";

const CLOCK_TICKS_PER_S = 100; // what Linux shows in /proc on every machine
const START_MS = 60_000;

/** Seconds of processor time by thread; names repeat. */
export type ThreadTimes = ReadonlyMap<string, number>;

/** The process that is measured. */
export class MixnodeChild implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #metricsUrl: string;

  private constructor(child: Deno.ChildProcess, metricsUrl: string) {
    this.#child = child;
    this.#metricsUrl = metricsUrl;
  }

  /** Runs Deno with these arguments, and waits until it shows its metrics and listens at `address`. */
  static async start(
    args: readonly string[],
    metricsUrl: string,
    port: number,
  ): Promise<MixnodeChild> {
    const child = new Deno.Command(Deno.execPath(), {
      args: [...args],
      stdin: "null",
      stdout: "null",
    }).spawn();
    const node = new MixnodeChild(child, metricsUrl);
    const endMs = systemClock.now() + START_MS;
    for (;;) {
      try {
        await node.metrics();
        (await Deno.connect({ hostname: "127.0.0.1", port })).close();
        return node;
      } catch (error) {
        if (systemClock.now() > endMs) throw error;
        await delay(systemClock, 200);
      }
    }
  }

  /** What `/metrics` shows but histograms, by name and label. */
  async metrics(): Promise<Record<string, number>> {
    const response = await fetch(this.#metricsUrl);
    const samples = parseExposition(await response.text())
      .filter(({ name }) => /^mixnet_.*(?<!_bucket|_sum|_count)$/.test(name));
    return Object.fromEntries(
      samples.map(({ name, labels, value }) =>
        [[name, ...Object.values(labels)].join(" "), value] as const
      ),
    );
  }

  /** Processor time used so far, in seconds. */
  get cpuS(): number {
    return cpuIn(Deno.readTextFileSync(`/proc/${this.#child.pid}/stat`));
  }

  /** The same by thread: name and number, as the kernel has them. */
  get threadsS(): ThreadTimes {
    const folder = `/proc/${this.#child.pid}/task`;
    const times = new Map<string, number>();
    for (const { name } of Deno.readDirSync(folder)) {
      const stat = Deno.readTextFileSync(`${folder}/${name}/stat`);
      const thread = stat.slice(stat.indexOf("(") + 1, stat.lastIndexOf(")"));
      times.set(`${thread} ${name}`, cpuIn(stat));
    }
    return times;
  }

  /** Memory in use now, in bytes. */
  get rssBytes(): number {
    const status = Deno.readTextFileSync(`/proc/${this.#child.pid}/status`);
    return 1_024 * Number(status.match(/VmRSS:\s*(\d+)/)![1]);
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGTERM");
    await this.#child.status;
  }
}

/** Processor time of a line of `/proc`, user and system. */
export function cpuIn(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_S;
}

/** Processor time that all processes used since the machine started, in seconds. */
export function busyS(): number {
  const [user, nice, system, , , irq, softirq] = Deno.readTextFileSync(
    "/proc/stat",
  ).split("\n")[0]!.trim().split(/\s+/).slice(1).map(Number) as number[];
  return (user! + nice! + system! + irq! + softirq!) / CLOCK_TICKS_PER_S;
}
