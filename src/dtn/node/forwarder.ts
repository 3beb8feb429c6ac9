import { type Clock, delay } from "../../core/async/mod.ts";
import type { Bundle } from "../bundle/bundle.ts";
import { Eid } from "../bundle/eid.ts";
import { encryptionOf } from "../guard/plaintext_guard.ts";
import type { NextHop, RoutedBundle, Router } from "../routing/router.ts";
import type { ScheduledBundle, Scheduler } from "../schedule/scheduler.ts";
import type { BundleEntry } from "../store/bundle_entry.ts";
import type { BundleStore } from "../store/bundle_store.ts";
import type { DtnNodeOptions } from "./dtn_node_options.ts";
import type { Neighbour, SentOutcome } from "./neighbour.ts";
import type { NodeDrop } from "./node_counts.ts";
import { departing } from "./outgoing_bundle.ts";

/** Parts of a {@link Forwarder}. */
export interface ForwarderOptions
  extends Pick<DtnNodeOptions, "nodeId" | "allowsPlaintext" | "maxSending"> {
  /** Where bundles are. */
  readonly store: BundleStore;
  /** Decides who gets them. */
  readonly router: Router;
  /** Decides which goes next. */
  readonly scheduler: Scheduler;
  /** Reads a stored bundle. */
  readonly decode: (bytes: Uint8Array) => Bundle;
  /** Hears of bundles that did not leave. */
  readonly onDrop: (reason: NodeDrop) => void;
  /** Looks after work that goes on by itself. */
  readonly track: (task: Promise<void>) => void;
  /** Time. */
  readonly clock: Clock;
}

/** What a {@link Forwarder} did so far. */
export interface ForwarderCounts {
  /** Bundles that neighbours have acknowledged, or were handed over. */
  forwarded: number;
  /** Bundles that neighbours have refused. */
  refused: number;
  /** Bundles whose outcome is unknown, as the contact ended. */
  unknown: number;
}

/** How a bundle goes to a neighbour. */
interface Hop {
  readonly hop: NextHop;
  readonly keeps: boolean;
}

const RETRY_MS = 1_000;
const MAX_SENDING = 64;
const SCAN_AT_ONCE = 256;

/** Takes stored bundles to neighbours, as router and scheduler say. */
export class Forwarder {
  /** What it did so far. */
  readonly counts: ForwarderCounts = { forwarded: 0, refused: 0, unknown: 0 };
  readonly #options: ForwarderOptions;
  readonly #store: BundleStore;
  readonly #clock: Clock;
  /** Contacts with each neighbour, the newest last. */
  readonly #contacts = new Map<string, Neighbour[]>();
  /** Of bundles that wait for neighbours, by both. */
  readonly #hops = new Map<string, Hop>();
  /** Bundles of which the only copy is under way. */
  readonly #leaving = new Set<string>();
  readonly #retries = new Set<() => void>();
  #isScanning = false;
  #scansAgain = false;
  #isCrowded = false;
  #isClosed = false;

  /** Starts without a neighbour. */
  constructor(options: ForwarderOptions) {
    this.#options = options;
    this.#store = options.store;
    this.#clock = options.clock;
  }

