import { Backoff, type Clock, systemClock } from "../../core/async/mod.ts";
import { DecodeError } from "../../core/bytes/mod.ts";
import { type Logger, silentLogger } from "../../core/log/mod.ts";
import type { Address } from "../../core/transport/mod.ts";
import { applyBlockFlags } from "../bundle/apply_block_flags.ts";
import {
  type Bundle,
  decodeBundle,
  encodeBundle,
  payloadOf,
} from "../bundle/bundle.ts";
import { BUNDLE_FLAG } from "../bundle/bundle_flags.ts";
import { bundleId } from "../bundle/bundle_id.ts";
import { BLOCK_TYPE } from "../bundle/canonical_block.ts";
import { createBundle } from "../bundle/create_bundle.ts";
import { CreationTimestamps, dtnTime } from "../bundle/dtn_time.ts";
import type { CreationTimestamp } from "../bundle/primary_block.ts";
import { Eid } from "../bundle/eid.ts";
import { BundleError } from "../bundle/error.ts";
import { type BundleOptions, QUIRKS } from "../bundle/quirk.ts";
import { encodeHopCount } from "../bundle/extension_blocks.ts";
import { remainingLifetimeMs } from "../bundle/lifetime.ts";
import {
  encodeStatusReport,
  REPORT_REASON,
  type Status,
  statusReportOn,
} from "../bundle/status_report.ts";
import type {
  Contact,
  ContactListener,
  ConvergenceLayer,
  ReceivedBundle,
} from "../cla/convergence_layer.ts";
import { fifoScheduler } from "../schedule/ordered_scheduler.ts";
import type { BundleEntry } from "../store/bundle_entry.ts";
import type { BundleStore, PutOutcome } from "../store/bundle_store.ts";
import type { DtnNodeOptions, SendBundleOptions } from "./dtn_node_options.ts";
import { DtnNodeError } from "./error.ts";
import { Forwarder } from "./forwarder.ts";
import { Neighbour } from "./neighbour.ts";
import { NODE_DROPS, type NodeCounts, type NodeDrop } from "./node_counts.ts";
import { COPIES_BLOCK_TYPE, copiesOf, withNextHop } from "./outgoing_bundle.ts";
import { type Delivery, Registration } from "./registration.ts";

const DAY_MS = 86_400_000;
const TICK_MS = 1_000;
const HOP_LIMIT = 32;
const RECONNECT = { minMs: 250, maxMs: 30_000 };
const FREE = {
  bytesPerSecond: 1e6,
  latencyMs: 1,
  energyPerByte: 0,
  moneyPerByte: 0,
  exposure: 0,
  reliability: 1,
};
const PROCESSED: ReadonlySet<number> = new Set([
  ...Object.values(BLOCK_TYPE),
  COPIES_BLOCK_TYPE,
]);
const ROUTING_LIFETIME_MS = 60_000;

/** Where the routers of neighbours speak with each other. */
function routingEndpoint(nodeId: Eid, router: string): Eid {
  return nodeId.scheme === "ipn"
    ? Eid.ipn(nodeId.allocator, nodeId.nodeNumber, 64_999)
    : Eid.parse(`${nodeId}routing/${router}`);
}

/**
 * A node of Bundle Protocol 7: stores bundles, forwards them to neighbours as its router and scheduler say, and gives them to
 * applications.
 *
 * A neighbour's bundle is acknowledged once it is in the store. It stays there until a neighbour has it that the router trusts with it
 * alone, an application has accepted it, or its lifetime is over.
 */
