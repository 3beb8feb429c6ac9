import { systemClock } from "../../src/core/async/mod.ts";
import { CliError } from "../_error.ts";
import type { Context } from "../_main.ts";
import { checkBody, type Expected } from "./check.ts";
import { digestsOf, pathOf, type Resource } from "./content.ts";
import { percentile, type Transfer } from "./figures.ts";
import { httpGet } from "../_http_get.ts";
import type { Tunnel } from "./tunnel.ts";

/** A resource and what its download must turn out to be. */
export type Download = Resource & Expected;

/** What to download. */
export interface Plan {
  /** The large file. */
  readonly file: Download;
  /** The small pages. */
  readonly pages: readonly Download[];
}

const PAGES_AT_ONCE = 16;

/** The size of page `number`: 1 to 64 KiB. */
const pageBytes = (number: number) => 1_024 + number * 7_919 % 64_513;

/** Makes a plan with the digests of everything. */
export async function planDownloads(
  seed: Uint8Array,
  { fileBytes, pageCount, signal }: {
    readonly fileBytes: number;
    readonly pageCount: number;
    readonly signal: AbortSignal;
  },
): Promise<Plan> {
  const plan = async (name: string, resource: Resource) => ({
    ...resource,
    name,
    digests: await digestsOf(seed, resource, { signal }),
  });
  const pages = [];
  for (let number = 1; number <= pageCount; number++) {
    const sizeBytes = pageBytes(number);
    pages.push(await plan(`page ${number}`, { number, sizeBytes }));
  }
  return {
    file: await plan("file", { number: 0, sizeBytes: fileBytes }),
    pages,
  };
}

/**
 * Downloads a page to open the session, then the file, then the other pages, 16 at once, through the proxy.
 *
 * @throws {CliError} `failed` with the names of what is not as planned.
 */
export async function download(
  { file, pages }: Plan,
  tunnel: Pick<Tunnel, "origin" | "proxy">,
  { signal, progress }: Pick<Context, "signal" | "progress">,
): Promise<Transfer> {
  const fetchAll = async (label: string, all: readonly Download[]) => {
    using shown = progress(label.padEnd(5), totalBytes(all));
    return await inParallel(all, async (each) => {
      const body = httpGet(`${tunnel.origin}${pathOf(each)}`, {
        proxy: tunnel.proxy,
        signal,
      });
      await checkBody(body, each, (count) => shown.advance(count));
    });
  };
  const firstMs = await fetchAll("first", pages.slice(0, 1));
  const [fileMs] = await fetchAll("file", [file]);
  const otherMs = await fetchAll("pages", pages.slice(1));
  const pageMs = [...firstMs, ...otherMs];
  return {
    bytes: totalBytes([file, ...pages]),
    fileMBPerSecond: Math.round(file.sizeBytes / fileMs! / 100) / 10,
    pages: pageMs.length,
    pageP50Ms: percentile(pageMs, 0.5),
    pageP95Ms: percentile(pageMs, 0.95),
  };
}

/** Bytes of all `downloads`. */
export function totalBytes(downloads: readonly Download[]): number {
  return downloads.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

/** Does `work` for all of `downloads`, gives the milliseconds of each, and begins no more once one has failed. */
async function inParallel(
  downloads: readonly Download[],
  work: (download: Download) => Promise<void>,
): Promise<number[]> {
  const times: number[] = [];
  const failures: { readonly name: string; readonly cause: unknown }[] = [];
  const rest = downloads.values();
  const worker = async () => {
    for (const each of rest) {
      if (failures.length > 0) return;
      const startedAtMs = systemClock.now();
      try {
        await work(each);
        times.push(systemClock.now() - startedAtMs);
      } catch (cause) {
        failures.push({ name: each.name, cause });
      }
    }
  };
  await Promise.all(Array.from({ length: PAGES_AT_ONCE }, worker));
  if (failures.length === 0) return times;
  const names = failures.map(({ name }) => name).join(", ");
  throw new CliError("failed", `Not as it should be: ${names}`, {
    cause: failures[0]!.cause,
  });
}
