import { systemClock } from "../../core/async/mod.ts";
import { silentLogger } from "../../core/log/mod.ts";
import type { Address } from "../../core/transport/mod.ts";
import type { Bundle } from "../bundle/bundle.ts";
import { BLOCK_TYPE } from "../bundle/canonical_block.ts";
import { createBundle } from "../bundle/create_bundle.ts";
import { CreationTimestamps } from "../bundle/dtn_time.ts";
import type { Eid } from "../bundle/eid.ts";
import { BundleError } from "../bundle/error.ts";
import { encodeHopCount } from "../bundle/extension_blocks.ts";
import type { CreationTimestamp } from "../bundle/primary_block.ts";
import { REPORT_REASON } from "../bundle/status_report.ts";
import type {
  ContactListener,
  ConvergenceLayer,
} from "../cla/convergence_layer.ts";
import { fifoScheduler } from "../schedule/ordered_scheduler.ts";
import type { BundleEntry, Priority } from "../store/bundle_entry.ts";
import { Answers } from "./answers.ts";
import { Applications } from "./applications.ts";
import { BundleSecurity } from "./bundle_security.ts";
import { Contacts } from "./contacts.ts";
import { Dispatcher } from "./dispatcher.ts";
import { withStrictPrivacy } from "../guard/privacy_guard.ts";
import type { DtnNodeOptions, SendBundleOptions } from "./dtn_node_options.ts";
import { DtnNodeError } from "./error.ts";
import { LocalReassembly } from "./local_reassembly.ts";
import { Forwarder } from "./forwarder.ts";
import type { SendingCost } from "./neighbour.ts";
import { isOurs, type NodeContext } from "./node_context.ts";
import { type NodeCounts, noOwnCounts } from "./node_counts.ts";
import { Reception } from "./reception.ts";
import type { Delivery, Registration } from "./registration.ts";
import { RouterTalk } from "./router_talk.ts";
import { StatusReports } from "./status_reports.ts";
import { decodeStored } from "./stored_bundle.ts";
import { Tasks } from "./tasks.ts";

const DAY_MS = 86_400_000;
const TICK_MS = 1_000;
const HOP_LIMIT = 32;

/**
 * A node of Bundle Protocol 7: stores bundles, forwards them to neighbours as its router and scheduler say, and gives them to
 * applications.
 *
 * ```text
 * Contacts ─▶ Reception ─▶ Dispatcher ─▶ LocalReassembly ─▶ Applications   what is for us
 *                │    send ──▶ │  └─────▶ Forwarder                           for others
 *                └▶ RouterTalk                                                for our router
 * ```
 *
 * A neighbour's bundle is acknowledged once it is in the store. It stays there until a neighbour has it that the router trusts with it
 * alone, an application has accepted it, or its lifetime is over.
 */
export class DtnNode implements AsyncDisposable {
  /** Our node id. */
  readonly nodeId: Eid;
  readonly #context: NodeContext;
  readonly #forwarder: Forwarder;
  readonly #reports: StatusReports;
  readonly #reassembly: LocalReassembly;
  readonly #applications: Applications;
  readonly #answers: Answers;
  readonly #dispatcher: Dispatcher;
  readonly #reception: Reception;
  readonly #contacts: Contacts;
  readonly #security: BundleSecurity;
  readonly #timestamps = new CreationTimestamps();
  #isClosed = false;
  #cancelTick: () => void = () => {};

