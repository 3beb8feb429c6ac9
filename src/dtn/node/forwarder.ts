import { type Clock, delay } from "../../core/async/mod.ts";
import type { Bundle } from "../bundle/bundle.ts";
import { REPORT_FLAGS } from "../bundle/bundle_flags.ts";
import { Eid } from "../bundle/eid.ts";
import { encryptionOf } from "../guard/plaintext_guard.ts";
import { isStrictlyPrivate } from "../guard/privacy_guard.ts";
import type { RoutedBundle } from "../routing/router.ts";
import type { ScheduledBundle } from "../schedule/scheduler.ts";
import type { BundleEntry, Place } from "../store/bundle_entry.ts";
import type { BundleStore } from "../store/bundle_store.ts";
import { isBefore } from "../store/store_keys.ts";
import {
  type Departure,
  type DepartureCounts,
  Departures,
  type DeparturesOptions,
} from "./departures.ts";
import type { DtnNodeOptions } from "./dtn_node_options.ts";
import type { Neighbour, SentOutcome } from "./neighbour.ts";
import { departing } from "./outgoing_bundle.ts";
import { type Hop, Peer } from "./peer.ts";
import { SendingRoom } from "./sending_room.ts";
import { encodeStored } from "./stored_bundle.ts";

/** Parts of a {@link Forwarder}. */
export interface ForwarderOptions
  extends
    Omit<DeparturesOptions, "room" | "onLeft" | "onStayed" | "onRoom">,
    Pick<DtnNodeOptions, "maxSending"> {
  /** Looks after work that goes on by itself. */
  readonly track: (task: Promise<void>) => void;
}

/** What a {@link Forwarder} did so far. */
export interface ForwarderCounts extends DepartureCounts {
  /** Contacts that were closed, as bundles under way had no outcome. */
  readonly silent: number;
}

const RETRY_MS = 1_000;
const MAX_SENDING = 64;
/** For one neighbour, so that one that takes nothing leaves room for others. */
const MAX_WAITING = 8_192;
const SCAN_AT_ONCE = 256;
/** What looking for those that come or go waits after it, in times of what it took. */
const SCAN_PAUSE = 4;
const MAX_SCAN_PAUSE_MS = 1_000;
const FIRST: Place = { rank: 0, sequence: 0 };
/** What a bundle may be longer as it leaves: the node before it, a longer age. */
const MAX_GROWTH_BYTES = 256;

/** Takes stored bundles to neighbours, as router and scheduler say. */
export class Forwarder {
  readonly #options: ForwarderOptions;
  readonly #store: BundleStore;
  readonly #clock: Clock;
  readonly #peers = new Map<string, Peer>();
  readonly #departures: Departures;
  readonly #room = new SendingRoom();
  /** Those whose next bundle found no room beside those for others, and that bundle. */
  readonly #crowdedOut = new Map<Peer, ScheduledBundle>();
  #silent = 0;
  #handed = 0;
  #cancelRetry: (() => void) | undefined;
  /** When the router may decide otherwise by itself. */
  #changesAtMs = Infinity;
  #isScanning = false;
  /** Whether somebody came or went meanwhile. */
  #isScanDue = false;
  /** When to look for who comes or goes at the earliest. */
  #scanAtMs = 0;
  #cancelScan: (() => void) | undefined;
  /** Where to begin once more; absent if that is not wanted. */
  #scanFrom: Place | undefined;
  #isClosed = false;