  /** Node ids of the neighbours in contact. */
  get peers(): readonly string[] {
    return [...this.#contacts.keys()];
  }

  /** The newest contact with a neighbour, as an older one may be dead. */
  neighbour(id: string): Neighbour | undefined {
    return this.#contacts.get(id)?.at(-1);
  }

  /** A contact has begun; says whether it is the first with that neighbour. */
  begin(neighbour: Neighbour): boolean {
    const others = this.#contacts.get(neighbour.id) ?? [];
    this.#contacts.set(neighbour.id, [...others, neighbour]);
    this.scan();
    return others.length === 0;
  }

  /** A contact has ended; says whether it was the last with that neighbour. */
  end(neighbour: Neighbour): boolean {
    const { id } = neighbour;
    const left = this.#contacts.get(id)?.filter((each) => each !== neighbour);
    if (left && left.length > 0) {
      this.#contacts.set(id, left);
      this.#pump(id);
      return false;
    }
    this.#contacts.delete(id);
    this.#options.scheduler.removePeer(id);
    return true;
  }

  /** Lets a bundle wait for the neighbours that are to have it. */
  offer(entry: BundleEntry, copies?: number): void {
    const { id, destination } = entry;
    const { nodeId, router, scheduler } = this.#options;
    const node = Eid.parse(destination).nodeId();
    if (node.equals(nodeId) || this.#leaving.has(id)) return;
    const routed: RoutedBundle = {
      ...entry,
      destinationNode: `${node}`,
      ...copies !== undefined && { copies },
    };
    const peers = [...this.#contacts].filter(([, contacts]) =>
      !contacts.some(({ sending, refused }) =>
        sending.has(id) || refused.has(id)
      )
    ).map(([peer]) => peer);
    if (peers.length === 0) return;
    const now = this.#clock.wallTime();
    const { to, keeps } = router.route(routed, peers, now);
    for (const hop of to) {
      const isAdded = scheduler.add(entry, hop.peer);
      if (!isAdded) {
        this.#isCrowded = true;
        return;
      }
      this.#hops.set(hopKey(hop.peer, id), { hop, keeps });
    }
    for (const { peer } of to) this.#pump(peer);
  }

  /** Looks at every bundle again, as there is somebody new to give it to. */
  scan(): void {
    this.#scansAgain = true;
    if (this.#isScanning || this.#isClosed) return;
    this.#isScanning = true;
    this.#options.track(
      this.#scanAll().finally(() => this.#isScanning = false),
    );
  }

  /** Removes a bundle, and lets it wait for nobody; says whether it was here. */
  remove(id: string): boolean {
    this.forget(id);
    return this.#store.delete(id);
  }

  /** Lets a bundle that is gone wait for nobody. */
  forget(id: string): void {
    this.#options.scheduler.remove(id);
    this.#options.router.removed(id);
    for (const { refused } of [...this.#contacts.values()].flat()) {
      refused.delete(id);
    }
  }

  /** Sends nothing any more. */
  close(): void {
    this.#isClosed = true;
    for (const cancel of this.#retries) cancel();
    this.#retries.clear();
  }

  #pump(peer: string): void {
    const { maxSending = MAX_SENDING } = this.#options;
    const neighbour = this.neighbour(peer);
    if (!neighbour) return;
    while (neighbour.sending.size < maxSending) {
      const next = this.#options.scheduler.next(
        neighbour.cost,
        this.#clock.wallTime(),
      );
      if (!next) break;
      this.#options.track(this.#forward(neighbour, next));
    }
    if (this.#isCrowded && this.#options.scheduler.size < SCAN_AT_ONCE) {
      this.#isCrowded = false;
      this.scan();
    }
  }

  async #forward(
    neighbour: Neighbour,
    scheduled: ScheduledBundle,
  ): Promise<void> {
    const { id } = scheduled;
    const key = hopKey(neighbour.id, id);
    const { hop, keeps } = this.#hops.get(key) ??
      { hop: { peer: neighbour.id }, keeps: true };
    this.#hops.delete(key);
    const entry = this.#store.entry(id);
    if (!entry) return;
    const bytes = this.#leaving.has(id)
      ? undefined
      : this.#outgoing(entry, hop);
    if (!bytes) return this.#failed(entry, hop);
    neighbour.sending.add(id);
    if (!keeps) this.#leaving.add(id);
    const outcome = await neighbour.send(bytes);
    neighbour.sending.delete(id);
    this.#leaving.delete(id);
    this.#sent(neighbour, { entry, scheduled, hop, keeps, outcome });
    this.#pump(neighbour.id);
  }

  #sent(
    neighbour: Neighbour,
    { entry, scheduled, hop, keeps, outcome }: {
      readonly entry: BundleEntry;
      readonly scheduled: ScheduledBundle;
      readonly hop: NextHop;
      readonly keeps: boolean;
      readonly outcome: SentOutcome;
    },
  ): void {
    const now = this.#clock.wallTime();
    if (outcome === "sent") {
      this.counts.forwarded++;
      this.#options.scheduler.sent(scheduled, neighbour.cost, now);
      this.#options.router.sent(routedOf(entry), hop, now);
      if (!keeps) this.remove(entry.id);
      return;
    }
    this.#failed(entry, hop);
    switch (outcome) {
      case "later":
        this.counts.refused++;
        return this.#scanLater();
      case "never":
        this.counts.refused++;
        neighbour.refused.add(entry.id);
        return this.scan();
      case "too_large":
        this.#options.onDrop("too_large_for_peer");
        neighbour.refused.add(entry.id);
        return this.scan();
      case "unknown":
        this.counts.unknown++;
        return this.#scanLater();
    }
  }

  #failed(entry: BundleEntry, hop: NextHop): void {
    const now = this.#clock.wallTime();
    this.#options.router.failed(routedOf(entry), hop, now);
  }

  /** The bytes of a bundle as they leave; `undefined` if it may not, or is gone. */
  #outgoing(entry: BundleEntry, hop: NextHop): Uint8Array | undefined {
    const stored = this.#store.bytes(entry.id);
    if (!stored) return undefined;
    const bundle = this.#options.decode(stored);
    const { allowsPlaintext } = this.#options;
    if (!encryptionOf(bundle) && !allowsPlaintext?.(bundle, hop.peer)) {
      this.#options.onDrop("plaintext");
      this.neighbour(hop.peer)?.refused.add(entry.id);
      return undefined;
    }
    const { copies } = hop;
    return departing(bundle, {
      nodeId: this.#options.nodeId,
      residenceMs: this.#clock.wallTime() - entry.receivedMs,
      ...copies !== undefined && { copies },
    });
  }

  async #scanAll(): Promise<void> {
    while (this.#scansAgain && !this.#isClosed) {
      this.#scansAgain = false;
      let count = 0;
      for (const entry of this.#store.entries()) {
        this.offer(entry);
        if (this.#isCrowded) break;
        if (++count % SCAN_AT_ONCE > 0) continue;
        await delay(this.#clock, 0);
        if (this.#isClosed) return;
      }
    }
  }

  #scanLater(): void {
    const cancel = this.#clock.setTimeout(() => {
      this.#retries.delete(cancel);
      this.scan();
    }, RETRY_MS);
    this.#retries.add(cancel);
  }
}

function hopKey(peer: string, id: string): string {
  return `${peer} ${id}`;
}

function routedOf(entry: BundleEntry): RoutedBundle {
  const destinationNode = `${Eid.parse(entry.destination).nodeId()}`;
  return { ...entry, destinationNode };
}