  /** Starts at once, without a neighbour. */
  constructor(options: DtnNodeOptions) {
    const { nodeId, store, clock = systemClock, log = silentLogger } = options;
    this.nodeId = nodeId;
    const counts = noOwnCounts();
    const tasks = new Tasks(log);
    const context = { nodeId, options, store, counts, tasks, log, clock };
    const reports = new StatusReports(context, (report) => this.send(report));
    const forwarder = new Forwarder({
      ...options,
      scheduler: options.scheduler ?? fifoScheduler(),
      decode: decodeStored,
      onDrop: (reason) => counts.dropped[reason]++,
      onForwarded: ({ id }) =>
        reports.reportStored(id, "forwarded", REPORT_REASON.noInformation),
      track: (task) => tasks.track(task),
      clock,
    });
    const security = new BundleSecurity(context);
    const reassembly = new LocalReassembly(context, security, reports);
    const applications = new Applications(
      context,
      reassembly,
      forwarder,
      reports,
    );
    const answers: Answers = new Answers({
      ...{ applications, tasks, log },
      make: (answer) => this.#secured(this.#made(answer)),
      send: (bundle) => dispatcher.dispatch(bundle, {}),
    });
    const dispatcher = new Dispatcher(
      context,
      applications,
      answers,
      reassembly,
      forwarder,
    );
    const routerTalk = new RouterTalk(
      context,
      security,
      forwarder,
      () => this.nextTimestamp(),
    );
    const reception = new Reception(
      context,
      security,
      dispatcher,
      reports,
      routerTalk,
    );
    this.#context = context;
    this.#forwarder = forwarder;
    this.#reports = reports;
    this.#reassembly = reassembly;
    this.#applications = applications;
    this.#answers = answers;
    this.#dispatcher = dispatcher;
    this.#security = security;
    this.#reception = reception;
    this.#contacts = new Contacts(context, forwarder, reception, routerTalk);
    this.#tick();
  }

  /** What it did so far. */
  get counts(): NodeCounts {
    const { counts } = this.#context;
    return {
      ...counts,
      ...this.#forwarder.counts,
      dropped: { ...counts.dropped },
    };
  }

  /** Node ids of the neighbours in contact. */
  get neighbours(): readonly string[] {
    return this.#forwarder.peers;
  }

  /** Endpoints of this node in which applications are registered. */
  get endpoints(): readonly string[] {
    return this.#applications.endpoints;
  }

  /**
   * Sends a bundle; resolves with its name once it is stored.
   *
   * @throws {DtnNodeError} If it is not.
   * @throws {RangeError} If its source is neither null nor an endpoint of this node alone (RFC 9171 §5.2).
   */
  async send(options: SendBundleOptions): Promise<string> {
    return await this.insert(this.#made(options), options.priority);
  }

  /**
   * Takes a bundle that an application has made; resolves with its name once it is stored. One of this node, or of nobody, is signed and
   * encrypted as the security policy says; one of another is {@link receive received}.
   *
   * @throws {DtnNodeError} If it is not.
   * @throws {BundleError} If its extension blocks are malformed, it has neither a time nor an age, or is for `ipn:!`.
   */
  async insert(bundle: Bundle, priority?: Priority): Promise<string> {
    const { source, destination } = bundle.primary;
    if (!source.isNull && !isOurs(this.nodeId, source)) {
      return await this.receive(bundle, priority);
    }
    this.#assertOpen();
    if (destination.isLocal) {
      throw new BundleError("eid", `${destination} is at every node`);
    }
    const { id, outcome } = await this.#dispatcher.dispatch(
      this.#secured(bundle),
      { priority },
    );
    if (outcome === "stored") return id;
    throw new DtnNodeError(outcome, `The bundle was not stored: ${outcome}`);
  }

  /**
   * Takes a bundle of others that came without a contact, as in a folder, by the rules for those of neighbours (RFC 9171 §5.6): it is
   * checked, never signed as ours, its hops are counted on, and its blocks have their say. Resolves with its name once it is stored.
   *
   * @throws {DtnNodeError} If it is not.
   * @throws {BundleError} If it is malformed.
   */
  async receive(bundle: Bundle, priority?: Priority): Promise<string> {
    this.#assertOpen();
    return await this.#reception.takeCarried(bundle, priority);
  }

  /** A creation timestamp for a bundle of this node, given once (RFC 9171 §4.2.7). */
  nextTimestamp(): CreationTimestamp {
    return this.#timestamps.next(this.#context.clock.wallTime());
  }

  /** Removes a bundle, whoever waits for it; says whether it was here. */
  delete(id: string): boolean {
    const reason = REPORT_REASON.transmissionCanceled;
    this.#reports.reportStored(id, "deleted", reason);
    this.#reassembly.forget(id);
    return this.#forwarder.remove(id);
  }

  /** A bundle has given way to others in the store: what its `onEvicted` is to call. */
  evicted({ id }: BundleEntry): void {
    this.#context.counts.dropped.evicted++;
    const reason = REPORT_REASON.depletedStorage;
    // Of the lowest class: a report of what gave way makes nothing else give way.
    this.#reports.reportStored(id, "deleted", reason, 0);
    this.#forget(id);
  }

