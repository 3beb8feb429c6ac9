/**
 * Drift plus penalty (M. J. Neely, "Stochastic Network Optimization with Application to Communication and Queueing Systems", 2010, §4.4
 * and §4.5; §7 for decisions that take unequal times).
 *
 * A flow is what waits for one neighbour, for one destination, in one class of service. With Q the kB that wait in flow f and Z the
 * seconds for which the budget of energy or money k is spent ahead, L = ½ ΣQ² + ½ ΣZ². To send s kB of f over a contact bounds the
 * growth of L by a constant and −ρ·Q·s + Σ Z·c·s, where ρ is the contact's reliability and c the seconds of budget that a kB takes. V
 * times the penalty is added, and what makes the sum least is done. For each kB, so that long bundles are not preferred for their
 * length, sending gains
 *
 * ```text
 * ρ·(Q + ε·T) − Σ Z·c − V·(wₑ·energy + wₘ·money + wₓ·exposure − ρ·u)
 * ```
 *
 * T is the seconds since f was served last: without it a few kB that nothing joins would wait for ever (Neely's persistent service,
 * INFOCOM 2011, serves the same end). u is the utility of the class, for a bundle that is over before it expires; one that is not gains
 * nothing. The flow that gains most is served if its gain is above 0; not to send gains 0. So
 *
 * - with V = 0 and no budget it is max-weight;
 * - a kB that costs more than its utility waits for a better contact until V times the difference waits: backlogs grow as V, and what
 *   the penalty is above the least falls as 1/V;
 * - every flow is served: T grows without bound, Z only by serving. What is spent beyond a budget grows as the root of time at most, so
 *   that its mean goes to the budget, also if the budget cannot carry the traffic.
 *
 * @module
 */
import { Backlog, type Flow } from "./backlog.ts";
import type { ContactCost, ScheduledBundle, Scheduler } from "./scheduler.ts";
import { VirtualQueue } from "./virtual_queue.ts";

/** Options of {@link lyapunovScheduler}. */
export interface LyapunovOptions {
  /** V: how many kB may wait for a penalty that is less by 1 a kB; 1 by default. 0 looks at backlogs alone. */
  readonly v?: number;
  /** Penalty of a unit of energy; 0.3 by default. */
  readonly energyWeight?: number;
  /** Penalty of a unit of money; 0.3 by default. */
  readonly moneyWeight?: number;
  /** Penalty of a kB that shows all; 0.2 by default. */
  readonly privacyWeight?: number;
  /** Utility of a kB in time, by class of service; 0.5, 1 and 2 by default. */
  readonly utilities?: readonly [
    bulk: number,
    normal: number,
    expedited: number,
  ];
  /** ε: for how many kB a second without service counts; 0.1 by default. */
  readonly agingKbPerS?: number;
  /** Energy that may be spent in the mean, in units a second; no bound by default. */
  readonly energyPerS?: number;
  /** Money that may be spent in the mean, in units a second; no bound by default. */
  readonly moneyPerS?: number;
  /** Most bundles that wait, counted for each neighbour; 65,536 by default. */
  readonly maxWaiting?: number;
}

const KB = 1_000;

/**
 * Trades backlogs against energy, money, exposure and utility. A decision takes time in proportion to the flows that wait for the
 * neighbour, however many bundles they have.
 *
 * @throws {RangeError} If an option is below 0 or no number, or a budget is not above 0.
 */
