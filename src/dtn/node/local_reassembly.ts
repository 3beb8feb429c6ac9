import { delay } from "../../core/async/mod.ts";
import { type Bundle, payloadOf } from "../bundle/bundle.ts";
import { bundleId, wholeIdOf } from "../bundle/bundle_id.ts";
import { BundleError } from "../bundle/error.ts";
import { Reassembly } from "../bundle/reassembly.ts";
import type { BundleEntry } from "../store/bundle_entry.ts";
import type { BundleSecurity } from "./bundle_security.ts";
import {
  FragmentIndex,
  type FragmentName,
  isWhole,
  type PartialBundle,
} from "./fragment_index.ts";
import type { NodeContext } from "./node_context.ts";
import type { NodeDrop } from "./node_counts.ts";
import type { StatusReports } from "./status_reports.ts";
import { decodeStored, encodeStored } from "./stored_bundle.ts";

const MAX_PAYLOAD_BYTES = 64 * 1024 * 1024;
const READ_AT_ONCE = 256;

/**
 * Puts fragments for this node together (RFC 9171 §5.9). They are bundles in the store, and outlive the process, until all are here: then
 * the whole takes their place in one transaction, so that it is there once.
 */
export class LocalReassembly {
  readonly #context: NodeContext;
  readonly #security: BundleSecurity;
  readonly #reports: StatusReports;
  readonly #index = new FragmentIndex();
  readonly #reading = new Map<string, Promise<void>>();

  /** Shows `security` what is whole, and says to `reports` what it refuses. */
  constructor(
    context: NodeContext,
    security: BundleSecurity,
    reports: StatusReports,
  ) {
    this.#context = context;
    this.#security = security;
    this.#reports = reports;
  }

  /** Why a fragment is not to be stored. */
  async refusalOf(
    fragment: Bundle,
  ): Promise<
    "known" | "too_large" | "too_many_fragments" | "full" | undefined
  > {
    const { store } = this.#context;
    const name = nameOf(fragment);
    if (name.totalLength > MAX_PAYLOAD_BYTES) return "too_large";
    if (store.knows(name.wholeId) || store.knows(name.id)) return "known";
    const destination = `${fragment.primary.destination}`;
    while (!this.#index.has(destination)) await this.#read(destination);
    return this.#index.refusalOf(destination, name);
  }

  /** A fragment was stored; says whether it made something whole. */
  async add(fragment: Bundle): Promise<boolean> {
    const destination = `${fragment.primary.destination}`;
    const name = nameOf(fragment);
    while (!this.#index.has(destination)) await this.#read(destination);
    if (this.#context.store.knows(name.wholeId)) { // it came whole meanwhile
      this.#drop([name.id], "known");
      return false;
    }
    return this.#join(this.#index.add(destination, name));
  }

  /** Puts together what is in the store for an endpoint, and was left there when the process ended; says whether something is whole. */
  async resume(destination: string): Promise<boolean> {
    while (!this.#index.has(destination)) await this.#read(destination);
    let isAny = false;
    for (const partial of this.#index.all(destination)) {
      if (this.#join(partial)) isAny = true;
    }
    return isAny;
  }

  /** A whole bundle was stored: its fragments are of no use. */
  supersede(destination: string, wholeId: string): void {
    for (const { pieces } of this.#index.of(destination, wholeId)) {
      this.#drop([...pieces.keys()], "known");
    }
  }

  /** A bundle is gone, which may be a fragment. */
  forget(id: string): void {
    this.#index.remove(id);
  }

  /** Puts the bundle of `partial` together, if all of it is here; says whether it is. */
  #join(partial: PartialBundle): boolean {
    const { store, counts } = this.#context;
    const { wholeId, pieces } = partial;
    const whole = isWhole(partial) ? this.#whole(partial) : undefined;
    if (!whole) return false;
    const ids = [...pieces.keys()];
    const checked = this.#security.check(whole);
    if ("reason" in checked) {
      this.#reports.report(whole, "deleted", checked.reason);
      this.#drop(ids);
      return false;
    }
    const bytes = encodeStored(checked.bundle);
    const size = bytes.length;
    const entry = { ...this.#firstOf(partial), id: wholeId, size };
    const outcome = store.replace(ids, entry, bytes);
    if (outcome === "full" || outcome === "priority_full") return false;
    if (outcome !== "stored") {
      this.#drop(ids, outcome);
      return false;
    }
    for (const id of ids) this.forget(id);
    counts.reassembled++;
    return true;
  }

  /** The bundle of fragments that have all of it, unless they contradict each other or the disk has damaged one. */
  #whole({ pieces }: PartialBundle): Bundle | undefined {
    const reassembly = new Reassembly({
      maxBytes: Infinity,
      maxPayloadBytes: MAX_PAYLOAD_BYTES,
      maxPieces: pieces.size,
      maxWaitMs: Infinity,
    });
    for (const id of [...pieces.keys()]) {
      const fragment = this.#fragment(id);
      if (!fragment) continue;
      const outcome = reassembly.add(fragment, 0, Infinity);
      if (outcome.kind === "whole") return outcome.bundle;
      if (outcome.kind === "dropped" && outcome.reason === "conflicting") {
        this.#drop([id], "fragment_conflict");
      }
    }
  }

  /** What the store knows of the fragment that begins the payload, whose blocks the whole has. */
  #firstOf({ pieces }: PartialBundle): BundleEntry {
    const [first] = [...pieces].find(([, { offset }]) => offset === 0)!;
    return this.#context.store.entry(first)!;
  }

  #fragment(id: string): Bundle | undefined {
    const bytes = this.#context.store.bytes(id);
    try {
      if (bytes) return decodeStored(bytes);
      this.forget(id);
    } catch (error) {
      if (!(error instanceof BundleError)) throw error;
      this.#drop([id], "malformed");
    }
  }

  #drop(ids: readonly string[], reason?: NodeDrop): void {
    const { store, counts } = this.#context;
    for (const id of ids) {
      this.forget(id);
      if (store.delete(id) && reason) counts.dropped[reason]++;
    }
  }

  /** Resolves once the index has the fragments for an endpoint. */
  #read(destination: string): Promise<void> {
    const known = this.#reading.get(destination);
    if (known) return known;
    const reading = this.#readStore(destination)
      .finally(() => this.#reading.delete(destination));
    this.#reading.set(destination, reading);
    return reading;
  }

  async #readStore(destination: string): Promise<void> {
    const { store, clock } = this.#context;
    const names: FragmentName[] = [];
    let count = 0;
    for (const { id, source } of store.entries(destination)) {
      if (wholeIdOf(id, source) !== undefined) {
        const fragment = this.#fragment(id);
        if (fragment) names.push(nameOf(fragment));
      }
      if (++count % READ_AT_ONCE === 0) await delay(clock, 0);
    }
    this.#index.begin(destination);
    for (const name of names) {
      if (store.entry(name.id)) this.#index.add(destination, name);
    }
  }
}

function nameOf(fragment: Bundle): FragmentName {
  const { source, fragment: range } = fragment.primary;
  const id = bundleId(fragment);
  return {
    id,
    wholeId: wholeIdOf(id, `${source}`)!,
    ...range!,
    length: payloadOf(fragment).length,
  };
}
