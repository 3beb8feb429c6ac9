import type { Clock } from "../../core/async/mod.ts";
import type { NextHop } from "../routing/router.ts";
import type { Neighbour } from "./neighbour.ts";

/** How a bundle goes to a neighbour. */
export interface Hop {
  /** What the router says. */
  readonly hop: NextHop;
  /** Whether our copy stays. */
  readonly keeps: boolean;
}

const MIN_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 30_000;
/** Beyond it the oldest are forgotten: they are sent, and refused, again. */
const MAX_REFUSED = 65_536;

/** A node with which there is at least one contact. */
export class Peer {
  /** Its node id. */
  readonly id: string;
  /** Contacts with it, the newest last. */
  readonly contacts: Neighbour[] = [];
  /** How the bundles go that wait for it, by name. */
  readonly waiting = new Map<string, Hop>();
  /** Whether bundles were left out, as too many wait for it. */
  isCrowded = false;
  /** Whether bundles are being taken from the scheduler for it. */
  isPumping = false;
  /** What it does not take, and whether that is for its size alone. */
  readonly #refused = new Map<string, "bundle" | "size">();
  readonly #clock: Clock;
  #pauseMs = MIN_PAUSE_MS;
  #cancelPause: (() => void) | undefined;

  /** Begins without a contact. */
  constructor(id: string, clock: Clock) {
    this.id = id;
    this.#clock = clock;
  }

  /** A contact with it has begun: older ones may be dead, and this one may take what they do not. Gives how many there are. */
  begin(neighbour: Neighbour): number {
    for (const older of this.contacts) older.doubt();
    for (const [id, why] of this.#refused) {
      if (why === "size") this.#refused.delete(id);
    }
    return this.contacts.push(neighbour);
  }

  /** The contact that a bundle of `size` bytes goes over which was to go over `chosen`: one that takes it whole, or most of it. */
  wayFor(size: number, chosen: Neighbour): Neighbour {
    if (size <= chosen.contact.maxBundleBytes) return chosen;
    return this.contacts.reduce(
      (most, each) =>
        each.contact.maxBundleBytes > most.contact.maxBundleBytes ? each : most,
      chosen,
    );
  }

  /** Whether a bundle is under way to it. */
  isSent(id: string): boolean {
    return this.contacts.some((contact) => contact.isSending(id));
  }

  /** Whether it has refused a bundle for good. */
  hasRefused(id: string): boolean {
    return this.#refused.has(id);
  }

  /** It has refused a bundle for good, or as long as no contact takes more. */
  refuse(id: string, why: "bundle" | "size"): void {
    this.#refused.set(id, why);
    if (this.#refused.size <= MAX_REFUSED) return;
    const [oldest] = this.#refused.keys();
    this.#refused.delete(oldest!);
  }

  /** A bundle is gone. */
  forget(id: string): void {
    this.waiting.delete(id);
    this.#refused.delete(id);
  }

  /** Whether it is to be sent nothing for now. */
  get isPaused(): boolean {
    return this.#cancelPause !== undefined;
  }

  /** Sends it nothing for a while, for twice as long each time, until it takes a bundle; then calls `resume`. */
  pause(resume: () => void): void {
    if (this.#cancelPause) return;
    this.#cancelPause = this.#clock.setTimeout(() => {
      this.#cancelPause = undefined;
      resume();
    }, this.#pauseMs);
    this.#pauseMs = Math.min(2 * this.#pauseMs, MAX_PAUSE_MS);
  }

  /** Ends the pause, if there is one. */
  endPause(): void {
    this.#cancelPause?.();
    this.#cancelPause = undefined;
  }

  /** It has taken a bundle: the next pause is short. */
  succeed(): void {
    this.#pauseMs = MIN_PAUSE_MS;
  }
}
