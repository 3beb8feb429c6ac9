import { applyBlockFlags } from "../bundle/apply_block_flags.ts";
import { type Bundle, decodeBundle } from "../bundle/bundle.ts";
import { BLOCK_TYPE } from "../bundle/canonical_block.ts";
import { BundleError } from "../bundle/error.ts";
import { REPORT_REASON } from "../bundle/status_report.ts";
import type { ReceivedBundle } from "../cla/convergence_layer.ts";
import type { BundleSecurity } from "./bundle_security.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { isOurs, type NodeContext } from "./node_context.ts";
import { COPIES_BLOCK_TYPE, withNextHop } from "./outgoing_bundle.ts";
import type { RouterTalk } from "./router_talk.ts";
import type { StatusReports } from "./status_reports.ts";

const PROCESSED: ReadonlySet<number> = new Set([
  ...Object.values(BLOCK_TYPE),
  COPIES_BLOCK_TYPE,
]);

/** Takes the bundles of neighbours, or refuses them (RFC 9171 §5.6). */
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

  async #decide(
    received: ReceivedBundle,
    from: string | undefined,
  ): Promise<void> {
    const { quirks } = this.#context.options;
    const bundle = this.#processed(
      decodeBundle(received.bytes, quirks ? { quirks } : {}),
    );
    if (!bundle) return received.accept();
    if (this.#routerTalk.isFor(bundle)) {
      received.accept();
      return this.#routerTalk.hear(bundle, from);
    }
    const { outcome } = await this.#dispatcher.dispatch(bundle, { from });
    if (outcome === "stored") {
      received.accept();
      return this.#reports.report(
        bundle,
        "received",
        REPORT_REASON.noInformation,
      );
    }
    if (outcome === "known" || outcome === "expired") return received.accept();
    received.refuse(outcome === "too_large" ? "notAcceptable" : "noResources");
  }

  /** `bundle` as we keep it; `undefined` if it ends here. */
  #processed(received: Bundle): Bundle | undefined {
    const { nodeId, counts } = this.#context;
    const bundle = this.#security.check(received);
    if (!bundle) return undefined;
    const { bundle: kept, report } = applyBlockFlags(
      bundle,
      ({ type }) => PROCESSED.has(type),
    );
    if (report) {
      this.#reports.report(bundle, "received", REPORT_REASON.blockUnsupported);
    }
    if (!kept) {
      counts.dropped.unprocessable++;
      this.#reports.report(bundle, "deleted", REPORT_REASON.blockUnsupported);
      return undefined;
    }
    const next = isOurs(nodeId, kept.primary.destination)
      ? kept
      : withNextHop(kept);
    if (next) return next;
    counts.dropped.hop_limit++;
    this.#reports.report(bundle, "deleted", REPORT_REASON.hopLimitExceeded);
  }
}
