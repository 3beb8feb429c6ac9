/** A message that may have a place. */
export interface Placed {
  /** Its place among those to the same agent that must not overtake each other. */
  readonly place?: number;
}

interface Places<T> {
  /** Messages that are not settled, lowest place first. */
  readonly open: Map<number, T>;
  /** Places given up that are above the lowest: the agent waits for them until it hears of it. */
  readonly gaps: Set<number>;
}

/** Places of messages in order, by the agents that they are to. */
export class OrderPlaces<T extends Placed> {
  readonly #agents = new Map<string, Places<T>>();

  /** A message takes its place, the highest of those to `to`. */
  add(to: string, message: T): void {
    const { place } = message;
    if (place === undefined) return;
    let places = this.#agents.get(to);
    if (!places) {
      places = { open: new Map(), gaps: new Set() };
      this.#agents.set(to, places);
    }
    places.open.set(place, message);
  }

  /** What is missing between places may have been given up in a life before, and not been told. */
  findGaps(): void {
    for (const { open, gaps } of this.#agents.values()) {
      let next: number | undefined;
      for (const place of open.keys()) {
        if (next !== undefined && place > next) gaps.add(place - 1);
        next = place + 1;
      }
    }
  }

  /** The lowest place that may still come to an agent; `undefined` if none is open. */
  floor(to: string): number | undefined {
    const [floor] = this.#agents.get(to)?.open.keys() ?? [];
    return floor;
  }

  /** A message is given up: once it is the lowest that is {@link remove}d, the next has to tell. */
  giveUp(to: string, { place }: T): void {
    if (place !== undefined) this.#agents.get(to)?.gaps.add(place);
  }

  /** A message is settled or given up. Gives the first of the others, if the agent waits for places before it in vain: it tells so. */
  remove(to: string, { place }: T): T | undefined {
    const places = this.#agents.get(to);
    if (place === undefined || !places) return undefined;
    const { open, gaps } = places;
    open.delete(place);
    const [first] = open.values();
    if (!first) {
      this.#agents.delete(to);
      return undefined;
    }
    let hasNews = false;
    for (const gap of gaps) {
      if (gap > first.place!) continue;
      gaps.delete(gap);
      hasNews = true;
    }
    return hasNews ? first : undefined;
  }
}
