import type { RouteNode, RoutePlan } from "../route/draw_route.ts";
import type { ProvableRoute, RouteDrawer } from "../route/route_drawer.ts";
import type { MixRoute, RouteSource } from "./route_source.ts";

/** What {@link DirectoryRoutes} reads of the document of an epoch. */
export interface RouteDocument {
  /** The network's delay law. */
  readonly parameters: Pick<RoutePlan, "meanDelayMs" | "maxDelayMs">;
  /** The epoch's randomness. */
  readonly beacon: {
    /** 32 bytes. */
    readonly value: Uint8Array;
  };
  /** The nodes, in the document's order. */
  readonly nodes: readonly RouteNode[];
}

/** Parts of {@link DirectoryRoutes}. */
export interface DirectoryRoutesOptions {
  /** Documents by epoch. */
  readonly directory: { document(epoch: number): RouteDocument | undefined };
  /** Length of an epoch, in seconds. */
  readonly epochSeconds: number;
  /** Draws routes and delays by our VRF. */
  readonly drawer: RouteDrawer;
  /** How many mixes a route has; the network's whole depth, 3 at least, by default. */
  readonly mode?: RoutePlan["mode"];
  /** Gets each route that was drawn, and the beacon it is proved under, so that it can be proved later. */
  readonly onRoute?: (route: ProvableRoute, beacon: Uint8Array) => void;
}

/**
 * Routes by the documents of a directory.
 *
 * Nodes accept packets for the keys of the epoch before: so while there is no document for an epoch yet, that of the one before serves.
 */
export class DirectoryRoutes implements RouteSource {
  readonly #options: DirectoryRoutesOptions;

  /** Draws nothing yet. */
  constructor(options: DirectoryRoutesOptions) {
    this.#options = options;
  }

  /** A fresh route: see {@link RouteSource.route}. */
  route(
    wallMs: number,
    from: Uint8Array,
    to: Uint8Array,
  ): MixRoute | undefined {
    const now = this.#epochAt(wallMs);
    return this.#draw(now, from, to) ?? this.#draw(now - 1, from, to);
  }

  /** Those of the document that serves: see {@link RouteSource.gateways}. */
  gateways(wallMs: number): readonly Uint8Array[] {
    const { directory } = this.#options;
    const now = this.#epochAt(wallMs);
    for (const epoch of [now, now - 1]) {
      const ids = directory.document(epoch)?.nodes.filter(
        ({ layer, sphinxKeys }) => layer === 0 && sphinxKeys.has(epoch),
      ).map(({ identityKey }) => identityKey);
      if (ids?.length) return ids;
    }
    return [];
  }

  /** To the end of the epoch after the one that `epoch` is short for. */
  usableUntilMs(epoch: number, wallMs: number): number {
    const now = this.#epochAt(wallMs);
    const full = now + (epoch - (now >>> 0) | 0);
    return (full + 2) * this.#options.epochSeconds * 1_000;
  }

  #draw(
    epoch: number,
    from: Uint8Array,
    to: Uint8Array,
  ): MixRoute | undefined {
    const { directory, drawer, mode = "strict", onRoute } = this.#options;
    const document = directory.document(epoch);
    if (!document) return undefined;
    const { meanDelayMs, maxDelayMs } = document.parameters;
    const beacon = document.beacon.value;
    const { nodes } = document;
    const plan = { nodes, epoch, from, to, mode, meanDelayMs, maxDelayMs };
    const route = drawer.draw(beacon, plan);
    if (route) onRoute?.(route, beacon);
    return route;
  }

  #epochAt(wallMs: number): number {
    return Math.floor(wallMs / 1_000 / this.#options.epochSeconds);
  }
}