export function lyapunovScheduler(options: LyapunovOptions = {}): Scheduler {
  const {
    v = 1,
    energyWeight = 0.3,
    moneyWeight = 0.3,
    privacyWeight = 0.2,
    utilities = [0.5, 1, 2],
    agingKbPerS = 0.1,
    maxWaiting = 65_536,
  } = options;
  checkAll({ v, energyWeight, moneyWeight, privacyWeight, agingKbPerS });
  const [bulk, normal, expedited] = utilities;
  checkAll({ maxWaiting, bulk, normal, expedited });
  const energy = new VirtualQueue(options.energyPerS ?? Infinity);
  const money = new VirtualQueue(options.moneyPerS ?? Infinity);
  const backlogs = new Map<string, Backlog>();
  let size = 0;

  const drop = (peer: string, backlog: Backlog, id: string) => {
    if (backlog.remove(id)) size--;
    if (backlog.size === 0) backlogs.delete(peer);
  };

  /** What a kB costs over `contact`, whichever it is. */
  const costOf = (contact: ContactCost, nowMs: number) => {
    const energyPerKb = contact.energyPerByte * KB;
    const moneyPerKb = contact.moneyPerByte * KB;
    return energy.aheadS(nowMs) * energy.secondsOf(energyPerKb) +
      money.aheadS(nowMs) * money.secondsOf(moneyPerKb) +
      v * (energyWeight * energyPerKb + moneyWeight * moneyPerKb +
          privacyWeight * contact.exposure);
  };

  /** What a kB of `flow` is worth over `contact`. */
  const worthOf = (flow: Flow, first: ScheduledBundle, nowMs: number) => {
    const waitedS = Math.max(nowMs - flow.servedMs, 0) / 1_000;
    return flow.bytes / KB + agingKbPerS * waitedS +
      v * utilities[first.priority];
  };

  /** The flow that gains most over `contact`, if one gains anything. */
  const bestOver = (contact: ContactCost, nowMs: number) => {
    const { peer, reliability } = contact;
    const backlog = backlogs.get(peer);
    if (!backlog) return undefined;
    const cost = costOf(contact, nowMs);
    let best: { flow: Flow; bundle: ScheduledBundle; gain: number } | undefined;
    for (const flow of backlog.flows()) {
      const bundle = firstUnexpired(
        flow,
        nowMs,
        (id) => drop(peer, backlog, id),
      );
      if (!bundle || !isInTime(bundle, contact, nowMs)) continue;
      const gain = reliability * worthOf(flow, bundle, nowMs) - cost;
      if (gain > (best?.gain ?? 0)) best = { flow, bundle, gain };
    }
    return best && { ...best, backlog };
  };

  return {
    name: "lyapunov",
    get size() {
      return size;
    },
    add(bundle, peer) {
      const backlog = backlogs.get(peer) ?? new Backlog();
      if (backlog.has(bundle.id)) return true;
      if (size >= maxWaiting) return false;
      backlogs.set(peer, backlog);
      backlog.add(bundle);
      size++;
      return true;
    },
    gain: (contact, nowMs) => bestOver(contact, nowMs)?.gain ?? 0,
    next(contact, nowMs) {
      const best = bestOver(contact, nowMs);
      if (!best) return undefined;
      const { flow, bundle, backlog } = best;
      flow.servedMs = nowMs;
      drop(contact.peer, backlog, bundle.id);
      return bundle;
    },
    sent(bundle, contact, nowMs) {
      energy.spend(bundle.size * contact.energyPerByte, nowMs);
      money.spend(bundle.size * contact.moneyPerByte, nowMs);
    },
    remove(id) {
      for (const [peer, backlog] of backlogs) drop(peer, backlog, id);
    },
    removePeer(peer) {
      size -= backlogs.get(peer)?.size ?? 0;
      backlogs.delete(peer);
    },
  };
}

/** The first bundle of `flow` that has not expired; those before it are taken out with `drop`. */
function firstUnexpired(
  { bundles }: Flow,
  nowMs: number,
  drop: (id: string) => void,
): ScheduledBundle | undefined {
  for (;;) {
    const first = bundles.first;
    if (!first || first.expiresMs > nowMs) return first;
    drop(first.id);
  }
}

/** Whether `bundle` is over `contact` before it expires. */
function isInTime(
  { size, expiresMs }: ScheduledBundle,
  { bytesPerSecond, latencyMs }: ContactCost,
  nowMs: number,
): boolean {
  return nowMs + size / bytesPerSecond * 1_000 + latencyMs <= expiresMs;
}

function checkAll(values: Record<string, number>): void {
  for (const [name, value] of Object.entries(values)) {
    if (value >= 0 && Number.isFinite(value)) continue;
    throw new RangeError(`Want ${name} of at least 0: got ${value}`);
  }
}
