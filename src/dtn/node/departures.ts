import type { Clock } from "../../core/async/mod.ts";
import type { Bundle } from "../bundle/bundle.ts";
import { Eid } from "../bundle/eid.ts";
import { BundleError } from "../bundle/error.ts";
import { encryptionOf } from "../guard/plaintext_guard.ts";
import {
  isStrictlyPrivate,
  withStrictPrivacy,
} from "../guard/privacy_guard.ts";
import type { NextHop, RoutedBundle, Router } from "../routing/router.ts";
import type { ScheduledBundle, Scheduler } from "../schedule/scheduler.ts";
import type { BundleEntry } from "../store/bundle_entry.ts";
import type { BundleStore } from "../store/bundle_store.ts";
import type { DtnNodeOptions } from "./dtn_node_options.ts";
import type { Neighbour, SentOutcome } from "./neighbour.ts";
import type { NodeDrop } from "./node_counts.ts";
import { departing } from "./outgoing_bundle.ts";
import { fragmentable, sendFragments } from "./outgoing_fragments.ts";
import type { Hop, Peer } from "./peer.ts";
import type { SendingRoom } from "./sending_room.ts";
import { TakenParts } from "./taken_parts.ts";
import { encodeStored } from "./stored_bundle.ts";

/** Parts of {@link Departures}. */
export interface DeparturesOptions extends
  Pick<
    DtnNodeOptions,
    "nodeId" | "allowsPlaintext" | "wantsPrivacy" | "fragments"
  > {
  /** Where bundles are. */
  readonly store: BundleStore;
  /** Decides who gets them. */
  readonly router: Router;
  /** Decides which goes next. */
  readonly scheduler: Scheduler;
  /** What is under way takes of it. */
  readonly room: SendingRoom;
  /** Reads a stored bundle. */
  readonly decode: (bytes: Uint8Array) => Bundle;
  /** Hears of bundles that did not leave. */
  readonly onDrop: (reason: NodeDrop) => void;
  /** Hears of bundles that a neighbour has taken, before they are deleted. */
  readonly onForwarded: (entry: BundleEntry) => void;
  /** Hears of bundles of which a neighbour has the only copy now. */
  readonly onLeft: (id: string) => void;
  /** Hears of bundles that are to go another way, or later. */
  readonly onStayed: (entry: BundleEntry) => void;
  /** Hears of neighbours that may have room again. */
  readonly onRoom: (peer: Peer) => void;
  /** Time. */
  readonly clock: Clock;
}

/** A bundle that leaves for a neighbour. */
export interface Departure extends Hop {
  /** What the store knows of it. */
  readonly entry: BundleEntry;
  /** As {@link Departures.stored} gave it. */
  readonly bundle: Bundle | undefined;
  /** As the scheduler gave it. */
  readonly scheduled: ScheduledBundle;
}

/** What {@link Departures} have come to so far. */
export interface DepartureCounts {
  /** Bundles that neighbours have acknowledged, or were handed over. */
  readonly forwarded: number;
  /** Bundles that neighbours have refused. */
  readonly refused: number;
  /** Fragments that neighbours have acknowledged, or were handed over. */
  readonly fragments: number;
  /** Bundles whose outcome is unknown, as the contact ended. */
  readonly unknown: number;
}

/** Sends bundles to neighbours, whole or in fragments, and settles what becomes of them. */
export class Departures {
  readonly #options: DeparturesOptions;
  readonly #counts = { forwarded: 0, refused: 0, fragments: 0, unknown: 0 };
  /** Bundles of which the only copy is under way. */
  readonly #leaving = new Set<string>();
  readonly #taken = new TakenParts();

  /** Starts with none. */
  constructor(options: DeparturesOptions) {
    this.#options = options;
  }

  /** What came of them. */
  get counts(): DepartureCounts {
    return this.#counts;
  }

  /** Whether the only copy of a bundle is under way. */
  hasOnlyCopy(id: string): boolean {
    return this.#leaving.has(id);
  }

  /** A bundle is gone. */
  forget(id: string): void {
    this.#taken.forget(id);
  }

  /**
   * A bundle of the store, `undefined` if it is gone or damaged; with the mark if it wants strict privacy, so that who gets it keeps to
   * that.
   */
  stored(id: string): Bundle | undefined {
    const { decode, store, wantsPrivacy } = this.#options;
    const bytes = store.bytes(id);
    if (!bytes) return undefined;
    try {
      const bundle = decode(bytes);
      return wantsPrivacy?.(bundle) ? withStrictPrivacy(bundle) : bundle;
    } catch (error) {
      if (!(error instanceof BundleError)) throw error;
      return undefined;
    }
  }

  /** A bundle that wants strict privacy waits until a private contact with `peer` begins; another neighbour may have one. */
  withhold(
    peer: Peer,
    { entry, hop }: Pick<Departure, "entry" | "hop">,
  ): void {
    this.#options.onDrop("not_private");
    peer.refuse(entry.id, "privacy");
    this.#failed(entry, hop);
    this.#options.onStayed(entry);
  }