  /**
   * Registers an application in an endpoint of this node.
   *
   * @throws {DtnNodeError} `registered` if another is.
   * @throws {RangeError} If the endpoint is another node's.
   */
  register(endpoint: Eid): Registration {
    return this.#applications.register(endpoint);
  }

  /**
   * Registers a function that answers every bundle for an endpoint of this node, as {@link register} does an application. One for which it
   * gives nothing, or throws, is taken without an answer.
   *
   * An answer to a neighbour leaves while its request is being stored. It is stored itself if the neighbour does not have it then, or is
   * none; the request stays until one of both. After a crash between the two it is answered again.
   *
   * @throws {DtnNodeError} `registered` if there is somebody in the endpoint.
   * @throws {RangeError} If the endpoint is another node's.
   */
  answer(
    endpoint: Eid,
    answer: (request: Bundle) => SendBundleOptions | undefined,
  ): Disposable {
    return this.#answers.register(endpoint, answer);
  }

  /** The first bundle that waits for an endpoint of this node, whether somebody is registered in it or not. */
  next(endpoint: Eid): Delivery | undefined {
    return this.#applications.next(endpoint);
  }

  /** Takes contacts of `listener`, which it closes at its own end; sending over them costs `cost`. */
  serve(listener: ContactListener, cost?: SendingCost): void {
    this.#contacts.serve(listener, cost);
  }

  /**
   * Keeps a contact with the node at `address`, dialed again after random pauses whenever it ends.
   *
   * @param nodeId Its node id, where the layer does not say it.
   * @param cost What sending to it this way costs.
   */
  connect(
    layer: ConvergenceLayer,
    address: Address,
    nodeId?: Eid,
    cost?: SendingCost,
  ): void {
    this.#contacts.connect(layer, address, nodeId, cost);
  }

  /** Ends every contact and registration; the store stays open. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#cancelTick();
    this.#forwarder.close();
    this.#applications[Symbol.dispose]();
    this.#contacts.close();
    await this.#context.tasks.settled();
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new DtnNodeError("closed", "The node is closed");
  }

  #made(options: SendBundleOptions): Bundle {
    const { destination, payload, flags = 0, reportTo } = options;
    const { source = this.nodeId } = options;
    if (
      !source.isNull && !(source.isSingleton && isOurs(this.nodeId, source))
    ) {
      throw new RangeError(`${source} is no endpoint of ${this.nodeId} alone`);
    }
    const { hopLimit = HOP_LIMIT } = this.#context.options;
    this.#context.counts.created++;
    const bundle = createBundle({
      source,
      creation: this.nextTimestamp(),
      lifetimeMs: options.lifetimeMs ?? DAY_MS,
      extensions: [{
        type: BLOCK_TYPE.hopCount,
        data: encodeHopCount({ limit: hopLimit, count: 0 }),
      }],
      ...{ destination, payload, flags, ...reportTo && { reportTo } },
    });
    return options.isStrictlyPrivate ? withStrictPrivacy(bundle) : bundle;
  }

  /** What was made here, as the security policy wants it. */
  #secured(bundle: Bundle): Bundle {
    const made = this.#security.protect(bundle);
    if (!isOurs(this.nodeId, bundle.primary.destination)) return made;
    const checked = this.#security.check(made);
    if ("bundle" in checked) return checked.bundle;
    throw new DtnNodeError(
      "security",
      "The security policy refuses the bundle",
    );
  }

  #forget(id: string): void {
    this.#reassembly.forget(id);
    this.#forwarder.forget(id);
  }

  #tick(): void {
    const { store, counts, log, clock } = this.#context;
    let isMore = false;
    try {
      const gone = store.sweep(clock.wallTime(), ({ id }) => {
        const reason = REPORT_REASON.lifetimeExpired;
        this.#reports.reportStored(id, "deleted", reason);
      });
      for (const { id } of gone) {
        counts.dropped.expired++;
        this.#forget(id);
      }
      isMore = gone.length > 0;
      this.#forwarder.pump();
    } catch (error) {
      log.error("dtn.failed", { error });
    }
    this.#cancelTick = clock.setTimeout(
      () => this.#tick(),
      isMore ? 0 : TICK_MS,
    );
  }
}
