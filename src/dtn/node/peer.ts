import type { Clock } from "../../core/async/mod.ts";
import type { NextHop } from "../routing/router.ts";
import type { Neighbour } from "./neighbour.ts";
import { Pause } from "./pause.ts";

/** How a bundle goes to a neighbour. */
export interface Hop {
  /** What the router says. */
  readonly hop: NextHop;
  /** Whether our copy stays. */
  readonly keeps: boolean;
}

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
  /** On while it has no room, whatever the contact. */
  readonly pause: Pause;
  /** Whether bundles were left out, as too many wait for it. */
  isCrowded = false;
  /** Whether bundles are being taken from the scheduler for it. */
  isPumping = false;
  /** What it does not take, and whether that is for its size alone. */
  readonly #refused = new Map<string, "bundle" | "size">();

  /** Begins without a contact. */
  constructor(id: string, clock: Clock) {
    this.id = id;
    this.pause = new Pause(clock);
  }

  /** A contact with it has begun: older ones may be dead, and this one may take what they do not. Gives how many there are. */
  begin(neighbour: Neighbour): number {
    for (const older of this.contacts) older.doubt();
    for (const [id, why] of this.#refused) {
      if (why === "size") this.#refused.delete(id);
    }
    return this.contacts.push(neighbour);
  }

  /** A contact with it has ended; gives how many are left, `undefined` if it was none of them. */
  end(neighbour: Neighbour): number | undefined {
    const at = this.contacts.indexOf(neighbour);
    if (at < 0) return undefined;
    this.contacts.splice(at, 1);
    neighbour.pause.end();
    if (this.contacts.length === 0) this.pause.end();
    return this.contacts.length;
  }

  /** Sends nothing any more. */
  close(): void {
    this.pause.end();
    for (const { pause } of this.contacts) pause.end();
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
}
