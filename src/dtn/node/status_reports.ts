import type { Bundle } from "../bundle/bundle.ts";
import { BUNDLE_FLAG } from "../bundle/bundle_flags.ts";
import { dtnTime } from "../bundle/dtn_time.ts";
import { BundleError } from "../bundle/error.ts";
import {
  encodeStatusReport,
  type Status,
  statusReportOn,
} from "../bundle/status_report.ts";
import type { Priority } from "../store/bundle_entry.ts";
import { isStrictlyPrivate } from "../guard/privacy_guard.ts";
import type { SendBundleOptions } from "./dtn_node_options.ts";
import { DtnNodeError } from "./error.ts";
import type { NodeContext } from "./node_context.ts";
import { decodeStored } from "./stored_bundle.ts";

const FLAG_OF: Readonly<Record<Status, number>> = {
  received: BUNDLE_FLAG.reportReception,
  forwarded: BUNDLE_FLAG.reportForwarding,
  delivered: BUNDLE_FLAG.reportDelivery,
  deleted: BUNDLE_FLAG.reportDeletion,
};

/** Says what became of bundles to those who they say want to hear of it (RFC 9171 §6). */
export class StatusReports {
  readonly #context: NodeContext;
  readonly #send: (report: SendBundleOptions) => Promise<string>;

  /** Hands its reports to `send`. */
  constructor(
    context: NodeContext,
    send: (report: SendBundleOptions) => Promise<string>,
  ) {
    this.#context = context;
    this.#send = send;
  }

  /** Reports `status` of a bundle that is in the store, as {@link report} does; it may be deleted afterwards. */
  reportStored(
    id: string,
    status: Status,
    reason: number,
    priority?: Priority,
  ): void {
    const { options, store, log } = this.#context;
    const bytes = options.reports ? store.bytes(id) : undefined;
    if (!bytes) return;
    try {
      this.report(decodeStored(bytes), status, reason, priority);
    } catch (error) {
      if (!(error instanceof BundleError)) throw error;
      log.debug("dtn.no_report", { code: error.code });
    }
  }

  /** Reports `status` of `bundle`, if it asks for that and the node sends any; with class `priority`. */
  report(
    bundle: Bundle,
    status: Status,
    reason: number,
    priority: Priority = 2,
  ): void {
    const { options, clock, tasks } = this.#context;
    const { flags, reportTo } = bundle.primary;
    const isWanted = (flags & FLAG_OF[status]) !== 0 &&
      (flags & BUNDLE_FLAG.adminRecord) === 0 && !reportTo.isNull;
    if (!options.reports || !isWanted) return;
    const nowMs = clock.wallTime();
    const time = (flags & BUNDLE_FLAG.reportTime) !== 0 ? dtnTime(nowMs) : true;
    const report = statusReportOn(bundle, { [status]: time }, reason);
    tasks.track(this.#sendReport({
      destination: reportTo,
      payload: encodeStatusReport(report),
      flags: BUNDLE_FLAG.adminRecord,
      priority,
      isStrictlyPrivate: isStrictlyPrivate(bundle) ||
        options.wantsPrivacy?.(bundle) === true,
    }));
  }

  async #sendReport(report: SendBundleOptions): Promise<void> {
    await Promise.resolve(); // whoever reports may be within a transaction of the store
    try {
      await this.#send(report);
    } catch (error) {
      if (!(error instanceof DtnNodeError)) throw error;
      this.#context.log.debug("dtn.no_report", { code: error.code });
    }
  }
}
