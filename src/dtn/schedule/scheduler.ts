/** A bundle that waits for contacts. */
export interface ScheduledBundle {
  /** Its name, as `bundleId` gives it. */
  readonly id: string;
  /** Endpoint that it is for. */
  readonly destination: string;
  /** Length of the encoded bundle, in bytes. */
  readonly size: number;
  /** Class of service: bulk, normal, expedited. */
  readonly priority: 0 | 1 | 2;
  /** When it came: wall time in milliseconds since 1970. */
  readonly receivedMs: number;
  /** When it is of no use any more. */
  readonly expiresMs: number;
}

/** What sending to a neighbour costs. */
export interface ContactCost {
  /** Node id of the neighbour. */
  readonly peer: string;
  /** How fast bytes go; `Infinity` if nobody says. */
  readonly bytesPerSecond: number;
  /** How long they are under way, in milliseconds. */
  readonly latencyMs: number;
  /** Energy for each byte, in the unit of the budget. */
  readonly energyPerByte: number;
  /** Money for each byte, in the unit of the budget. */
  readonly moneyPerByte: number;
  /** How much of who speaks with whom the way shows: 0 nothing, 1 all. */
  readonly exposure: number;
  /** Share of bundles that arrive, 0 to 1. */
  readonly reliability: number;
}

/** Decides which bundle goes next over a contact. It does no IO; times are wall times in milliseconds since 1970. */
export interface Scheduler {
  /** What configurations call it. */
  readonly name: string;
  /** How many bundles wait. */
  readonly size: number;
  /** Lets `bundle` wait for `peer`; `false` if there is no room. A bundle may wait for several. */
  add(bundle: ScheduledBundle, peer: string): boolean;
  /** What it gains to send over `contact` now: of the contacts of one neighbour, that of most is asked first. */
  gain(contact: ContactCost, nowMs: number): number;
  /** Takes the bundle that goes next over `contact`, which does not wait for that neighbour any more; none if it is better to wait. */
  next(contact: ContactCost, nowMs: number): ScheduledBundle | undefined;
  /** `bundle` has gone over `contact`. */
  sent(bundle: ScheduledBundle, contact: ContactCost, nowMs: number): void;
  /** A bundle is not to be sent any more, to nobody. */
  remove(id: string): void;
  /** A neighbour is gone: what waited for it does not any more. */
  removePeer(peer: string): void;
}
