import { direct, type RouteDecision, type Router, WAIT } from "./router.ts";

/** A row of a routing table; `*` in a pattern stands for any characters. */
export interface StaticRoute {
  /** Pattern of sources. */
  readonly source: string;
  /** Pattern of destinations. */
  readonly destination: string;
  /** Node id of the neighbour that gets them. */
  readonly via: string;
}

const MAX_ROUTES = 65_536;

/**
 * The routes of a table: of the rows that match, the first whose neighbour is in contact; a neighbour that is itself the destination
 * needs no row.
 */
export function staticRouter(routes: readonly StaticRoute[]): Router {
  if (routes.length > MAX_ROUTES) {
    throw new RangeError(`Want at most ${MAX_ROUTES} routes`);
  }
  const rows = routes.map(({ source, destination, via }) => ({
    source: patternOf(source),
    destination: patternOf(destination),
    via,
  }));
  return {
    name: "static",
    contactBegan: () => [],
    contactEnded() {},
    received: () => [],
    route(bundle, peers): RouteDecision {
      const found = direct(bundle, peers);
      if (found) return found;
      const row = rows.find(({ source, destination, via }) =>
        via !== bundle.from && peers.includes(via) &&
        source.test(bundle.source) && destination.test(bundle.destination)
      );
      return row ? { to: [{ peer: row.via }], keeps: false } : WAIT;
    },
    sent() {},
    failed() {},
    removed() {},
  };
}

/**
 * Reads a routing table as dtn7-rs writes it: a row a line, `index source destination via`, in the order of their indices; empty
 * lines and those that start with # are passed over.
 *
 * @throws {SyntaxError} That names the line.
 */
export function parseStaticRoutes(text: string): StaticRoute[] {
  const rows = text.split("\n").flatMap((line, i) => {
    const cells = line.trim().split(/\s+/);
    if (cells[0] === "" || cells[0]!.startsWith("#")) return [];
    const [index, source, destination, via] = cells;
    if (cells.length !== 4 || !/^[0-9]{1,9}$/.test(index!)) {
      throw new SyntaxError(
        `Line ${i + 1}: want index, source, destination and via`,
      );
    }
    return [{
      index: Number(index),
      route: { source: source!, destination: destination!, via: via! },
    }];
  });
  return rows.sort((a, b) => a.index - b.index).map(({ route }) => route);
}

function patternOf(glob: string): RegExp {
  const parts = glob.split("*").map((part) =>
    part.replace(/[\\^$.+?()[\]{}|/]/g, "\\$&")
  );
  return new RegExp(`^${parts.join("[^\\n]*")}$`);
}
