import type { Clock } from "../../core/async/mod.ts";
import type { Logger } from "../../core/log/mod.ts";
import type { SecurityPolicy } from "../bpsec/security_policy.ts";
import type { Bundle } from "../bundle/bundle.ts";
import type { Eid } from "../bundle/eid.ts";
import type { BundleOptions } from "../bundle/quirk.ts";
import type { Router } from "../routing/router.ts";
import type { Scheduler } from "../schedule/scheduler.ts";
import type { Priority } from "../store/bundle_entry.ts";
import type { BundleStore } from "../store/bundle_store.ts";
import type { SendingCost } from "./neighbour.ts";

/** Parts and options of a `DtnNode`. */
export interface DtnNodeOptions {
  /** Our node id: `dtn://name/` or `ipn:N.0`. */
  readonly nodeId: Eid;
  /** Keeps the bundles. */
  readonly store: BundleStore;
  /** Decides who gets them. */
  readonly router: Router;
  /** Decides which goes next; first come, first served within classes by default. */
  readonly scheduler?: Scheduler;
  /** Whether a bundle whose payload is not encrypted may go to `peer`; it may not by default. */
  readonly allowsPlaintext?: (bundle: Bundle, peer: string) => boolean;
  /** Whether a bundle wants strict privacy, beside those that are marked: it leaves over private contacts only. None does by default. */
  readonly wantsPrivacy?: (bundle: Bundle) => boolean;
  /** Who must sign, encrypt and verify; nobody by default. What it is given as `node` is our node id. */
  readonly security?: SecurityPolicy;
  /** Class of service of a bundle, which is each node's to choose; normal by default, expedited for our own reports. */
  readonly priorityOf?: (bundle: Bundle) => Priority;
  /** Whether to send the status reports that bundles ask for; not by default. */
  readonly reports?: boolean;
  /** What to overlook in bundles of others; nothing by default. */
  readonly quirks?: BundleOptions["quirks"];
  /** Most hops of bundles that are made here; 32 by default. */
  readonly hopLimit?: number;
  /** Whether bundles that a neighbour does not take whole go in fragments, which their destination must put together; they do by default. */
  readonly fragments?: boolean;
  /** Most bundles under way to one neighbour; 64 by default. */
  readonly maxSending?: number;
  /** What sending costs where nothing else is said; free, and of no known speed, by default. */
  readonly cost?: SendingCost;
  /**
   * How long a contact may be without an outcome while bundles are under way, in milliseconds, beside what they take at 16 kB/s or the
   * contact's own speed, if that is less; then it is closed, and they are given back. A minute by default, as the layers give a write.
   */
  readonly silenceMs?: number;
  /** Uniform in [0, 1), for pauses between attempts. */
  readonly random: () => number;
  /** Where it says what failed. */
  readonly log?: Logger;
  /** Time. */
  readonly clock?: Clock;
}

/** A bundle that an application sends. */
export interface SendBundleOptions {
  /** Where it goes. */
  readonly destination: Eid;
  /** What it carries. */
  readonly payload: Uint8Array;
  /** An endpoint of this node; the node itself by default. */
  readonly source?: Eid;
  /** How long it is of use, in milliseconds; a day by default. */
  readonly lifetimeMs?: number;
  /** Class of service; normal by default. */
  readonly priority?: Priority;
  /** `BUNDLE_FLAG`s, such as those that ask for reports. */
  readonly flags?: number;
  /** Whether it is to leave this node and all others over private contacts only; not by default. */
  readonly isStrictlyPrivate?: boolean;
  /** Whom reports go to; `source` by default. */
  readonly reportTo?: Eid;
}
