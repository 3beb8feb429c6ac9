import { type Bundle, encodeBundle } from "../bundle/bundle.ts";
import { BUNDLE_FLAG } from "../bundle/bundle_flags.ts";
import { bundleId } from "../bundle/bundle_id.ts";
import { dtnTime } from "../bundle/dtn_time.ts";
import { BundleError } from "../bundle/error.ts";
import { bundleAgeOf } from "../bundle/extension_blocks.ts";
import { remainingLifetimeMs } from "../bundle/lifetime.ts";
import { isStrictlyPrivate } from "../guard/privacy_guard.ts";
import type { BundleEntry, Priority } from "../store/bundle_entry.ts";
import type { PutOutcome } from "../store/bundle_store.ts";
import type { Answers } from "./answers.ts";
import type { Applications } from "./applications.ts";
import type { LocalReassembly } from "./local_reassembly.ts";
import type { Forwarder } from "./forwarder.ts";
import { isOurs, type NodeContext } from "./node_context.ts";
import { copiesOf } from "./outgoing_bundle.ts";

/** What became of a bundle that was dispatched. */
export interface Dispatched {
  /** Its name. */
  readonly id: string;
  /** What the store says. */
  readonly outcome: PutOutcome;
}

interface AnswerUnderWay {
  readonly answer: Bundle;
  /** Whether the neighbour that it is for has it. */
  readonly isTaken: Promise<boolean>;
}

const MAX_TIME_MS = 2 ** 48 - 1;

/** Stores bundles, and tells those who wait for them: applications of this node, or neighbours (RFC 9171 §5.3). */
export class Dispatcher {
  readonly #context: NodeContext;
  readonly #applications: Applications;
  readonly #answers: Answers;
  readonly #reassembly: LocalReassembly;
  readonly #forwarder: Forwarder;

  /** Tells `applications` of bundles for this node that `answers` do not answer, `forwarder` of the others. */
  constructor(
    context: NodeContext,
    applications: Applications,
    answers: Answers,
    reassembly: LocalReassembly,
    forwarder: Forwarder,
  ) {
    this.#context = context;
    this.#applications = applications;
    this.#answers = answers;
    this.#reassembly = reassembly;
    this.#forwarder = forwarder;
  }

  /**
   * Stores `bundle`, which the neighbour `from` gave, if any did; resolves once it is stored or refused.
   *
   * @throws {BundleError} `extension` if its source has no clock, and it has no age that we can read (RFC 9171 §4.4.2).
   */
  async dispatch(
    bundle: Bundle,
    { from, priority }: {
      readonly from?: string | undefined;
      readonly priority?: Priority | undefined;
    },
  ): Promise<Dispatched> {
    const { nodeId, store, counts, tasks, options: { quirks } } = this.#context;
    const bytes = encodeBundle(bundle, quirks ? { quirks } : {});
    const entry: BundleEntry = {
      ...this.#entryOf(bundle, bytes.length),
      ...priority !== undefined && { priority },
      ...from !== undefined && { from },
    };
    const { id } = entry;
    const isLocal = isOurs(nodeId, bundle.primary.destination);
    const isPiece = isLocal && bundle.primary.fragment !== undefined;
    const refusal = isPiece && await this.#reassembly.refusalOf(bundle);
    if (refusal) {
      counts.dropped[refusal]++;
      return {
        id,
        outcome: refusal === "too_many_fragments" ? "too_large" : refusal,
      };
    }
    const answer = isLocal && !isPiece
      ? this.#answerAtOnce(entry, bundle)
      : undefined;
    let outcome: PutOutcome | undefined;
    try {
      outcome = await store.put(entry, bytes);
    } finally {
      if (answer && outcome !== "stored") this.#applications.release(entry);
    }
    if (outcome !== "stored") {
      counts.dropped[outcome === "priority_full" ? "full" : outcome]++;
      return { id, outcome };
    }
    counts.stored++;
    if (isPiece) {
      const isWhole = await this.#reassembly.add(bundle);
      if (isWhole) this.#applications.wake(entry.destination);
    } else if (isLocal) {
      this.#reassembly.supersede(entry.destination, id);
      if (answer) tasks.track(this.#finishAnswer(entry, bundle, answer));
      else this.#applications.wake(entry.destination);
    } else this.#forwarder.offer(entry, copiesOf(bundle));
    return { id, outcome };
  }

  /** Sends the answer to a request that is not here yet, if it is for a neighbour. */
  #answerAtOnce(
    { id, destination }: BundleEntry,
    request: Bundle,
  ): AnswerUnderWay | undefined {
    const { store } = this.#context;
    const answer = store.knows(id)
      ? undefined
      : this.#answers.to(destination, request);
    if (!answer) return undefined;
    const { bundle, size } = answer;
    const entry = this.#entryOf(bundle, size);
    if (!this.#applications.withhold(id)) return undefined;
    return { answer: bundle, isTaken: this.#forwarder.hand(entry, bundle) };
  }

  /** The request is done with once its answer is at the neighbour, or in the store. */
  async #finishAnswer(
    entry: BundleEntry,
    request: Bundle,
    { answer, isTaken }: AnswerUnderWay,
  ): Promise<void> {
    try {
      if (!await isTaken) await this.dispatch(answer, {});
    } catch (error) {
      this.#applications.release(entry);
      throw error;
    }
    this.#applications.delivered(entry, request);
  }

  #entryOf(bundle: Bundle, size: number): BundleEntry {
    const nowMs = this.#context.clock.wallTime();
    const { source, destination, creation } = bundle.primary;
    if (creation.timeMs === 0 && bundleAgeOf(bundle) === undefined) {
      // Its lifetime would begin anew at every node, and never end where they meet again.
      throw new BundleError("extension", "Without a time it needs an age");
    }
    const { wantsPrivacy } = this.#context.options;
    const isPrivate = isStrictlyPrivate(bundle) ||
      wantsPrivacy?.(bundle) === true;
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
      ...isPrivate && { isPrivate },
    };
  }

  #priorityOf(bundle: Bundle): Priority {
    const { priorityOf } = this.#context.options;
    if (priorityOf) return priorityOf(bundle);
    const { flags, source } = bundle.primary;
    const isOwnRecord = (flags & BUNDLE_FLAG.adminRecord) !== 0 &&
      isOurs(this.#context.nodeId, source);
    return isOwnRecord ? 2 : 1; // anyone can set the flag
  }
}
