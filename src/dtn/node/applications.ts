import type { Bundle } from "../bundle/bundle.ts";
import type { Eid } from "../bundle/eid.ts";
import { BundleError } from "../bundle/error.ts";
import { REPORT_REASON } from "../bundle/status_report.ts";
import { wholeIdOf } from "../bundle/bundle_id.ts";
import type { BundleEntry } from "../store/bundle_entry.ts";
import { DtnNodeError } from "./error.ts";
import type { Forwarder } from "./forwarder.ts";
import type { LocalReassembly } from "./local_reassembly.ts";
import { isOurs, type NodeContext } from "./node_context.ts";
import { type Delivery, Registration } from "./registration.ts";
import type { StatusReports } from "./status_reports.ts";
import { decodeStored } from "./stored_bundle.ts";

/** Gives bundles of this node's endpoints to the applications in them (RFC 9171 §5.7). */
export class Applications implements Disposable {
  readonly #context: NodeContext;
  readonly #reassembly: LocalReassembly;
  readonly #forwarder: Forwarder;
  readonly #reports: StatusReports;
  readonly #registrations = new Map<string, Registration>();
  /** Bundles that something else takes care of. */
  readonly #withheld = new Set<string>();

  /** Starts without an application. */
  constructor(
    context: NodeContext,
    reassembly: LocalReassembly,
    forwarder: Forwarder,
    reports: StatusReports,
  ) {
    this.#context = context;
    this.#reassembly = reassembly;
    this.#forwarder = forwarder;
    this.#reports = reports;
  }

  /** Endpoints that have an application. */
  get endpoints(): readonly string[] {
    return [...this.#registrations.keys()];
  }

  /**
   * Registers an application.
   *
   * @throws {DtnNodeError} `registered` if another is.
   * @throws {RangeError} If the endpoint is another node's.
   */
  register(endpoint: Eid): Registration {
    const { nodeId } = this.#context;
    if (!isOurs(nodeId, endpoint)) {
      throw new RangeError(`${endpoint} is no endpoint of ${nodeId}`);
    }
    const key = `${endpoint}`;
    if (this.#registrations.has(key)) {
      throw new DtnNodeError("registered", `${endpoint} is taken`);
    }
    const registration = new Registration({
      waiting: () => this.#waiting(key),
      delivery: (id) => this.#delivery(id),
    }, () => this.#registrations.delete(key));
    this.#registrations.set(key, registration);
    return registration;
  }

  /** The first bundle that waits for an endpoint. */
  next(endpoint: Eid): Delivery | undefined {
    for (const id of this.#waiting(`${endpoint}`)) {
      const delivery = this.#delivery(id);
      if (delivery) return delivery;
    }
  }

  /** Gives a bundle to nobody until it is {@link release released}; `false` if it is so already. */
  withhold(id: string): boolean {
    if (this.#withheld.has(id)) return false;
    this.#withheld.add(id);
    return true;
  }

  /** Gives a bundle that was withheld to who wants it. */
  release({ id, destination }: BundleEntry): void {
    this.#withheld.delete(id);
    this.wake(destination);
  }

  /** A bundle that was withheld has been delivered; a crash in the next moments forgets that. */
  delivered({ id }: BundleEntry, bundle: Bundle): void {
    this.#forwarder.removeSoon(id);
    this.#withheld.delete(id);
    this.#countDelivered(bundle);
  }

  /** Says that there is a new bundle for an endpoint. */
  wake(endpoint: string): void {
    this.#registrations.get(endpoint)?.wake();
  }

  /** Ends every registration. */
  [Symbol.dispose](): void {
    for (const each of [...this.#registrations.values()]) {
      each[Symbol.dispose]();
    }
  }

  /** Names of the bundles for an endpoint; fragments wait until they are whole. */
  *#waiting(endpoint: string): Iterable<string> {
    const { store, tasks } = this.#context;
    let isResuming = false;
    for (const { id, source } of store.entries(endpoint)) {
      if (this.#withheld.has(id)) continue;
      if (wholeIdOf(id, source) === undefined) yield id;
      else if (!isResuming) {
        isResuming = true;
        tasks.track(this.#resume(endpoint));
      }
    }
  }

  async #resume(endpoint: string): Promise<void> {
    if (await this.#reassembly.resume(endpoint)) this.wake(endpoint);
  }

  #delivery(id: string): Delivery | undefined {
    const { store, counts } = this.#context;
    const bytes = store.bytes(id);
    if (!bytes) return undefined;
    let bundle: Bundle;
    try {
      bundle = decodeStored(bytes);
    } catch (error) {
      if (!(error instanceof BundleError)) throw error;
      // Damage of the disk must not stand in the way of the bundles behind it.
      counts.dropped.malformed++;
      this.#forwarder.remove(id);
      return undefined;
    }
    const accept = () => {
      if (this.#forwarder.remove(id)) this.#countDelivered(bundle);
    };
    return { id, bundle, accept };
  }

  #countDelivered(bundle: Bundle): void {
    this.#context.counts.delivered++;
    this.#reports.report(bundle, "delivered", REPORT_REASON.noInformation);
  }
}
