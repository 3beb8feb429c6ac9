import { systemClock } from "../../src/core/async/mod.ts";
import { utf8 } from "../../src/core/bytes/mod.ts";
import { CliError } from "../_error.ts";
import { jsonIn } from "../fabric/ask_agent.ts";
import type { AgentPlace } from "./fabric_place.ts";
import { percentile } from "./figures.ts";

/** What a phase of an exchange came to. */
export interface FabricPhase {
  /** What the network did. */
  readonly name: string;
  /** Requests that were answered, each rightly. */
  readonly requests: number;
  /** Notifications that were accepted. */
  readonly notifications: number;
  /** Messages that the other node took live. */
  readonly byRpc: number;
  /** Messages that went as bundles; one that was under way when the network was cut may count here too. */
  readonly byBundle: number;
  /** Messages that became bundles as there was no sign of life. */
  readonly fallbacks: number;
  /** Half of the requests were answered within this time. */
  readonly p50Ms: number;
  /** Nineteen of twenty were. */
  readonly p95Ms: number;
  /** All were. */
  readonly maxMs: number;
}

/** How much a phase sends. */
export interface PhaseOptions {
  /** So many numbers at most. */
  readonly count: number;
  /** So many at a time; 8 by default. */
  readonly atATime?: number;
  /** Called when a third is answered. */
  readonly midway?: () => void;
  /** Says when to send no more. */
  readonly isOver?: () => Promise<boolean>;
}

/** What a node says of its agent. */
interface Counts {
  readonly carried: Record<"rpc" | "bundle", Record<string, number>>;
  readonly fallbacks: number;
}

const AT_A_TIME = 8;
const LIFETIME_MS = 120_000;

/** An agent that sends another numbers, each as a request and as a notification, and counts how they went. */
export class Exchange {
  /** Numbers that were sent. */
  sent = 0;
  /** Ids of the notifications. */
  readonly ids: Set<string> = new Set();
  readonly #from: AgentPlace;
  readonly #to: AgentPlace;

  /** Sends nothing yet. */
  constructor(from: AgentPlace, to: AgentPlace) {
    this.#from = from;
    this.#to = to;
  }

  /**
   * Sends the next numbers.
   *
   * @throws {CliError} `failed` if an answer is wrong, or none comes.
   */
  async phase(name: string, options: PhaseOptions): Promise<FabricPhase> {
    const { count, atATime = AT_A_TIME, midway, isOver } = options;
    const before = await this.counts();
    const end = this.sent + count;
    const times: number[] = [];
    const one = async () => {
      while (!await isOver?.() && this.sent < end) {
        times.push(await this.#send(this.sent++));
        if (times.length === Math.floor(count / 3)) midway?.();
      }
    };
    await Promise.all(Array.from({ length: atATime }, one));
    const after = await this.counts();
    return {
      ...{ name, requests: times.length, notifications: times.length },
      byRpc: sum(after, "rpc") - sum(before, "rpc"),
      byBundle: sum(after, "bundle") - sum(before, "bundle"),
      fallbacks: after.fallbacks - before.fallbacks,
      p50Ms: percentile(times, 0.5),
      p95Ms: percentile(times, 0.95),
      maxMs: percentile(times, 1),
    };
  }

  /** What the sender's node says. */
  async counts(): Promise<Counts> {
    const status = jsonIn(await this.#from.ask("/status")) as {
      readonly agents: readonly [{ readonly counts: Counts }];
    };
    return status.agents[0].counts;
  }

  /** Sends a number both ways; how long its answer took, in milliseconds. */
  async #send(n: number): Promise<number> {
    const body = (type: string) =>
      utf8(JSON.stringify({
        ...{ to: this.#to.name, type, value: n },
        ...{ priority: "high", lifetimeMs: LIFETIME_MS },
      }));
    const noted = jsonIn(await this.#from.ask("/send", body("note")));
    this.ids.add((noted as { readonly id: string }).id);
    const startMs = systemClock.now();
    const answer = jsonIn(await this.#from.ask("/request", body("next")));
    const { value } = answer as { readonly value: unknown };
    if (value === n + 1) return systemClock.now() - startMs;
    throw new CliError("failed", `The answer to ${n} is ${value}`);
  }
}

/** Requests and notifications that a way took. */
function sum({ carried }: Counts, way: "rpc" | "bundle"): number {
  return carried[way].request! + carried[way].notify!;
}
