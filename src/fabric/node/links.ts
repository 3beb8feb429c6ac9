import {
  type Clock,
  Deadline,
  orAbort,
  type WaitOptions,
} from "../../core/async/mod.ts";
import { DecodeError } from "../../core/bytes/mod.ts";
import type { Logger } from "../../core/log/mod.ts";
import type { Session } from "../../htx/mod.ts";
import { BoundedMap } from "../bounded_map.ts";
import { FabricError } from "../error.ts";
import type { AgentBook } from "../identity/agent_book.ts";
import { AgentId } from "../identity/agent_id.ts";
import type { AgentNode } from "../identity/agent_record.ts";
import {
  openLink,
  type RpcLink,
  type RpcLinkOptions,
} from "../rpc/rpc_link.ts";

/** Opens a session with a node that has an HTX record; its Noise static key must be the node's. */
export type DialNode = (
  node: AgentNode,
  options: WaitOptions,
) => Promise<Session>;

/** Parts of {@link Links}. */
export interface LinksOptions {
  /** Where agents are. */
  readonly book: AgentBook;
  /** Opens sessions; links are taken only if absent. */
  readonly dial?: DialNode;
  /** What a link does with what comes, and what we say first at the time. */
  readonly link: () => Omit<
    RpcLinkOptions,
    "learn" | "speaksFor" | "onUnproven"
  >;
  /** Hears that an agent can be reached live now. */
  readonly onReached: (id: AgentId) => void;
  /** Hears that a link with an agent is over. */
  readonly onParted: (id: AgentId) => void;
  /** Longest attempt to open a link, in milliseconds; 10 s by default. */
  readonly dialTimeoutMs?: number;
  /** Most links; 1,024 by default. Further ones are closed. */
  readonly maxLinks?: number;
  /** Where it says what failed. */
  readonly log: Logger;
  /** Time. */
  readonly clock: Clock;
}

/** Why links ended, or never were, and what they did not bring. */
export interface LinksCounts {
  /** Sessions closed as there were too many. */
  refused: number;
  /** Links with strangers that gave way to somebody with whom we deal. */
  evicted: number;
  /** Sessions that others opened and did not say hello in time, or not one. */
  unopened: number;
  /** Links ended as the other end broke a rule: what it sent is malformed, another's, or more than it may. */
  violations: number;
  /** Links ended as the other end did not read. */
  unread: number;
  /** Records that were not taken: a newer one is known, it has expired, there is no room. */
  records: number;
  /** Messages and openings in streams of their own whose senders the other ends do not speak for, as far as is known. */
  unproven: number;
}

const DIAL_TIMEOUT_MS = 10_000;
const MAX_LINKS = 1_024;
/** Agents of whom is remembered when they were reached or not. */
const MAX_TIMES = 10_000;
/** Records that one link may show at once, and how long it is to wait for each further one. */
const MAX_RECORDS = 256;
const RECORD_MS = 1_000;
/** Agents that one link can tell of. */
const MAX_REACHED = 64;

/** Live connections with nodes, by the agents that they speak for. */
export class Links implements AsyncDisposable {
  /** What was not taken. */
  readonly counts: LinksCounts = {
    ...{ refused: 0, unopened: 0, violations: 0, unread: 0, records: 0 },
    ...{ unproven: 0, evicted: 0 },
  };
  readonly #options: LinksOptions;
  readonly #links = new Set<RpcLink>();
  /** Sessions that others opened, and have not said hello yet. */
  #opening = 0;
  readonly #dialing = new Map<string, Promise<RpcLink>>();
  readonly #heardMs = new BoundedMap<number>(MAX_TIMES);
  readonly #failedMs = new BoundedMap<number>(MAX_TIMES);
  readonly #over = new AbortController();
  readonly #tasks = new Set<Promise<void>>();

  /** Starts without a link. */
  constructor(options: LinksOptions) {
    this.#options = options;
  }