  /** Sends a bundle over a contact with `peer`; it is under way when this returns, and settled when it resolves. */
  async send(
    peer: Peer,
    neighbour: Neighbour,
    departure: Departure,
  ): Promise<void> {
    const { entry, hop, keeps } = departure;
    const { id } = entry;
    const bundle = this.#leaving.has(id)
      ? undefined
      : this.#outgoing(peer, departure);
    if (!bundle) {
      this.#failed(entry, hop);
      // It may not go to this one; to another it may.
      if (peer.hasRefused(id)) this.#options.onStayed(entry);
      return;
    }
    const bytes = encodeStored(bundle);
    neighbour.began(id, bytes.length);
    this.#options.room.take(bytes.length);
    if (!keeps) this.#leaving.add(id);
    let outcome: SentOutcome = "unknown";
    try {
      outcome = bytes.length <= neighbour.contact.maxBundleBytes
        ? await neighbour.send(bytes)
        : await this.#sendInFragments(neighbour, { id, bundle });
    } finally {
      // A layer that fails as it must not holds no bundle for ever.
      neighbour.ended(id);
      this.#options.room.give(bytes.length);
      if (!keeps) this.#leaving.delete(id);
      this.#settle(peer, neighbour, departure, outcome);
    }
  }

  /** The whole stays in the store until the last fragment is acknowledged; of what is, only this process knows. */
  async #sendInFragments(
    neighbour: Neighbour,
    { id, bundle }: { readonly id: string; readonly bundle: Bundle },
  ): Promise<SentOutcome> {
    const maxBytes = neighbour.contact.maxBundleBytes;
    const { fragments = true } = this.#options;
    const whole = fragments && fragmentable(bundle, maxBytes);
    if (!whole) return "too_large";
    return await sendFragments(whole, {
      maxBytes,
      taken: this.#taken.of(id, neighbour.id),
      send: (bytes) => neighbour.send(bytes),
      onTaken: (taken) => {
        this.#counts.fragments++;
        this.#taken.set(id, neighbour.id, taken);
      },
    });
  }

  #settle(
    peer: Peer,
    neighbour: Neighbour,
    { entry, scheduled, hop, keeps }: Departure,
    outcome: SentOutcome,
  ): void {
    const { router, scheduler, clock, onDrop, onLeft } = this.#options;
    if (outcome === "sent") {
      const now = clock.wallTime();
      this.#counts.forwarded++;
      peer.pause.shorten();
      neighbour.pause.shorten();
      this.#taken.forget(entry.id, neighbour.id);
      scheduler.sent(scheduled, neighbour.cost, now);
      router.sent(routedOf(entry), hop, now);
      this.#options.onForwarded(entry);
      if (!keeps) onLeft(entry.id);
      return;
    }
    this.#failed(entry, hop, outcome === "unknown");
    if (outcome === "too_large") onDrop("too_large_for_peer");
    else if (outcome === "unknown") this.#counts.unknown++;
    else this.#counts.refused++;
    if (outcome === "too_large") peer.refuse(entry.id, "size");
    else if (outcome === "never") peer.refuse(entry.id, "bundle");
    else this.#pause(peer, neighbour, outcome);
    this.#options.onStayed(entry);
  }

  /** Sends nothing for a while to a neighbour without room, or over a contact that failed. */
  #pause(peer: Peer, neighbour: Neighbour, outcome: SentOutcome): void {
    if (!peer.contacts.includes(neighbour)) return;
    const { pause } = outcome === "later" ? peer : neighbour;
    pause.begin(() => this.#options.onRoom(peer));
  }

  #failed(entry: BundleEntry, hop: NextHop, mayHaveIt = false): void {
    const now = this.#options.clock.wallTime();
    this.#options.router.failed(routedOf(entry), hop, now, mayHaveIt);
  }

  /** A bundle as it leaves; `undefined` if it may not, or is gone. */
  #outgoing(
    peer: Peer,
    { bundle, entry, hop: { copies } }: Departure,
  ): Bundle | undefined {
    const { allowsPlaintext, clock, nodeId } = this.#options;
    if (!bundle) return undefined;
    if (!encryptionOf(bundle) && !allowsPlaintext?.(bundle, peer.id)) {
      this.#options.onDrop("plaintext");
      peer.refuse(entry.id, "bundle");
      return undefined;
    }
    return departing(bundle, {
      nodeId: isStrictlyPrivate(bundle) ? undefined : nodeId,
      residenceMs: clock.wallTime() - entry.receivedMs,
      ...copies !== undefined && { copies },
    });
  }
}

function routedOf(entry: BundleEntry): RoutedBundle {
  const destinationNode = `${Eid.parse(entry.destination).nodeId()}`;
  return { ...entry, destinationNode };
}
