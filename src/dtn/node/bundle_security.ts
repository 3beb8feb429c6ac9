import { BpsecError } from "../bpsec/error.ts";
import type { Bundle } from "../bundle/bundle.ts";
import { REPORT_REASON } from "../bundle/status_report.ts";
import { DtnNodeError } from "./error.ts";
import type { NodeContext } from "./node_context.ts";
import type { NodeDrop } from "./node_counts.ts";

/** What became of a bundle that came, or was put together: it as we keep it, or why it is deleted, a `REPORT_REASON`. */
export type Processed = { readonly bundle: Bundle } | {
  readonly reason: number;
};

const DROP_OF: Readonly<Record<number, NodeDrop>> = {
  [REPORT_REASON.missingSecurity]: "security_missing",
  [REPORT_REASON.unknownSecurity]: "security_unknown",
};

/** Holds bundles to the security policy of a node, if it has one (RFC 9172 §5). */
export class BundleSecurity {
  readonly #context: NodeContext;

  /** Takes the policy from the options of the node. */
  constructor(context: NodeContext) {
    this.#context = context;
  }

  /**
   * `bundle`, which is made here, signed and encrypted as the policy says.
   *
   * @throws {DtnNodeError} `security` if it cannot be: it must not be sent then.
   */
  protect(bundle: Bundle): Bundle {
    const { counts, options: { security } } = this.#context;
    if (!security) return bundle;
    try {
      return security.protect(bundle);
    } catch (cause) {
      if (!(cause instanceof BpsecError)) throw cause;
      counts.dropped.unprotected++;
      throw new DtnNodeError(
        "security",
        `The bundle cannot be protected as the policy says: ${cause.message}`,
        { cause },
      );
    }
  }

  /** `bundle` without what we accept, so decrypted if it is for us; a refusal is counted. A fragment passes: the policy is for the whole. */
  check(bundle: Bundle): Processed {
    const { counts, options: { security } } = this.#context;
    if (!security) return { bundle };
    const verdict = security.check(bundle);
    if (verdict.kind === "fragment") return { bundle };
    if (verdict.kind === "passed") return { bundle: verdict.bundle };
    const { reason } = verdict;
    counts.dropped[DROP_OF[reason] ?? "security_failed"]++;
    return { reason };
  }
}
