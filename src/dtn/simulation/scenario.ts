import type { PlannedContact } from "../routing/contact_plan.ts";
import type { ScheduledBundle } from "../schedule/scheduler.ts";
import { seededRandom } from "./seeded_random.ts";

/** A contact of the plan, and what sending over it costs. */
export interface PricedContact extends PlannedContact {
  /** Energy for each byte. */
  readonly energyPerByte: number;
  /** Money for each byte. */
  readonly moneyPerByte: number;
  /** How much of who speaks with whom it shows: 0 nothing, 1 all. */
  readonly exposure: number;
  /** Share of bundles that arrive, 0 to 1. */
  readonly reliability: number;
}

/** A bundle that a node makes; `receivedMs` is when. */
export interface SimulatedBundle extends ScheduledBundle {
  /** Node id of who sends it; `destination` is a node id too. */
  readonly source: string;
}

/** What is simulated. Times are in milliseconds from the start. */
export interface Scenario {
  /** What reports call it. */
  readonly name: string;
  /** V that the scenario is for. */
  readonly v: number;
  /** Penalty of a unit of energy. */
  readonly energyWeight: number;
  /** How long it is. */
  readonly durationMs: number;
  /** Decides which bundles are lost. Not 0. */
  readonly seed: number;
  /** Who can send to whom, when. */
  readonly contacts: readonly PricedContact[];
  /** What is to be sent, in any order. */
  readonly bundles: readonly SimulatedBundle[];
}

/** What is sent over a plan. */
export interface PlanTraffic {
  /** Bundles a second, in the first 60 % of the time. */
  readonly bundlesPerS: number;
  /** Decides when, from whom and to whom. Not 0. */
  readonly seed: number;
  /** Length of each, in bytes. */
  readonly size: number;
  /** How long each is of use, in milliseconds. */
  readonly lifetimeMs: number;
}

type Random = () => number;
type Layer = Omit<PricedContact, "from" | "to" | "startMs" | "endMs"> & {
  readonly onMs: number;
  readonly offMs: number;
};

/** Seldom there and slow, but cheap: a radio of short range. */
const NEAR: Layer = {
  ...{ onMs: 10_000, offMs: 20_000, bytesPerSecond: 2_000, delayMs: 20 },
  ...{ energyPerByte: 0.0001, moneyPerByte: 0, exposure: 0.1 },
  reliability: 0.95,
};
/** More often there and faster, but dear: a mobile network. */
const FAR: Layer = {
  ...{ onMs: 20_000, offMs: 15_000, bytesPerSecond: 6_000, delayMs: 60 },
  ...{ energyPerByte: 0.003, moneyPerByte: 0.001, exposure: 0.8 },
  reliability: 0.98,
};
/** Share of the time in which bundles are made: what is made last can be there before the end. */
const TRAFFIC_SHARE = 0.6;
const MAX_BUNDLES = 100_000;

/** Five nodes in a line, 300 s, V 0.5. As the others, it refuses to make more than 100,000 bundles with a `RangeError`. */
export function linearScenario(bundlesPerS: number, seed = 1): Scenario {
  const nodes = names(5);
  const pairs = nodes.slice(1).map((node, i) => [nodes[i]!, node] as const);
  const settings = { name: "linear", v: 0.5, energyWeight: 0.3 };
  return { ...settings, ...drawn(nodes, pairs, 300_000, bundlesPerS, seed) };
}

/** Five leaves around a hub, that send to each other; 300 s, V 10, energy weighs 0.8. */
export function starScenario(bundlesPerS: number, seed = 2): Scenario {
  const [hub, ...leaves] = names(6);
  const pairs = leaves.map((leaf) => [hub!, leaf] as const);
  const settings = { name: "star", v: 10, energyWeight: 0.8 };
  return { ...settings, ...drawn(leaves, pairs, 300_000, bundlesPerS, seed) };
}

/** Eight nodes of which six pairs in ten meet, 600 s, V 2. */
export function meshScenario(bundlesPerS: number, seed = 3): Scenario {
  const nodes = names(8);
  const all = nodes.flatMap((a, i) =>
    nodes.slice(i + 1).map((b) => [a, b] as const)
  );
  const random = seededRandom(seed);
  const pairs = all.map((pair) => ({ pair, at: random() }))
    .sort((a, b) => a.at - b.at)
    .slice(0, Math.round(0.6 * all.length))
    .map(({ pair }) => pair);
  const settings = { name: "mesh", v: 2, energyWeight: 0.3 };
  return { ...settings, ...drawn(nodes, pairs, 600_000, bundlesPerS, seed) };
}

