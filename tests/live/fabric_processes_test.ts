/**
 * Eight agents on five nodes as processes on the loopback interface, whose clocks differ by minutes. What carries their sessions and
 * bundles is cut at random in the midst of whatever is under way, and nodes are killed and start again on what they kept. In the end
 * every message was handled once, or ended for a reason that was signed or is with its sender.
 *
 * @module
 */
import { assertEquals, assertGreater, assertLess } from "@std/assert";
import { delay, systemClock } from "../../src/core/async/mod.ts";
import { PRIORITIES } from "../../src/fabric/mod.ts";
import { makeFolder } from "../cli/_htx_process.ts";
import { FabricLedger } from "../scenario/_fabric_ledger.ts";
import type { Parcel } from "../scenario/_fabric_parcel.ts";
import { FabricMachine } from "../scenario/_fabric_processes.ts";
import { CuttableRelay } from "../scenario/_fabric_relay.ts";
import { report } from "../scenario/_line_process.ts";

const MESSAGES = Number(Deno.env.get("BETANET_FABRIC_MESSAGES") ?? 20_000);
/** As a program that awaits what it sends, an agent that waits for so many answers asks for nothing more, but tells. */
const MAX_ASKED = 32;
/** While so many of its messages are not accepted it says nothing at all. */
const MAX_TOLD = 16;
const STORM_MS = 60_000;
const STEP_MS = 100;
const CUT_EVERY_MS = 300;
const KILL_EVERY_MS = 3_000;
const DOWN_MS = 1_500;
const CUT_MS = 3_000;
const PATIENCE_MS = 180_000;
const MAX_RSS_BYTES = 512 * 1_048_576;

/** Nodes, how far their clocks are ahead in seconds, and their agents. */
const NODES = {
  n0: { offset: 0, agents: ["ana", "abe"] },
  n1: { offset: 95, agents: ["bob", "bea"] },
  n2: { offset: -110, agents: ["cid", "cleo"] },
  n3: { offset: 7, agents: ["dora"] },
  n4: { offset: -3, agents: ["eli"] },
} as const;
const NAMES = Object.keys(NODES) as (keyof typeof NODES)[];
const AGENTS = NAMES.flatMap((node) =>
  NODES[node].agents.map((agent) => `${agent}@${node}`)
);

Deno.test(`${AGENTS.length} agents on ${NAMES.length} processes, which are cut off and killed: of ${MESSAGES} messages each is handled once or ends with a reason`, async () => {
  await using scenario = await Scenario.start();
  const { ledger } = scenario;
  await scenario.storm();
  await scenario.heal();
  const fates = ledger.fates();
  const { again, doubted } = ledger.runs();
  const { attempts } = scenario;
  report(
    `${ledger.size} messages, ${scenario.kills} SIGKILLs, ${scenario.cuts} connections cut: ${
      JSON.stringify(fates)
    }; ${ledger.answers} requests answered; ${ledger.receipts} receipts verified; ${attempts.rpc} attempts live, ${attempts.bundle} bundles, ${scenario.copies} copies recognized; ${again} handlers ran again after a kill, ${doubted} first runs were said to be possibly second ones; ${ledger.handledUnheard} were handled and given up by who sent them; most memory ${
      (scenario.maxRssBytes / 1_048_576).toFixed(0)
    } MiB`,
  );
  assertEquals(ledger.faults.slice(0, 10), []);
  assertEquals(fates.open, 0, JSON.stringify(ledger.open.slice(0, 5)));
  assertGreater(fates.handled, 0.6 * MESSAGES);
  assertGreater(ledger.answers, 0.02 * MESSAGES);
  assertLess(fates.unaccepted + fates.orphaned, 0.1 * MESSAGES);
  assertLess(scenario.maxRssBytes, MAX_RSS_BYTES);
});

class Scenario implements AsyncDisposable {
  readonly ledger = new FabricLedger();
  readonly machines: FabricMachine[] = [];
  /** SIGKILLs so far. */
  kills = 0;
  /** Most memory of a node. */
  maxRssBytes = 0;
  attempts = { rpc: 0, bundle: 0 };
  copies = 0;
  /** By who dials whom, of sessions and of bundles. */
  readonly #sessions = new Map<string, CuttableRelay>();
  readonly #contacts = new Map<string, CuttableRelay>();
  readonly #stack = new AsyncDisposableStack();
  readonly #startMs = performance.now();

  static async start(): Promise<Scenario> {
    const scenario = new Scenario();
    await scenario.#start();
    return scenario;
  }

  /** Connections cut so far. */
  get cuts(): number {
    return this.#relays.reduce((n, { cuts }) => n + cuts, 0);
  }

