import { BpsecError } from "../bpsec/error.ts";
import { withoutBlocks } from "../bpsec/without_blocks.ts";
import { applyBlockFlags } from "../bundle/apply_block_flags.ts";
import { type Bundle, decodeBundle } from "../bundle/bundle.ts";
import { bundleId } from "../bundle/bundle_id.ts";
import { BLOCK_TYPE } from "../bundle/canonical_block.ts";
import { BundleError } from "../bundle/error.ts";
import { receptionFaults } from "../bundle/reception_rules.ts";
import { REPORT_REASON } from "../bundle/status_report.ts";
import type { ReceivedBundle } from "../cla/convergence_layer.ts";
import type { Priority } from "../store/bundle_entry.ts";
import type { PutOutcome } from "../store/bundle_store.ts";
import type { BundleSecurity, Processed } from "./bundle_security.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { DtnNodeError } from "./error.ts";
import { isOurs, type NodeContext } from "./node_context.ts";
import { COPIES_BLOCK_TYPE, withNextHop } from "./outgoing_bundle.ts";
import { PRIVACY_BLOCK_TYPE } from "../guard/privacy_guard.ts";
import type { RouterTalk } from "./router_talk.ts";
import type { StatusReports } from "./status_reports.ts";

const PROCESSED: ReadonlySet<number> = new Set([
  ...Object.values(BLOCK_TYPE),
  COPIES_BLOCK_TYPE,
  PRIVACY_BLOCK_TYPE,
]);

const ENDS_UNPROCESSED: ReadonlySet<number> = new Set([
  REPORT_REASON.blockUnsupported,
  REPORT_REASON.hopLimitExceeded,
]);

/** What became of a bundle that came. */
interface Received {
  /** Its name. */
  readonly id: string;
  /** What the store says; or it was for our router, or ends here for a reason that was counted. */
  readonly outcome: PutOutcome | "heard" | "security" | "unprocessable";
}

/** Takes the bundles of others, from a neighbour or otherwise, or refuses them (RFC 9171 §5.6). */
export class Reception {
  readonly #context: NodeContext;
  readonly #security: BundleSecurity;
  readonly #dispatcher: Dispatcher;
  readonly #reports: StatusReports;
  readonly #routerTalk: RouterTalk;

  /** Gives what it takes to `routerTalk`, if that is what it is, else to `dispatcher`. */
  constructor(
    context: NodeContext,
    security: BundleSecurity,
    dispatcher: Dispatcher,
    reports: StatusReports,
    routerTalk: RouterTalk,
  ) {
    this.#context = context;
    this.#security = security;
    this.#dispatcher = dispatcher;
    this.#reports = reports;
    this.#routerTalk = routerTalk;
  }

  /** Takes what the neighbour `from` sent: it is acknowledged once it is stored, or ends here for good. */
  async take(
    received: ReceivedBundle,
    from: string | undefined,
  ): Promise<void> {
    const { counts } = this.#context;
    counts.received++;
    try {
      await this.#decide(received, from);
    } catch (error) {
      if (error instanceof BundleError) {
        counts.dropped.malformed++;
        return received.refuse("notAcceptable");
      }
      received.refuse("noResources"); // the disk failed: the neighbour keeps it
      throw error;
    }
  }

  /**
   * Takes a bundle that came without a contact, as in a folder; resolves with its name once it is stored.
   *
   * @throws {DtnNodeError} If it is not.
   * @throws {BundleError} If a neighbour would be told that it is not acceptable.
   */
  async takeCarried(bundle: Bundle, priority?: Priority): Promise<string> {
    const { counts } = this.#context;
    counts.received++;
    const { id, outcome } = await this.#carried(bundle, priority);
    if (outcome === "stored") return id;
    const code = outcome === "heard" ? "unprocessable" : outcome;
    throw new DtnNodeError(code, `The bundle was not stored: ${code}`);
  }

  async #carried(
    bundle: Bundle,
    priority: Priority | undefined,
  ): Promise<Received> {
    try {
      return await this.#received(bundle, undefined, priority);
    } catch (error) {
      if (error instanceof BundleError) {
        this.#context.counts.dropped.malformed++;
      }
      throw error;
    }
  }

  async #decide(
    received: ReceivedBundle,
    from: string | undefined,
  ): Promise<void> {
    const { quirks } = this.#context.options;
    const bundle = decodeBundle(received.bytes, quirks ? { quirks } : {});
    const { outcome } = await this.#received(bundle, from);
    if (outcome === "too_large") return received.refuse("notAcceptable");
    if (outcome === "full" || outcome === "priority_full") {
      return received.refuse("noResources");
    }
    received.accept();
  }

  async #received(
    bundle: Bundle,
    from: string | undefined,
    priority?: Priority,
  ): Promise<Received> {
    const fault = receptionFaults(bundle).find((each) =>
      each !== "primary_unprotected"
    );
    if (fault) throw new BundleError("block", `A bundle with ${fault}`);
    const processed = this.#processed(bundle);
    if ("reason" in processed) {
      this.#reportEnd(bundle, processed.reason);
      const outcome = ENDS_UNPROCESSED.has(processed.reason)
        ? "unprocessable"
        : "security";
      return { id: bundleId(bundle), outcome };
    }
    if (this.#routerTalk.isFor(processed.bundle)) {
      this.#routerTalk.hear(processed.bundle, from);
      return { id: bundleId(bundle), outcome: "heard" };
    }
    const dispatched = await this.#dispatcher.dispatch(
      processed.bundle,
      { from, priority },
    );
    if (dispatched.outcome === "expired") {
      this.#reportEnd(bundle, REPORT_REASON.lifetimeExpired);
    } else if (dispatched.outcome === "stored") {
      this.#reports.report(bundle, "received", REPORT_REASON.noInformation);
    }
    return dispatched;
  }

  /** `bundle` as we keep it, or why it ends here. */
  #processed(received: Bundle): Processed {
    const { nodeId, counts } = this.#context;
    const checked = this.#security.check(received);
    if ("reason" in checked) return checked;
    const { bundle: kept, report } = applyBlockFlags(
      checked.bundle,
      ({ type }) => PROCESSED.has(type),
    );
    const reason = REPORT_REASON.blockUnsupported;
    if (report) this.#reports.report(received, "received", reason);
    if (!kept) {
      counts.dropped.unprocessable++;
      return { reason };
    }
    const bundle = withoutDiscarded(checked.bundle, kept);
    const next = isOurs(nodeId, bundle.primary.destination)
      ? bundle
      : withNextHop(bundle);
    if (next) return { bundle: next };
    counts.dropped.hop_limit++;
    return { reason: REPORT_REASON.hopLimitExceeded };
  }

  #reportEnd(bundle: Bundle, reason: number): void {
    this.#reports.report(bundle, "received", REPORT_REASON.noInformation);
    this.#reports.report(bundle, "deleted", reason);
  }
}

/** `kept`, which has some of the blocks of `bundle`, without what security blocks say of those that were discarded. */
function withoutDiscarded(bundle: Bundle, kept: Bundle): Bundle {
  const discarded = bundle.blocks.filter((each) => !kept.blocks.includes(each));
  if (discarded.length === 0) return kept;
  try {
    return withoutBlocks(kept, discarded.map(({ number }) => number));
  } catch (error) {
    if (!(error instanceof BpsecError)) throw error;
    return kept; // security blocks that are malformed are for who has to check them
  }
}
