import { contactGraph, earliestArrival } from "../routing/contact_graph.ts";
import { BinaryHeap } from "../schedule/binary_heap.ts";
import type { Scheduler } from "../schedule/scheduler.ts";
import type { PricedContact, Scenario, SimulatedBundle } from "./scenario.ts";
import { seededRandom } from "./seeded_random.ts";

/** What became of a scenario. Each bundle that was made before the end is counted in one of the first four. */
export interface SimulationResult {
  /** How many came to their destination before they expired. */
  readonly delivered: number;
  /** How many expired on their way. */
  readonly expired: number;
  /** How many were on their way at the end. */
  readonly underWay: number;
  /** How many a full scheduler did not take. */
  readonly refused: number;
  /** From creation to delivery, shortest first. */
  readonly delaysMs: readonly number[];
  /** Energy of all transmissions, also of those that were lost. */
  readonly energy: number;
  /** Money of all transmissions. */
  readonly money: number;
  /** Bytes that were sent, each times the exposure of its contact. */
  readonly exposedBytes: number;
  /** Most bytes that waited at one node. */
  readonly maxBacklogBytes: number;
}

interface Event {
  readonly atMs: number;
  readonly number: number;
  readonly run: () => void;
}

interface Held {
  readonly bundle: SimulatedBundle;
  /** Neighbour for which it waits, if there is a way. */
  peer: string | undefined;
}

interface Node {
  readonly scheduler: Scheduler;
  /** What waits here, by id. */
  readonly held: Map<string, Held>;
  /** Contacts that are open. */
  readonly open: Set<Link>;
  bytes: number;
}

interface Link {
  readonly contact: PricedContact;
  isBusy: boolean;
  asksAgain: boolean;
}

/** After how long a scheduler that preferred to wait is asked again. */
const ASK_AGAIN_MS = 500;

/**
 * Plays a scenario, the same each time. Nodes route each bundle to the neighbour by which it would be there first if nothing else were
 * under way (Dijkstra over the contacts), again whenever a contact ends; a scheduler of each node's own decides what goes over its
 * contacts, one bundle at a time. What is lost on the way is known to be lost by who sent it, and waits again. A bundle that is
 * not over before its contact ends is not begun.
 */
export function simulate(
  scenario: Scenario,
  makeScheduler: () => Scheduler,
): SimulationResult {
  const simulation = new Simulation(scenario, makeScheduler);
  simulation.run();
  return simulation.result();
}