  /** Links that are open. */
  get size(): number {
    return this.#links.size;
  }

  /** Every link. */
  [Symbol.iterator](): IterableIterator<RpcLink> {
    return this.#links.values();
  }

  /** A link with a node that speaks for an agent, the newest, as an older one may be dead. */
  with(id: AgentId): RpcLink | undefined {
    const key = `${id}`;
    let found: RpcLink | undefined;
    const { book } = this.#options;
    for (const link of this.#links) {
      const isWith = link.isOpen && link.agents.has(key) &&
        book.speaksFor(link.staticKey, id);
      if (isWith) found = link;
    }
    if (!found) return undefined;
    this.#heardMs.set(key, this.#options.clock.now());
    return found;
  }

  /** Whether an address of an agent is known, and we can dial. */
  canDial(id: AgentId): boolean {
    const nodes = this.#options.book.get(id)?.record.nodes ?? [];
    return this.#options.dial !== undefined && nodes.some(({ htx }) => htx);
  }

  /** Milliseconds since an agent was last heard of live. */
  sinceHeardMs(id: AgentId): number | undefined {
    return this.#since(this.#heardMs, id);
  }

  /** An agent gave no sign of life in time. */
  notReached(id: AgentId): void {
    this.#failedMs.set(`${id}`, this.#options.clock.now());
  }

  /**
   * Milliseconds since an agent was last dialed in vain, or not reached in time, if it was not heard of since; 0 as long as an attempt
   * goes on that was not over in time.
   */
  sinceFailedMs(id: AgentId): number | undefined {
    const sinceMs = this.#since(this.#failedMs, id);
    return sinceMs !== undefined && this.#dialing.has(`${id}`) ? 0 : sinceMs;
  }

  /**
   * Opens a link with a node that speaks for an agent; attempts for the same agent are one.
   *
   * @throws {FabricError} `unreachable` if no node of it can be reached.
   * @throws The reason of the signal; the attempt goes on.
   */
  async dial(id: AgentId, { signal }: WaitOptions = {}): Promise<RpcLink> {
    signal?.throwIfAborted();
    const key = `${id}`;
    let dialing = this.#dialing.get(key);
    if (!dialing) {
      dialing = this.#dial(id).finally(() => this.#dialing.delete(key));
      dialing.catch(() => {});
      this.#dialing.set(key, dialing);
    }
    return await orAbort(dialing, signal);
  }