  /** Starts without a neighbour. */
  constructor(options: ForwarderOptions) {
    this.#options = options;
    this.#store = options.store;
    this.#clock = options.clock;
    this.#departures = new Departures({
      ...options,
      room: this.#room,
      onLeft: (id) => this.removeSoon(id), // if we die before it is committed, the neighbour is sent again what it knows
      onStayed: (entry) => {
        if (!this.#isClosed && this.#store.entry(entry.id)) this.offer(entry);
      },
      onRoom: (peer) => this.#pump(peer),
    });
  }

  /** What it did so far. */
  get counts(): ForwarderCounts {
    const { counts } = this.#departures;
    const forwarded = counts.forwarded + this.#handed;
    return { ...counts, forwarded, silent: this.#silent };
  }

  /** Node ids of the neighbours in contact. */
  get peers(): readonly string[] {
    return [...this.#peers.keys()];
  }

  /** Whether there is a contact with a neighbour. */
  hasPeer(id: string): boolean {
    return this.#peers.has(id);
  }

  /** Sends a neighbour a bundle of our router, which is in no store; `false` if there is no room for it, or nobody. */
  tell(to: string, id: string, bundle: Uint8Array): boolean {
    const peer = this.#peers.get(to);
    const neighbour = peer?.contacts.at(-1); // an older one may be dead
    if (!neighbour || !this.#room.has(neighbour, bundle.length)) return false;
    const telling = this.#tell(peer!, neighbour, id, bundle);
    this.#options.track(telling.then(() => {}));
    return true;
  }

  /** A contact has begun; says whether it is the first with that neighbour. */
  begin(neighbour: Neighbour): boolean {
    const { id } = neighbour;
    const peer = this.#peers.get(id) ?? new Peer(id, this.#clock);
    this.#peers.set(id, peer);
    return peer.begin(neighbour) === 1;
  }

  /** A contact has ended; says whether it was the last with that neighbour. */
  end(neighbour: Neighbour): boolean {
    const peer = this.#peers.get(neighbour.id);
    const left = peer?.end(neighbour);
    if (!peer || left === undefined) return false;
    if (neighbour.isSilent) this.#silent++;
    if (left > 0) {
      this.#pump(peer);
      return false;
    }
    this.#peers.delete(peer.id);
    this.#crowdedOut.delete(peer);
    this.#options.scheduler.removePeer(peer.id);
    return true;
  }

  /** Lets a bundle wait for the neighbours that are to have it; `place` is where it is, if that is known. */
  offer(entry: BundleEntry, copies?: number, place?: Place): void {
    const { id, destination } = entry;
    const { nodeId, router } = this.#options;
    const node = Eid.parse(destination).nodeId();
    if (node.equals(nodeId) || this.#departures.hasOnlyCopy(id)) return;
    const routed: RoutedBundle = {
      ...entry,
      destinationNode: `${node}`,
      ...copies !== undefined && { copies },
    };
    const peers = [...this.#peers.values()].filter((peer) =>
      !peer.isSent(id) && !peer.hasRefused(id)
    ).map((peer) => peer.id);
    // How many copies we may make is said but once, and for the router to keep.
    if (peers.length === 0 && copies === undefined) return;
    const now = this.#clock.wallTime();
    const { to, keeps } = router.route(routed, peers, now);
    for (const hop of to) {
      const isWaiting = this.#wait(entry, { hop, keeps }, place);
      if (!isWaiting) router.failed(routed, hop, now);
    }
    for (const { peer } of to) this.#pump(this.#peers.get(peer));
  }

  /** Takes to every neighbour what a scheduler, or a router, that waits for a better moment lets go now. */
  pump(): void {
    for (const peer of this.#peers.values()) this.#pump(peer);
    const now = this.#clock.wallTime();
    if (now >= this.#changesAtMs) this.scan();
    this.#changesAtMs = this.#options.router.changesAt?.(now) ?? Infinity;
  }

  /** Looks at every bundle again, or those from a place on, as there is somebody to give them to. */
  scan(from: Place = FIRST): void {
    if (!this.#scanFrom || isBefore(from, this.#scanFrom)) {
      this.#scanFrom = from;
    }
    if (!this.#isScanning) this.#options.track(this.#scanAll());
  }

  /** As {@link scan}, as somebody came or went: if many do, that takes a fifth of the time at most, or waits for a second. */
  scanSoon(): void {
    if (this.#isScanning) this.#isScanDue = true;
    else if (!this.#cancelScan && !this.#isClosed) {
      const waitMs = this.#scanAtMs - this.#clock.now();
      if (waitMs <= 0) this.scan();
      else {
        this.#cancelScan = this.#clock.setTimeout(() => {
          this.#cancelScan = undefined;
          this.scan();
        }, waitMs);
      }
    }
  }

  /** Removes a bundle, and lets it wait for nobody; says whether it was here. */
  remove(id: string): boolean {
    this.forget(id);
    return this.#store.delete(id);
  }

  /** As {@link remove}, but commits it with others. */
  removeSoon(id: string): void {
    this.forget(id);
    this.#options.track(this.#store.deleteSoon(id));
  }

  /** Lets a bundle that is gone wait for nobody. */
  forget(id: string): void {
    this.#options.scheduler.remove(id);
    this.#options.router.removed(id);
    this.#departures.forget(id);
    for (const peer of this.#peers.values()) peer.forget(id);
  }

  /** Sends nothing any more. */
  close(): void {
    this.#isClosed = true;
    this.#cancelRetry?.();
    this.#cancelScan?.();
    for (const peer of this.#peers.values()) peer.close();
  }

  /** Lets a bundle wait for one neighbour; `false` if there is no room. */
  #wait(entry: BundleEntry, hop: Hop, place?: Place): boolean {
    const { scheduler } = this.#options;
    const peer = this.#peers.get(hop.hop.peer);
    if (!peer) return false;
    if (!peer.waiting.has(entry.id)) {
      if (peer.waiting.size >= MAX_WAITING) {
        peer.leaveOut(place ?? this.#store.place(entry.id) ?? FIRST);
        return false;
      }
      if (!scheduler.add(entry, peer.id)) {
        this.#scanLater();
        return false;
      }
    }
    peer.waiting.set(entry.id, hop);
    const crowdedOut = this.#crowdedOut.get(peer);
    if (crowdedOut && entry.priority > crowdedOut.priority) {
      this.#crowdedOut.delete(peer); // it may be the next, and smaller
    }
    return true;
  }

  #pump(peer: Peer | undefined): void {
    const { scheduler } = this.#options;
    if (!peer || peer.isPumping || this.#isClosed) return;
    if (this.#isCrowdedOut(peer)) return;
    const { maxSending = MAX_SENDING } = this.#options;
    peer.isPumping = true;
    this.#crowdedOut.delete(peer);
    try {
      for (const neighbour of this.#inOrder(peer.contacts)) {
        while (neighbour.hasRoom(maxSending) && !peer.pause.isOn) {
          const next = scheduler.next(neighbour.cost, this.#clock.wallTime());
          if (!next || !this.#forward(peer, neighbour, next)) break;
        }
      }
    } finally {
      peer.isPumping = false; // also if the disk fails
    }
    if (peer.leftOut && peer.waiting.size < SCAN_AT_ONCE) {
      const from = peer.leftOut;
      peer.leftOut = undefined;
      this.scan(from);
    }
  }

  /** Contacts by what the scheduler gains over them, the newest first of those that are alike. */
  #inOrder(contacts: readonly Neighbour[]): readonly Neighbour[] {
    if (contacts.length < 2) return contacts;
    const nowMs = this.#clock.wallTime();
    const { scheduler } = this.#options;
    // Who gains nothing by a private contact leaves its room to what wants it.
    return contacts.toReversed().sort(byPrivacy)
      .map((each) => ({ each, gain: scheduler.gain(each.cost, nowMs) }))
      .sort((a, b) => a.gain === b.gain ? 0 : b.gain - a.gain)
      .map(({ each }) => each);
  }

  /** Begins to send a bundle; `false` if it waits again, as the contact that takes it has no room, or all contacts together have none. */
  #forward(
    peer: Peer,
    chosen: Neighbour,
    scheduled: ScheduledBundle,
  ): boolean {
    const { scheduler, track } = this.#options;
    const { id } = scheduled;
    const waiting = peer.waiting.get(id) ??
      { hop: { peer: peer.id }, keeps: true };
    peer.waiting.delete(id); // it is the scheduler's no more, also if the disk fails now
    const entry = this.#store.entry(id);
    const bundle = entry && this.#departures.stored(id);
    const size = scheduled.size + MAX_GROWTH_BYTES;
    const way = bundle && isStrictlyPrivate(bundle)
      ? peer.privateWayFor(size, chosen)
      : peer.wayFor(size, chosen);
    if (entry && way && !this.#hasRoom(peer, way, scheduled)) {
      scheduler.add(scheduled, peer.id);
      peer.waiting.set(id, waiting);
      return false;
    }
    if (!entry) return true;
    const departure = { entry, bundle, scheduled, ...waiting };
    if (way) track(this.#send(peer, way, departure));
    else this.#departures.withhold(peer, departure);
    return true;
  }

  /** Whether a bundle may leave by `way` now; if only other contacts stand against it, its neighbour is looked at again. */
  #hasRoom(peer: Peer, way: Neighbour, scheduled: ScheduledBundle): boolean {
    const { maxSending = MAX_SENDING } = this.#options;
    if (!way.hasRoom(maxSending)) return false;
    if (this.#room.has(way, scheduled.size + MAX_GROWTH_BYTES)) return true;
    this.#crowdedOut.set(peer, scheduled);
    return false;
  }

  /** Whether the bundle that found no room is still the next, and finds none. */
  #isCrowdedOut(peer: Peer): boolean {
    const next = this.#crowdedOut.get(peer);
    if (!next || !peer.waiting.has(next.id)) return false;
    const size = next.size + MAX_GROWTH_BYTES;
    return !peer.contacts.some((each) => this.#room.has(each, size));
  }

  async #send(peer: Peer, way: Neighbour, departure: Departure): Promise<void> {
    await this.#departures.send(peer, way, departure);
    this.#pumpAll(peer);
  }

  /** A neighbour has room, and so may those that were crowded out. */
  #pumpAll({ id }: Peer): void {
    this.#pump(this.#peers.get(id));
    for (const each of [...this.#crowdedOut.keys()]) this.#pump(each);
  }

  /**
   * Sends a bundle that is in no store to the neighbour that it is for, and says whether that has it then. It does not if others wait for
   * it, there is no room, or the contact costs something, or if the bundle is to be private or reported: the scheduler or the store are
   * for these.
   */
  async hand(entry: BundleEntry, bundle: Bundle): Promise<boolean> {
    const { allowsPlaintext, nodeId, maxSending = MAX_SENDING } = this.#options;
    const peer = this.#peers.get(`${bundle.primary.destination.nodeId()}`);
    const neighbour = peer?.contacts.at(-1);
    if (
      !neighbour || peer!.waiting.size > 0 || peer!.pause.isOn ||
      !neighbour.isFree || !neighbour.hasRoom(maxSending) || entry.isPrivate ||
      (bundle.primary.flags & REPORT_FLAGS) !== 0
    ) return false;
    if (!encryptionOf(bundle) && !allowsPlaintext?.(bundle, peer!.id)) {
      return false;
    }
    const bytes = encodeStored(departing(bundle, { nodeId, residenceMs: 0 }));
    if (
      bytes.length > neighbour.contact.maxBundleBytes ||
      !this.#room.has(neighbour, bytes.length)
    ) return false;
    const outcome = await this.#tell(peer!, neighbour, entry.id, bytes);
    if (outcome === "sent") this.#handed++;
    return outcome === "sent";
  }

  async #tell(
    peer: Peer,
    neighbour: Neighbour,
    id: string,
    bundle: Uint8Array,
  ): Promise<SentOutcome> {
    this.#room.take(bundle.length);
    neighbour.began(id, bundle.length);
    try {
      return await neighbour.send(bundle);
    } finally {
      neighbour.ended(id);
      this.#room.give(bundle.length);
      this.#pumpAll(peer);
    }
  }

  async #scanAll(): Promise<void> {
    this.#isScanning = true;
    const beganMs = this.#clock.now();
    try {
      while (this.#scanFrom && !this.#isClosed) {
        const from = this.#scanFrom;
        this.#scanFrom = undefined;
        await this.#scanOnce(from);
      }
    } catch (error) {
      this.#scanLater();
      throw error;
    } finally {
      this.#isScanning = false; // in the same turn: who comes in the next begins anew
      const nowMs = this.#clock.now();
      const pauseMs = SCAN_PAUSE * (nowMs - beganMs);
      this.#scanAtMs = nowMs + Math.min(pauseMs, MAX_SCAN_PAUSE_MS);
      const isDue = this.#isScanDue;
      this.#isScanDue = false;
      if (isDue) this.scanSoon();
    }
  }

  async #scanOnce(from: Place): Promise<void> {
    let count = 0;
    for (const { entry, place } of this.#store.placed(from)) {
      this.offer(entry, undefined, place);
      if ([...this.#peers.values()].every((each) => each.leftOut)) return;
      if (++count % SCAN_AT_ONCE > 0) continue;
      await delay(this.#clock, 0);
      if (this.#isClosed) return;
    }
  }

  #scanLater(): void {
    if (this.#isClosed) return;
    this.#cancelRetry ??= this.#clock.setTimeout(() => {
      this.#cancelRetry = undefined;
      this.scan();
    }, RETRY_MS);
  }
}

function byPrivacy(a: Neighbour, b: Neighbour): number {
  return Number(a.contact.isPrivate ?? false) -
    Number(b.contact.isPrivate ?? false);
}
