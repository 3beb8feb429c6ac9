import { equal } from "../../src/core/bytes/mod.ts";
import type { htx } from "../../mod.ts";
import type { BetweenNodesConfig } from "./between_nodes.ts";
import { PROXY_DEFAULTS } from "./proxy_config.ts";
import { Route, type RouteParts } from "./route.ts";

/** Parts of {@link Routes}. */
export interface RoutesParts extends Omit<RouteParts, "config" | "record"> {
  /** How to go. */
  readonly config: Pick<BetweenNodesConfig, "carrier" | "roots" | "session">;
}

interface KnownRoute {
  readonly record: htx.PeerRecord;
  readonly route: Route;
}

/** Of the servers dialed last, for which what was learnt is kept. */
const MAX_ROUTES = 256;

/** The ways to servers; what was learnt of one serves until its record is another. */
export class Routes implements Disposable {
  readonly #parts: RoutesParts;
  /** By what the caller calls a server, the one that was dialed last behind. */
  readonly #known = new Map<string, KnownRoute>();

  /** Knows no way yet. */
  constructor(parts: RoutesParts) {
    this.#parts = parts;
  }

  /**
   * The way to the server that is called `name`, by its record as it is now, verified.
   *
   * @throws {CliError} If it has no address for the carrier.
   */
  to(name: string, record: htx.PeerRecord): Route {
    const known = this.#known.get(name);
    const route = known && isSame(known.record, record)
      ? known.route
      : this.#make(record);
    if (known && known.route !== route) known.route[Symbol.dispose]();
    this.#known.delete(name);
    this.#known.set(name, { record, route });
    if (this.#known.size > MAX_ROUTES) this.#forgetOldest();
    return route;
  }

  /** Forgets what was learnt. */
  [Symbol.dispose](): void {
    for (const { route } of this.#known.values()) route[Symbol.dispose]();
    this.#known.clear();
  }

  #make(record: htx.PeerRecord): Route {
    const { config, ...parts } = this.#parts;
    const { carrier, roots, session } = config;
    return new Route({
      ...{ ...parts, record },
      config: { ...PROXY_DEFAULTS, carrier, roots, session },
    });
  }

  #forgetOldest(): void {
    for (const [name, { route }] of this.#known) {
      this.#known.delete(name);
      return route[Symbol.dispose]();
    }
  }
}

function isSame(one: htx.PeerRecord, other: htx.PeerRecord): boolean {
  return one.sequence === other.sequence &&
    equal(one.publicKey, other.publicKey) &&
    one.addresses.join() === other.addresses.join();
}
