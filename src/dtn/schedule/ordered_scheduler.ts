import type { ScheduledBundle, Scheduler } from "./scheduler.ts";
import { type BundleOrder, WaitingBundles } from "./waiting_bundles.ts";

/** Options of {@link fifoScheduler} and {@link deadlineScheduler}. */
export interface OrderedSchedulerOptions {
  /** Most bundles that wait, counted for each neighbour; 65,536 by default. */
  readonly maxWaiting?: number;
}

const MAX_WAITING = 65_536;

/** First come, first served, within each class of service, expedited first. */
export function fifoScheduler(
  options: OrderedSchedulerOptions = {},
): Scheduler {
  return orderedScheduler(
    "fifo",
    (a, b) => b.priority - a.priority || a.receivedMs - b.receivedMs,
    options,
  );
}

/** Earliest deadline first, whatever the class of service. */
export function deadlineScheduler(
  options: OrderedSchedulerOptions = {},
): Scheduler {
  return orderedScheduler("edf", (a, b) => a.expiresMs - b.expiresMs, options);
}

function orderedScheduler(
  name: string,
  order: BundleOrder,
  { maxWaiting = MAX_WAITING }: OrderedSchedulerOptions,
): Scheduler {
  const queues = new Map<string, WaitingBundles>();
  let size = 0;
  const drop = (queue: WaitingBundles, id: string) => {
    if (queue.remove(id)) size--;
  };
  return {
    name,
    get size() {
      return size;
    },
    add(bundle: ScheduledBundle, peer) {
      const queue = queues.get(peer) ?? new WaitingBundles(order);
      if (queue.has(bundle.id)) return true;
      if (size >= maxWaiting) return false;
      queues.set(peer, queue);
      queue.add(bundle);
      size++;
      return true;
    },
    // What arrives in a second: what goes next is the same over each.
    gain: ({ bytesPerSecond, reliability }) =>
      Math.min(bytesPerSecond, Number.MAX_VALUE) * reliability,
    next({ peer }) {
      const queue = queues.get(peer);
      const first = queue?.first;
      if (first) drop(queue!, first.id);
      return first;
    },
    sent() {},
    remove(id) {
      for (const queue of queues.values()) drop(queue, id);
    },
    removePeer(peer) {
      size -= queues.get(peer)?.size ?? 0;
      queues.delete(peer);
    },
  };
}