  /** Makes links of the sessions that others open, until there are no more, which is the caller's to end. */
  serve(sessions: AsyncIterable<Session>): void {
    void (async () => {
      for await (const session of sessions) {
        if (this.#over.signal.aborted) await session.close();
        else this.#track(this.#accept(session));
      }
    })().catch((error) => this.#options.log.error("fabric.failed", { error }));
  }

  /** Ends every link. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort(new FabricError("closed", "The node is closed"));
    await Promise.all(
      [...this.#links].map((each) => each[Symbol.asyncDispose]()),
    );
    await Promise.all(this.#tasks);
    await Promise.allSettled(this.#dialing.values());
  }

  async #dial(id: AgentId): Promise<RpcLink> {
    const { book, dial, clock } = this.#options;
    const nodes = book.get(id)?.record.nodes ?? [];
    let cause: unknown;
    for (const node of nodes) {
      if (!node.htx || !dial) continue;
      const ms = this.#options.dialTimeoutMs ?? DIAL_TIMEOUT_MS;
      using deadline = new Deadline(clock, ms, {
        signal: this.#over.signal,
      });
      const { signal } = deadline;
      try {
        const session = await dial(node, { signal });
        const link = await this.#open(session, "dialer", signal);
        if (link.agents.has(`${id}`)) return link;
        cause = new FabricError("unauthenticated", "It is another's node");
      } catch (error) {
        cause = error;
      }
    }
    this.notReached(id);
    throw new FabricError("unreachable", "No node of the agent was reached", {
      cause,
    });
  }

  async #accept(session: Session): Promise<void> {
    const { maxLinks = MAX_LINKS } = this.#options;
    const isFull = this.#links.size + this.#opening >= maxLinks;
    if (isFull && !this.#makeRoom(session)) {
      this.counts.refused++;
      await session.close();
      return;
    }
    const ms = this.#options.dialTimeoutMs ?? DIAL_TIMEOUT_MS;
    using deadline = new Deadline(this.#options.clock, ms, {
      signal: this.#over.signal,
    });
    this.#opening++;
    try {
      await this.#open(session, "listener", deadline.signal);
    } catch (error) {
      this.counts.unopened++;
      this.#options.log.debug("fabric.no_link", { error });
    } finally {
      this.#opening--;
    }
  }

  async #open(
    session: Session,
    role: "dialer" | "listener",
    signal: AbortSignal,
  ): Promise<RpcLink> {
    const { book, onReached, clock } = this.#options;
    const reached = new Set<string>();
    const openedMs = clock.now();
    let shown = 0;
    const link: RpcLink = await openLink(session, role, {
      ...this.#options.link(),
      learn: (record) => {
        const most = MAX_RECORDS + (clock.now() - openedMs) / RECORD_MS;
        if (++shown > most) {
          throw new FabricError("malformed", "More records than we take");
        }
        const id = this.#learn(record);
        if (!book.speaksFor(session.remoteStaticKey, id)) return id;
        this.#failedMs.delete(`${id}`);
        // What rests is sent again when an agent is reached: showing its record again is no reason to.
        if (reached.has(`${id}`) || reached.size >= MAX_REACHED) return id;
        reached.add(`${id}`);
        // The link is not among ours before it is open.
        queueMicrotask(() => onReached(id));
        return id;
      },
      speaksFor: (staticKey, id) => book.speaksFor(staticKey, id),
      onUnproven: () => void this.counts.unproven++,
    }, signal);
    this.#links.add(link);
    this.#track(link.closed.then(() => {
      this.#links.delete(link);
      this.#count(link.error);
      const nowMs = this.#options.clock.now();
      for (const agent of link.agents) {
        this.#heardMs.set(agent, nowMs);
        this.#options.onParted(AgentId.parse(agent));
      }
    }));
    return link;
  }

  /** Ends a link with a stranger, the oldest, in favour of a session with a node of somebody with whom we deal. */
  #makeRoom({ remoteStaticKey }: Session): boolean {
    const { book } = this.#options;
    if (!book.isOfContact(remoteStaticKey)) return false;
    // Sessions that say nothing keep nobody out whom we know.
    if (this.#links.size < (this.#options.maxLinks ?? MAX_LINKS)) return true;
    for (const link of this.#links) {
      if (!link.isOpen || book.isOfContact(link.staticKey)) continue;
      this.counts.evicted++;
      void link[Symbol.asyncDispose]();
      return true;
    }
    return false;
  }

  #learn(record: Uint8Array): AgentId {
    try {
      return this.#options.book.learn(record).id;
    } catch (error) {
      const isForged = !(error instanceof FabricError) ||
        error.code === "unauthenticated";
      if (!isForged) this.counts.records++;
      throw error;
    }
  }

  #count(error: unknown): void {
    const code = error instanceof FabricError ? error.code : undefined;
    const isViolation = error instanceof DecodeError || code === "malformed" ||
      code === "unauthenticated";
    if (isViolation) this.counts.violations++;
    else if (code === "full") this.counts.unread++;
  }

  #since(times: BoundedMap<number>, id: AgentId): number | undefined {
    const ms = times.get(`${id}`);
    return ms === undefined ? undefined : this.#options.clock.now() - ms;
  }

  #track(task: Promise<void>): void {
    const tracked = task.catch((error) => {
      this.#options.log.error("fabric.failed", { error });
    }).finally(() => this.#tasks.delete(tracked));
    this.#tasks.add(tracked);
  }
}
