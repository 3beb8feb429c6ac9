/** What loops say of one link. */
export interface LinkQuality {
  /** Node id of its start. */
  readonly from: string;
  /** Node id of its end. */
  readonly to: string;
  /** Loops over it that came back. */
  readonly returned: number;
  /** Loops over it that did not come back in time. */
  readonly lost: number;
  /** Its share of the times that those loops took beyond their delays, averaged over the last ones, in milliseconds. */
  readonly latencyMs: number;
}

interface Tally {
  returned: number;
  lost: number;
  latencyMs: number;
}

/** Weight of the newest latency in the average. */
const NEWEST = 0.1;

/**
 * Losses and latencies of links, as loops over several of them show.
 *
 * A loop that is lost counts against each of its links, and its latency is shared equally, so one bad link stands out only because
 * it is on all the bad loops.
 */
export class LinkTally {
  readonly #capacity: number;
  /** By both ids; the link that was least recently heard of first. */
  readonly #links = new Map<string, Tally>();

  /**
   * Starts empty.
   *
   * @param capacity Most links; beyond, the one that was heard of least recently is forgotten.
   */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** All links heard of. */
  get links(): readonly LinkQuality[] {
    return [...this.#links].map(([key, tally]) => {
      const [from, to] = key.split(" ") as [string, string];
      return { from, to, ...tally };
    });
  }

  /**
   * Counts a loop that went from each of `path`, node ids in text, to the next.
   *
   * @param excessMs How much longer than its delays it took; absent if it was lost.
   */
  count(path: readonly string[], excessMs: number | undefined): void {
    for (let i = 1; i < path.length; i++) {
      const link = this.#touch(`${path[i - 1]} ${path[i]}`);
      if (excessMs === undefined) {
        link.lost++;
        continue;
      }
      const latencyMs = Math.max(0, excessMs) / (path.length - 1);
      link.latencyMs = link.returned++ === 0
        ? latencyMs
        : link.latencyMs + NEWEST * (latencyMs - link.latencyMs);
    }
  }

  #touch(key: string): Tally {
    const link = this.#links.get(key) ??
      { returned: 0, lost: 0, latencyMs: 0 };
    this.#links.delete(key);
    this.#links.set(key, link);
    if (this.#links.size > this.#capacity) {
      const [oldest] = this.#links.keys();
      this.#links.delete(oldest!);
    }
    return link;
  }
}
