import { nodeProvider } from "../../src/core/crypto/mod.ts";
import { sqliteStore } from "../../src/core/storage/mod.ts";
import {
  bundleId,
  BundleStore,
  createBundle,
  dtnTime,
  Eid,
  encodeBundle,
} from "../../src/dtn/mod.ts";

const DAY_MS = 86_400_000;
const AT_ONCE = 1_000;

/** Puts `count` bundles with 100 B of payload into the store of a `betanet-dtn` whose state is in `folder`. */
export async function fillStore(folder: string, count: number): Promise<void> {
  using kept = sqliteStore(`${folder}/bundles.sqlite`, {
    maxEntries: 8 * count + 1_000,
    maxBytes: 4_096 * count,
    cacheBytes: 64 * 1024 * 1024,
    logBytes: 64 * 1024 * 1024,
  });
  using store = new BundleStore({
    store: kept,
    crypto: nodeProvider,
    limits: { maxBundles: 2 * count },
  });
  const source = Eid.parse("dtn://generator/out");
  const destination = Eid.parse("dtn://away/in");
  const payload = new Uint8Array(100);
  const now = Date.now();
  for (let done = 0; done < count; done += AT_ONCE) {
    const puts = Array.from({ length: AT_ONCE }, (_, i) => {
      const bundle = createBundle({
        creation: { timeMs: dtnTime(now), sequence: done + i },
        lifetimeMs: DAY_MS,
        ...{ source, destination, payload },
      });
      const bytes = encodeBundle(bundle);
      return store.put({
        id: bundleId(bundle),
        source: `${source}`,
        destination: `${destination}`,
        size: bytes.length,
        priority: 1,
        expiresMs: now + DAY_MS,
        receivedMs: now,
        from: "dtn://generator/",
      }, bytes);
    });
    const outcomes = await Promise.all(puts);
    if (!outcomes.every((each) => each === "stored")) {
      throw new Error("A bundle was not stored");
    }
  }
}