class Simulation {
  readonly #scenario: Scenario;
  readonly #makeScheduler: () => Scheduler;
  readonly #graph;
  readonly #random: () => number;
  readonly #events = new BinaryHeap<Event>((a, b) =>
    a.atMs < b.atMs || a.atMs === b.atMs && a.number < b.number
  );
  readonly #nodes = new Map<string, Node>();
  readonly #delaysMs: number[] = [];
  #nowMs = 0;
  #planned = 0;
  #expired = 0;
  #refused = 0;
  /** How many have left a node and not reached the next one. */
  #leaving = 0;
  #energy = 0;
  #money = 0;
  #exposedBytes = 0;
  #maxBacklogBytes = 0;

  constructor(scenario: Scenario, makeScheduler: () => Scheduler) {
    this.#scenario = scenario;
    this.#makeScheduler = makeScheduler;
    this.#graph = contactGraph(scenario.contacts);
    this.#random = seededRandom(scenario.seed);
    for (const contact of scenario.contacts) {
      const link = { contact, isBusy: false, asksAgain: false };
      this.#at(contact.startMs, () => this.#begin(link));
      this.#at(contact.endMs, () => this.#end(link));
    }
    for (const bundle of scenario.bundles) {
      this.#at(bundle.receivedMs, () => this.#arrive(bundle, bundle.source));
    }
  }

  run(): void {
    for (;;) {
      const event = this.#events.pop();
      if (!event || event.atMs > this.#scenario.durationMs) return;
      this.#nowMs = event.atMs;
      event.run();
    }
  }

  result(): SimulationResult {
    let underWay = this.#leaving;
    for (const { held } of this.#nodes.values()) underWay += held.size;
    return {
      delivered: this.#delaysMs.length,
      expired: this.#expired,
      underWay,
      refused: this.#refused,
      delaysMs: this.#delaysMs.toSorted((a, b) => a - b),
      energy: this.#energy,
      money: this.#money,
      exposedBytes: this.#exposedBytes,
      maxBacklogBytes: this.#maxBacklogBytes,
    };
  }

  #at(atMs: number, run: () => void): void {
    this.#events.push({ atMs, number: this.#planned++, run });
  }

  #node(name: string): Node {
    const known = this.#nodes.get(name);
    if (known) return known;
    const node = {
      scheduler: this.#makeScheduler(),
      held: new Map<string, Held>(),
      open: new Set<Link>(),
      bytes: 0,
    };
    this.#nodes.set(name, node);
    return node;
  }

  #begin(link: Link): void {
    const node = this.#node(link.contact.from);
    node.open.add(link);
    this.#serve(node, link);
  }

  #end(link: Link): void {
    const { from, to } = link.contact;
    const node = this.#node(from);
    node.open.delete(link);
    for (const held of [...node.held.values()]) {
      if (held.peer === to) this.#route(from, held);
    }
  }

  #arrive(bundle: SimulatedBundle, name: string): void {
    if (this.#nowMs >= bundle.expiresMs) {
      this.#expired++;
    } else if (name === bundle.destination) {
      this.#delaysMs.push(this.#nowMs - bundle.receivedMs);
    } else {
      this.#hold(bundle, name);
    }
  }

  #hold(bundle: SimulatedBundle, name: string): void {
    const node = this.#node(name);
    const held = { bundle, peer: undefined };
    node.held.set(bundle.id, held);
    node.bytes += bundle.size;
    this.#maxBacklogBytes = Math.max(this.#maxBacklogBytes, node.bytes);
    this.#at(bundle.expiresMs, () => {
      if (!this.#release(node, held)) return;
      node.scheduler.remove(bundle.id);
      this.#expired++;
    });
    this.#route(name, held);
  }

  #release(node: Node, held: Held): boolean {
    const { id, size } = held.bundle;
    if (node.held.get(id) !== held) return false;
    node.held.delete(id);
    node.bytes -= size;
    return true;
  }

  /** Lets a bundle wait for the neighbour by which it is there first. */
  #route(name: string, held: Held): void {
    const node = this.#node(name);
    const { bundle } = held;
    const { id, destination: to, size } = bundle;
    const query = { from: name, to, size, nowMs: this.#nowMs };
    const peer = earliestArrival(this.#graph, query)?.contacts[0]?.to;
    if (peer === held.peer) return;
    if (held.peer !== undefined) node.scheduler.remove(id);
    held.peer = peer;
    if (peer === undefined) return;
    // It came to this node now, if not to the network.
    const waiting = { ...bundle, receivedMs: this.#nowMs };
    if (!node.scheduler.add(waiting, peer)) {
      this.#release(node, held);
      this.#refused++;
      return;
    }
    for (const link of node.open) {
      if (link.contact.to === peer) this.#serve(node, link);
    }
  }

  /** Sends what the scheduler says over a contact that is open, if it is idle. */
  #serve(node: Node, link: Link): void {
    const { contact } = link;
    if (link.isBusy || !node.open.has(link)) return;
    const cost = { ...contact, peer: contact.to, latencyMs: contact.delayMs };
    const next = node.scheduler.next(cost, this.#nowMs);
    if (!next) return this.#askAgain(node, link);
    const untilMs = this.#nowMs + next.size / contact.bytesPerSecond * 1_000;
    if (untilMs > contact.endMs) {
      node.scheduler.add(next, contact.to);
      return this.#askAgain(node, link);
    }
    const held = node.held.get(next.id)!;
    this.#release(node, held);
    link.isBusy = true;
    this.#leaving++;
    this.#at(untilMs, () => {
      link.isBusy = false;
      node.scheduler.sent(next, cost, untilMs);
      this.#sent(held.bundle, contact);
      this.#serve(node, link);
    });
  }

  /** Waiting may be better now and worse later. */
  #askAgain(node: Node, link: Link): void {
    if (link.asksAgain || node.scheduler.size === 0) return;
    link.asksAgain = true;
    this.#at(this.#nowMs + ASK_AGAIN_MS, () => {
      link.asksAgain = false;
      this.#serve(node, link);
    });
  }

  #sent(bundle: SimulatedBundle, contact: PricedContact): void {
    this.#energy += bundle.size * contact.energyPerByte;
    this.#money += bundle.size * contact.moneyPerByte;
    this.#exposedBytes += bundle.size * contact.exposure;
    if (this.#random() < contact.reliability) {
      const atMs = this.#nowMs + contact.delayMs;
      this.#at(atMs, () => {
        this.#leaving--;
        this.#arrive(bundle, contact.to);
      });
    } else {
      this.#leaving--;
      this.#arrive(bundle, contact.from);
    }
  }
}