  /** Messages are sent, what carries them is cut, nodes are killed. */
  async storm(): Promise<void> {
    const beganMs = performance.now();
    const steps = STORM_MS / STEP_MS;
    const later: Promise<void>[] = [];
    for (let step = 1; this.ledger.size < MESSAGES; step++) {
      assertLess(performance.now() - beganMs, STORM_MS + PATIENCE_MS);
      const due = Math.min(MESSAGES, Math.floor(MESSAGES * step / steps));
      while (this.ledger.size < due && await this.#sendOne());
      if (step % (CUT_EVERY_MS / STEP_MS) === 0) later.push(this.#cut());
      if (step % (KILL_EVERY_MS / STEP_MS) === 0) later.push(this.#kill());
      if (step % 20 === 0) await this.#report();
      const leftMs = beganMs + step * STEP_MS - performance.now();
      await delay(systemClock, Math.max(0, leftMs));
    }
    await Promise.all(later);
    this.#say(`the storm is over, ${await this.#report()} messages wait`);
  }

  /** Everybody is up and can reach everybody, until nothing waits. */
  async heal(): Promise<void> {
    const endMs = performance.now() + PATIENCE_MS;
    while (performance.now() < endMs) {
      const left = await this.#report() + this.ledger.waiting;
      if (left === 0) break;
      await delay(systemClock, 1_000);
    }
    this.#say(`${await this.#report()} wait at the end`);
    await Promise.all(this.machines.map((machine) => machine.stop()));
    for (const { name, state } of this.machines) {
      this.ledger.readHandled(state);
      for (const agent of AGENTS) {
        if (agent.endsWith(`@${name}`)) this.ledger.readAgent(agent, state);
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }

  get #relays(): CuttableRelay[] {
    return [...this.#sessions.values(), ...this.#contacts.values()];
  }

  async #start(): Promise<void> {
    for (const from of NAMES) {
      for (const to of NAMES) {
        const key = `${from} ${to}`;
        this.#sessions.set(key, this.#stack.use(new CuttableRelay()));
        if (from >= to) continue;
        this.#contacts.set(key, this.#stack.use(new CuttableRelay()));
      }
    }
    for (const node of NAMES) {
      const { path } = this.#stack.use(await makeFolder());
      const machine = this.#stack.use(
        new FabricMachine(
          {
            ...{ node, agents: AGENTS, state: path, handlerMs: 20 },
            offsetMs: 1_000 * NODES[node].offset,
            sessions: addressesFor(this.#sessions, node),
            contacts: addressesFor(this.#contacts, node),
          },
          this.ledger,
          (sessions, contacts) => {
            aim(this.#sessions, node, sessions);
            aim(this.#contacts, node, contacts);
          },
        ),
      );
      this.machines.push(machine);
      await machine.start();
    }
    this.#say("all are up");
  }

  /** Lets an agent whose node is up, and that does not wait, send a message; says whether there is one. */
  async #sendOne(): Promise<boolean> {
    const senders = AGENTS.filter((agent) =>
      this.#machineOf(agent).isUp && this.ledger.tells(agent) < MAX_TOLD
    );
    if (senders.length === 0) return false;
    const from = pick(senders);
    const mayAsk = this.ledger.asks(from) < MAX_ASKED;
    const parcel = parcelOf(this.ledger.size, from, mayAsk);
    this.ledger.send(parcel);
    const machine = this.#machineOf(parcel.from);
    if (!await machine.send(parcel)) this.ledger.orphan(machine.name);
    return true;
  }

  /** Cuts a way between two nodes for a while. */
  async #cut(): Promise<void> {
    const relay = pick(this.#relays);
    relay.cut();
    await delay(systemClock, CUT_MS * Math.random());
    relay.mend();
  }

  /** Ends a node with SIGKILL, and starts it again a little later. */
  async #kill(): Promise<void> {
    const machine = pick(this.machines.filter(({ isUp }) => isUp));
    this.kills++;
    await machine.kill();
    this.ledger.orphan(machine.name);
    await delay(systemClock, DOWN_MS * Math.random());
    await machine.start();
  }

  /** Asks everybody; gives how many messages wait. */
  async #report(): Promise<number> {
    let waiting = 0;
    this.attempts = { rpc: 0, bundle: 0 };
    this.copies = 0;
    for (const machine of this.machines) {
      const told = await machine.report();
      waiting += told?.outbox ?? 1;
      if (!told) continue;
      this.maxRssBytes = Math.max(this.maxRssBytes, told.rssBytes);
      this.attempts.rpc += told.attempts.rpc;
      this.attempts.bundle += told.attempts.bundle;
      this.copies += told.copies;
    }
    return waiting;
  }

  #machineOf(agent: string): FabricMachine {
    return this.machines.find(({ name }) => agent.endsWith(`@${name}`))!;
  }

  #say(text: string): void {
    const seconds = ((performance.now() - this.#startMs) / 1_000).toFixed(1);
    report(`${seconds} s: ${text}`);
  }
}

/** A message of some kind and urgency to another agent. */
function parcelOf(number: number, from: string, mayAsk: boolean): Parcel {
  const to = pick(AGENTS.filter((each) => each !== from));
  const isRequest = mayAsk && Math.random() < 0.4;
  const isOrdered = !isRequest && Math.random() < 0.4;
  const odd = Math.random();
  const type = odd < 0.02
    ? "refuse"
    : odd < 0.03
    ? "throw"
    : odd < 0.04
    ? "nobody"
    : isRequest
    ? "ask"
    : "note";
  return {
    ...{ number, from, to, type, isRequest, isOrdered },
    way: pick(["auto", "auto", "auto", "rpc", "bundle"]),
    priority: pick(PRIORITIES),
    lifetimeMs: Math.random() < 0.03 ? 2_000 : 600_000,
    size: Math.random() < 0.005 ? 100_000 : Math.ceil(1_000 * Math.random()),
  };
}

function addressesFor(
  relays: ReadonlyMap<string, CuttableRelay>,
  node: string,
): Record<string, CuttableRelay["address"]> {
  const addresses: Record<string, CuttableRelay["address"]> = {};
  for (const [key, { address }] of relays) {
    const [from, to] = key.split(" ");
    if (from === node) addresses[to!] = address;
  }
  return addresses;
}

function aim(
  relays: ReadonlyMap<string, CuttableRelay>,
  node: string,
  address: CuttableRelay["address"],
): void {
  for (const [key, relay] of relays) {
    if (key.endsWith(` ${node}`)) relay.target = address;
  }
}

function pick<T>(list: readonly T[]): T {
  return list[Math.floor(list.length * Math.random())]!;
}