/**
 * The contacts of a plan, which cost nothing and lose nothing, from the start of the first to the end of the last; bundles between any of
 * its nodes, all of one size, lifetime and class. V 1.
 *
 * @throws {RangeError} If the plan has not two nodes, or more than 100,000 bundles would be made.
 */
export function planScenario(
  plan: readonly PlannedContact[],
  { bundlesPerS, seed, size, lifetimeMs }: PlanTraffic,
): Scenario {
  const ends = [...new Set(plan.flatMap(({ from, to }) => [from, to]))];
  if (ends.length < 2) throw new RangeError("Want a plan of two nodes or more");
  let [startMs, endMs] = [Infinity, 0];
  for (const contact of plan) {
    startMs = Math.min(startMs, contact.startMs);
    endMs = Math.max(endMs, contact.endMs);
  }
  const durationMs = endMs - startMs;
  const free = { energyPerByte: 0, moneyPerByte: 0, exposure: 0 };
  return {
    ...{ name: "plan", v: 1, energyWeight: 0.3, durationMs, seed },
    contacts: plan.map((contact) => ({
      ...{ ...contact, ...free, reliability: 1 },
      startMs: contact.startMs - startMs,
      endMs: contact.endMs - startMs,
    })),
    bundles: traffic(
      { ends, durationMs, bundlesPerS },
      seededRandom(seed),
      () => ({ size, priority: 1, lifetimeMs }),
    ),
  };
}

function names(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `dtn://n${i}/`);
}

/** Contacts of `pairs`, and bundles between `ends`, for a time. */
function drawn(
  ends: readonly string[],
  pairs: readonly (readonly [string, string])[],
  durationMs: number,
  bundlesPerS: number,
  seed: number,
) {
  const random = seededRandom(seed);
  const contacts = pairs.flatMap((pair) =>
    [NEAR, FAR].flatMap((layer) => windows(layer, pair, durationMs, random))
  );
  const bundles = traffic({ ends, durationMs, bundlesPerS }, random, () => ({
    size: 500 + Math.floor(random() * 2_000),
    priority: ([0, 1, 1, 1, 2] as const)[Math.floor(random() * 5)]!,
    lifetimeMs: 40_000 + Math.floor(random() * 80_000),
  }));
  return { durationMs, seed, contacts, bundles };
}

/** Bundles between any of `ends`, each as `draw` says. */
function traffic(
  { ends, durationMs, bundlesPerS }: {
    readonly ends: readonly string[];
    readonly durationMs: number;
    readonly bundlesPerS: number;
  },
  random: Random,
  draw: () => Pick<SimulatedBundle, "size" | "priority"> & {
    readonly lifetimeMs: number;
  },
): SimulatedBundle[] {
  const count = Math.round(durationMs / 1_000 * TRAFFIC_SHARE * bundlesPerS);
  if (!(count <= MAX_BUNDLES)) {
    throw new RangeError(`Want at most ${MAX_BUNDLES} bundles, not ${count}`);
  }
  return Array.from({ length: count }, (_, i) => {
    const receivedMs = Math.floor(random() * durationMs * TRAFFIC_SHARE);
    const from = Math.floor(random() * ends.length);
    const further = 1 + Math.floor(random() * (ends.length - 1));
    const { lifetimeMs, ...bundle } = draw();
    return {
      id: `bundle ${i}`,
      source: ends[from]!,
      destination: ends[(from + further) % ends.length]!,
      ...bundle,
      receivedMs,
      expiresMs: receivedMs + lifetimeMs,
    };
  });
}

/** When a pair has contact, both ways at once. */
function windows(
  { onMs, offMs, ...layer }: Layer,
  [a, b]: readonly [string, string],
  durationMs: number,
  random: Random,
): PricedContact[] {
  const contacts: PricedContact[] = [];
  let startMs = -Math.floor(random() * (onMs + offMs));
  while (startMs < durationMs) {
    const endMs = startMs + Math.floor(onMs * (0.8 + 0.4 * random()));
    if (endMs > 0) {
      const when = { startMs: Math.max(startMs, 0), endMs };
      contacts.push({ ...layer, ...when, from: a, to: b });
      contacts.push({ ...layer, ...when, from: b, to: a });
    }
    startMs = endMs + Math.floor(offMs * (0.8 + 0.4 * random()));
  }
  return contacts;
}