export class DtnNode implements AsyncDisposable {
  /** Our node id. */
  readonly nodeId: Eid;
  readonly #options: DtnNodeOptions;
  readonly #store: BundleStore;
  readonly #forwarder: Forwarder;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #timestamps = new CreationTimestamps();
  readonly #contacts = new Set<Contact>();
  readonly #registrations = new Map<string, Registration>();
  readonly #tasks = new Set<Promise<void>>();
  readonly #over = new AbortController();
  readonly #dropped = Object.fromEntries(
    NODE_DROPS.map((reason) => [reason, 0]),
  ) as Record<NodeDrop, number>;
  readonly #counts = {
    created: 0,
    received: 0,
    stored: 0,
    delivered: 0,
    contacts: 0,
    failedDials: 0,
  };
  readonly #decodeOptions: BundleOptions;
  #cancelTick: () => void = () => {};

  /** Starts at once, without a neighbour. */
  constructor(options: DtnNodeOptions) {
    this.nodeId = options.nodeId;
    this.#options = options;
    this.#store = options.store;
    this.#clock = options.clock ?? systemClock;
    this.#log = options.log ?? silentLogger;
    const { quirks } = options;
    this.#decodeOptions = quirks ? { quirks } : {};
    this.#forwarder = new Forwarder({
      ...options,
      scheduler: options.scheduler ?? fifoScheduler(),
      decode: decodeStored,
      onDrop: (reason) => this.#dropped[reason]++,
      track: (task) => this.#track(task),
      clock: this.#clock,
    });
    this.#tick();
  }

  /** What it did so far. */
  get counts(): NodeCounts {
    return {
      ...this.#counts,
      ...this.#forwarder.counts,
      dropped: { ...this.#dropped },
    };
  }

  /** Node ids of the neighbours in contact. */
  get neighbours(): readonly string[] {
    return this.#forwarder.peers;
  }

  /**
   * Sends a bundle; resolves with its name once it is stored.
   *
   * @throws {DtnNodeError} If it is not.
   */
  async send(options: SendBundleOptions): Promise<string> {
    const { destination, payload, flags = 0, reportTo } = options;
    const { hopLimit = HOP_LIMIT } = this.#options;
    const bundle = createBundle({
      source: options.source ?? this.nodeId,
      creation: this.nextTimestamp(),
      lifetimeMs: options.lifetimeMs ?? DAY_MS,
      extensions: [{
        type: BLOCK_TYPE.hopCount,
        data: encodeHopCount({ limit: hopLimit, count: 0 }),
      }],
      ...{ destination, payload, flags, ...reportTo && { reportTo } },
    });
    this.#counts.created++;
    return await this.insert(bundle, options.priority);
  }

  /**
   * Takes a bundle that an application has made; resolves with its name once it is stored.
   *
   * @throws {DtnNodeError} If it is not.
   */
  async insert(
    bundle: Bundle,
    priority: BundleEntry["priority"] = this.#priorityOf(bundle),
  ): Promise<string> {
    if (this.#over.signal.aborted) {
      throw new DtnNodeError("closed", "The node is closed");
    }
    const bytes = encodeBundle(bundle);
    const entry = {
      ...this.#entryOf(bundle, bytes.length, undefined),
      priority,
    };
    const outcome = await this.#put(entry, bytes, bundle);
    if (outcome === "stored") return entry.id;
    throw new DtnNodeError(outcome, `The bundle was not stored: ${outcome}`);
  }

  /** A creation timestamp for a bundle of this node, given once (RFC 9171 §4.2.7). */
  nextTimestamp(): CreationTimestamp {
    return this.#timestamps.next(this.#clock.wallTime());
  }

  /** Removes a bundle, whoever waits for it; says whether it was here. */
  delete(id: string): boolean {
    return this.#forwarder.remove(id);
  }

  /** A bundle has given way to others in the store: what its `onEvicted` is to call. */
  evicted({ id }: BundleEntry): void {
    this.#dropped.evicted++;
    this.#forwarder.forget(id);
  }

  /**
   * Registers an application in an endpoint of this node.
   *
   * @throws {DtnNodeError} `registered` if another is.
   * @throws {RangeError} If the endpoint is another node's.
   */
  register(endpoint: Eid): Registration {
    if (!this.#isOurs(endpoint)) {
      throw new RangeError(`${endpoint} is no endpoint of ${this.nodeId}`);
    }
    const key = `${endpoint}`;
    if (this.#registrations.has(key)) {
      throw new DtnNodeError("registered", `${endpoint} is taken`);
    }
    const store = this.#store;
    const registration = new Registration({
      *waiting() {
        for (const { id } of store.entries(key)) yield id;
      },
      delivery: (id) => this.#delivery(id),
    }, () => this.#registrations.delete(key));
    this.#registrations.set(key, registration);
    return registration;
  }

  /** The first bundle that waits for an endpoint of this node, whether somebody is registered in it or not. */
  next(endpoint: Eid): Delivery | undefined {
    for (const { id } of this.#store.entries(`${endpoint}`)) {
      const delivery = this.#delivery(id);
      if (delivery) return delivery;
    }
  }

  /** Takes contacts of `listener`, which it closes at its own end. */
  serve(listener: ContactListener): void {
    this.#over.signal.addEventListener("abort", () => listener.close());
    this.#track((async () => {
      for await (const contact of listener) {
        this.#track(this.#use(contact, undefined));
      }
    })());
  }

  /**
   * Keeps a contact with the node at `address`, dialed again after random pauses whenever it ends.
   *
   * @param nodeId Its node id, where the layer does not say it.
   */
  connect(layer: ConvergenceLayer, address: Address, nodeId?: Eid): void {
    this.#track(this.#keep(layer, address, nodeId && `${nodeId}`));
  }

  /** Ends every contact and registration; the store stays open. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort();
    this.#cancelTick();
    this.#forwarder.close();
    for (const each of [...this.#registrations.values()]) {
      each[Symbol.dispose]();
    }
    for (const contact of this.#contacts) contact.close();
    while (this.#tasks.size > 0) await Promise.all(this.#tasks);
  }

  async #keep(
    layer: ConvergenceLayer,
    address: Address,
    nodeId: string | undefined,
  ): Promise<void> {
    const { signal } = this.#over;
    const { random } = this.#options;
    const backoff = new Backoff({ ...RECONNECT, random, clock: this.#clock });
    while (!signal.aborted) {
      try {
        const contact = await layer.dial(address, { signal });
        backoff.reset();
        await this.#use(contact, nodeId);
      } catch (error) {
        if (signal.aborted) return;
        this.#counts.failedDials++;
        this.#log.debug("dtn.unreachable", { address, error });
      }
      await backoff.wait({ signal }).catch(() => {});
    }
  }

  /** Sends to and receives from a neighbour until the contact is over. */
  async #use(contact: Contact, nodeId: string | undefined): Promise<void> {
    if (this.#over.signal.aborted) return contact.close();
    this.#contacts.add(contact);
    this.#counts.contacts++;
    const id = contact.peerNodeId ?? nodeId;
    const neighbour = id === undefined
      ? undefined
      : new Neighbour(id, contact, this.#options.cost ?? FREE);
    const { router } = this.#options;
    if (neighbour && this.#forwarder.begin(neighbour)) {
      this.#tell(router.contactBegan(neighbour.id, this.#clock.wallTime()));
    }
    this.#forwarder.scan();
    try {
      for await (const received of contact.received) {
        this.#counts.received++;
        this.#track(this.#take(received, id));
      }
      await contact.closed;
    } finally {
      this.#contacts.delete(contact);
      if (neighbour && this.#forwarder.end(neighbour)) {
        router.contactEnded(neighbour.id, this.#clock.wallTime());
        this.#forwarder.scan();
      }
    }
  }

  async #take(
    received: ReceivedBundle,
    from: string | undefined,
  ): Promise<void> {
    let bundle: Bundle | undefined;
    try {
      bundle = this.#processed(this.#decode(received.bytes));
    } catch (error) {
      if (!(error instanceof BundleError)) throw error;
      this.#dropped.malformed++;
      return received.refuse("notAcceptable");
    }
    if (!bundle) return received.accept();
    if (this.#isForRouter(bundle)) {
      received.accept();
      return this.#hear(bundle, from);
    }
    // What was counted on is in the bytes that are stored.
    const bytes = encodeBundle(bundle);
    const entry = this.#entryOf(bundle, bytes.length, from);
    const outcome = await this.#put(entry, bytes, bundle);
    if (outcome === "stored") {
      received.accept();
      return this.#report(bundle, "received", REPORT_REASON.noInformation);
    }
    if (outcome === "known" || outcome === "expired") return received.accept();
    received.refuse(outcome === "too_large" ? "notAcceptable" : "noResources");
  }

  /** `bundle` as we keep it; `undefined` if it ends here (RFC 9171 §5.6). */
  #processed(bundle: Bundle): Bundle | undefined {
    const { bundle: kept, report } = applyBlockFlags(
      bundle,
      ({ type }) => PROCESSED.has(type),
    );
    if (report) {
      this.#report(bundle, "received", REPORT_REASON.blockUnsupported);
    }
    if (!kept) {
      this.#dropped.unprocessable++;
      this.#report(bundle, "deleted", REPORT_REASON.blockUnsupported);
      return undefined;
    }
    const next = this.#isOurs(kept.primary.destination)
      ? kept
      : withNextHop(kept);
    if (next) return next;
    this.#dropped.hop_limit++;
    this.#report(bundle, "deleted", REPORT_REASON.hopLimitExceeded);
  }

  async #put(
    entry: BundleEntry,
    bytes: Uint8Array,
    bundle: Bundle,
  ): Promise<PutOutcome> {
    const outcome = await this.#store.put(entry, bytes);
    if (outcome !== "stored") {
      const reason = outcome === "priority_full" ? "full" : outcome;
      this.#dropped[reason]++;
      return outcome;
    }
    this.#counts.stored++;
    const registration = this.#registrations.get(entry.destination);
    if (registration) registration.wake();
    else this.#forwarder.offer(entry, copiesOf(bundle));
    return outcome;
  }

  #entryOf(
    bundle: Bundle,
    size: number,
    from: string | undefined,
  ): BundleEntry {
    const nowMs = this.#clock.wallTime();
    const { source, destination } = bundle.primary;
    const leftMs = remainingLifetimeMs(bundle, {
      dtnTimeMs: dtnTime(nowMs),
      residenceMs: 0,
    });
    return {
      id: bundleId(bundle),
      source: `${source}`,
      destination: `${destination}`,
      priority: this.#priorityOf(bundle),
      expiresMs: Math.max(0, Math.min(nowMs + leftMs, MAX_TIME_MS)),
      receivedMs: nowMs,
      size,
      ...from !== undefined && { from },
    };
  }

  #delivery(id: string): Delivery | undefined {
    const bytes = this.#store.bytes(id);
    if (!bytes) return undefined;
    let bundle: Bundle;
    try {
      bundle = decodeStored(bytes);
    } catch (error) {
      if (!(error instanceof BundleError)) throw error;
      // Damage of the disk must not stand in the way of the bundles behind it.
      this.#dropped.malformed++;
      this.#forwarder.remove(id);
      return undefined;
    }
    const accept = () => {
      if (!this.#forwarder.remove(id)) return;
      this.#counts.delivered++;
      this.#report(bundle, "delivered", REPORT_REASON.noInformation);
    };
    return { id, bundle, accept };
  }

  #tick(): void {
    let isMore = false;
    try {
      const gone = this.#store.sweep(this.#clock.wallTime());
      for (const { id } of gone) {
        this.#dropped.expired++;
        this.#forwarder.forget(id);
      }
      isMore = gone.length > 0;
      this.#forwarder.pump();
    } catch (error) {
      this.#log.error("dtn.failed", { error });
    }
    this.#cancelTick = this.#clock.setTimeout(
      () => this.#tick(),
      isMore ? 0 : TICK_MS,
    );
  }

  /** Sends what routers say to each other: it is neither stored nor sent again. */
  #tell(
    messages: readonly { readonly to: string; readonly bytes: Uint8Array }[],
  ): void {
    const { router } = this.#options;
    for (const { to, bytes } of messages) {
      const neighbour = this.#forwarder.neighbour(to);
      if (!neighbour) continue;
      const bundle = createBundle({
        source: this.nodeId,
        destination: routingEndpoint(Eid.parse(to), router.name),
        creation: this.nextTimestamp(),
        lifetimeMs: ROUTING_LIFETIME_MS,
        payload: bytes,
      });
      this.#counts.created++;
      this.#track(neighbour.send(encodeBundle(bundle)).then(() => {}));
    }
  }

  #isForRouter({ primary }: Bundle): boolean {
    const { router } = this.#options;
    return primary.destination.equals(
      routingEndpoint(this.nodeId, router.name),
    );
  }

  #hear(bundle: Bundle, from: string | undefined): void {
    const { router } = this.#options;
    if (from === undefined || `${bundle.primary.source}` !== from) {
      this.#dropped.routing++;
      return;
    }
    try {
      const now = this.#clock.wallTime();
      this.#tell(router.received(from, payloadOf(bundle), now));
      this.#forwarder.scan();
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#dropped.routing++;
    }
  }

  #report(bundle: Bundle, status: Status, reason: number): void {
    const { flags, reportTo } = bundle.primary;
    const isWanted = (flags & REPORT_FLAG[status]) !== 0 &&
      (flags & BUNDLE_FLAG.adminRecord) === 0 && !reportTo.isNull;
    if (!this.#options.reports || !isWanted) return;
    const nowMs = this.#clock.wallTime();
    const time = (flags & BUNDLE_FLAG.reportTime) !== 0 ? dtnTime(nowMs) : true;
    const report = statusReportOn(bundle, { [status]: time }, reason);
    const sending = this.send({
      destination: reportTo,
      payload: encodeStatusReport(report),
      flags: BUNDLE_FLAG.adminRecord,
      priority: 2,
    });
    this.#track(
      sending.then(() => {}, (error) => {
        if (!(error instanceof DtnNodeError)) throw error;
        this.#log.debug("dtn.no_report", { code: error.code });
      }),
    );
  }

  #priorityOf(bundle: Bundle): BundleEntry["priority"] {
    const { priorityOf } = this.#options;
    if (priorityOf) return priorityOf(bundle);
    return (bundle.primary.flags & BUNDLE_FLAG.adminRecord) === 0 ? 1 : 2;
  }

  #decode(bytes: Uint8Array): Bundle {
    return decodeBundle(bytes, this.#decodeOptions);
  }

  #isOurs(endpoint: Eid): boolean {
    return endpoint.nodeId().equals(this.nodeId);
  }

  #track(task: Promise<void>): void {
    const tracked = task.catch((error) => {
      this.#log.error("dtn.failed", { error });
    }).finally(() => this.#tasks.delete(tracked));
    this.#tasks.add(tracked);
  }
}

const MAX_TIME_MS = 2 ** 48 - 1;

/** What was taken once is read, even if the node has become stricter since. */
function decodeStored(bytes: Uint8Array): Bundle {
  return decodeBundle(bytes, { quirks: QUIRKS });
}

const REPORT_FLAG: Readonly<Record<Status, number>> = {
  received: BUNDLE_FLAG.reportReception,
  forwarded: BUNDLE_FLAG.reportForwarding,
  delivered: BUNDLE_FLAG.reportDelivery,
  deleted: BUNDLE_FLAG.reportDeletion,
};
