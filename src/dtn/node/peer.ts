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
  readonly #refused = new Set<string>();
  readonly #clock: Clock;
  #pauseMs = MIN_PAUSE_MS;
  #cancelPause: (() => void) | undefined;

  /** Begins without a contact. */
  constructor(id: string, clock: Clock) {
    this.id = id;
    this.#clock = clock;
  }

  /** Whether a bundle is under way to it. */
  isSent(id: string): boolean {
    return this.contacts.some((contact) => contact.isSending(id));
  }

  /** Whether it has refused a bundle for good. */
  hasRefused(id: string): boolean {
    return this.#refused.has(id);
  }

  /** It has refused a bundle for good. */
  refuse(id: string): void {
    this.#refused.add(id);
    if (this.#refused.size <= MAX_REFUSED) return;
    const [oldest] = this.#refused;
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
