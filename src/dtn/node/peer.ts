import type { Clock } from "../../core/async/mod.ts";
import type { NextHop } from "../routing/router.ts";
import type { Place } from "../store/bundle_entry.ts";
import { isBefore } from "../store/store_keys.ts";
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

/** Why it does not take a bundle: for good, or until there is a contact that takes larger ones, or one that is private. */
export type PeerRefusal = "bundle" | "size" | "privacy";

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
  /** The first bundle that was left out, as too many wait for it; absent if none was. */
  leftOut: Place | undefined;
  /** Whether bundles are being taken from the scheduler for it. */
  isPumping = false;
  /** What it does not take, and why. */
  readonly #refused = new Map<string, PeerRefusal>();

  /** Begins without a contact. */
  constructor(id: string, clock: Clock) {
    this.id = id;
    this.pause = new Pause(clock);
  }

  /** A contact with it has begun: older ones may be dead, and this one may take what they do not. Gives how many there are. */
  begin(neighbour: Neighbour): number {
    for (const older of this.contacts) older.doubt();
    for (const [id, why] of this.#refused) {
      const isMoot = why === "size" ||
        why === "privacy" && neighbour.contact.isPrivate;
      if (isMoot) this.#refused.delete(id);
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
    return largest(size, chosen, this.contacts);
  }

  /** As {@link wayFor} for a bundle that wants strict privacy; `undefined` if no contact is private. */
  privateWayFor(size: number, chosen: Neighbour): Neighbour | undefined {
    const ways = this.contacts.filter(({ contact }) => contact.isPrivate);
    const first = chosen.contact.isPrivate ? chosen : ways.at(-1);
    return first && largest(size, first, ways);
  }

  /** A bundle was left out. */
  leaveOut(place: Place): void {
    if (!this.leftOut || isBefore(place, this.leftOut)) this.leftOut = place;
  }

  /** Whether a bundle is under way to it. */
  isSent(id: string): boolean {
    return this.contacts.some((contact) => contact.isSending(id));
  }

  /** Whether it has refused a bundle for good. */
  hasRefused(id: string): boolean {
    return this.#refused.has(id);
  }

  /** It takes a bundle never, or as long as no other contact begins. */
  refuse(id: string, why: PeerRefusal): void {
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

/** `chosen`, or the one of `ways` that takes the largest bundles if it does not take one of `size` bytes. */
function largest(
  size: number,
  chosen: Neighbour,
  ways: readonly Neighbour[],
): Neighbour {
  if (size <= chosen.contact.maxBundleBytes) return chosen;
  return ways.reduce(
    (most, each) =>
      each.contact.maxBundleBytes > most.contact.maxBundleBytes ? each : most,
    chosen,
  );
}
