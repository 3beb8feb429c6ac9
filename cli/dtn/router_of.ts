import { systemClock } from "../../src/core/async/mod.ts";
import { concat, Reader, utf8, Writer } from "../../src/core/bytes/mod.ts";
import type { CryptoProvider } from "../../src/core/crypto/mod.ts";
import {
  namespace,
  readTextFile,
  type Store,
} from "../../src/core/storage/mod.ts";
import {
  type BundleStore,
  contactGraphRouter,
  epidemicRouter,
  parseContactPlan,
  parseStaticRoutes,
  prophetRouter,
  type Router,
  sprayRouter,
  staticRouter,
} from "../../src/dtn/mod.ts";
import { CliError } from "../_error.ts";
import type { DtnNodeConfig } from "./config.ts";

/** What routers work with. */
export interface RouterParts {
  /** Primitives. */
  readonly crypto: CryptoProvider;
  /** Keeps what outlives the process. */
  readonly store: Store;
  /** The bundles. */
  readonly bundles: BundleStore;
}

/**
 * The router that `[routing]` names.
 *
 * @throws {CliError} `usage` or `failed` if its file is not given or does not hold.
 */
export function routerOf(
  { routing, node }: DtnNodeConfig,
  { crypto, store, bundles }: RouterParts,
): Router {
  const { by, copies } = routing;
  const nodeId = `${node.id}`;
  switch (by) {
    case "epidemic":
      return epidemicRouter({ crypto, known: () => namesIn(bundles) });
    case "spray":
    case "binary_spray":
      return sprayRouter({
        ...{ copies, isBinary: by === "binary_spray" },
        store: namespace(store, "dtn.spray"),
      });
    case "prophet":
      return prophetRouter({ nodeId, store: namespace(store, "dtn.prophet") });
    case "static":
      return staticRouter(
        parsed("routing.table", routing.table, parseStaticRoutes),
      );
    case "contact_graph": {
      const kept = namespace(store, "dtn.contact_graph");
      return contactGraphRouter({
        nodeId,
        plan: parsed(
          "routing.plan",
          routing.plan,
          (text) => parseContactPlan(text, epochOf(text, kept, crypto)),
        ),
        store: kept,
      });
    }
  }
}

function* namesIn(bundles: BundleStore): Iterable<string> {
  for (const { id, isPrivate } of bundles.entries()) {
    if (!isPrivate) yield id; // any neighbour is told, over any contact
  }
}

/** What times with + in a plan count from: when a node first started with that text, so that a restart does not move them. */
function epochOf(text: string, store: Store, crypto: CryptoProvider): number {
  const key = concat(utf8("epoch "), crypto.hash("sha256", utf8(text)));
  const known = store.get(key);
  if (known) return Number(new Reader(known, "epoch of a plan").u64());
  const nowMs = Math.trunc(systemClock.wallTime());
  store.set(key, new Writer().u64(BigInt(nowMs)).finish());
  return nowMs;
}

function parsed<T>(
  key: string,
  path: string | undefined,
  parse: (text: string) => T,
): T {
  if (path === undefined) {
    throw new CliError("usage", `${key} names no file, which it must`);
  }
  try {
    return parse(readTextFile(path));
  } catch (cause) {
    throw new CliError("failed", `${path} cannot be used as ${key}`, { cause });
  }
}
