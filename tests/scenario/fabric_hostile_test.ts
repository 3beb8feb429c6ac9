import { assert, assertEquals, assertLess } from "@std/assert";
import { encodePayload } from "../../src/fabric/agent/payload.ts";
import { makeFolder } from "../cli/_htx_process.ts";
import { agentOf } from "../fabric/_agents.ts";
import { FabricAttacker, framesOf } from "./_fabric_attacker.ts";
import { dropsOf, forgeries, never } from "./_fabric_forgeries.ts";
import { FabricLedger } from "./_fabric_ledger.ts";
import type { Parcel } from "./_fabric_parcel.ts";
import { FabricMachine, type FabricReport } from "./_fabric_processes.ts";
import { CuttableRelay } from "./_fabric_relay.ts";
import { report } from "./_line_process.ts";

const AGENTS = ["ana@us", "end@there"] as const;
const [US, THERE] = AGENTS;
const ana = agentOf(US);
const end = agentOf(THERE);
/** Links that the node takes: fewer than the attacker opens. */
const MAX_LINKS = 128;
const SESSIONS = Number(Deno.env.get("FABRIC_HOSTILE_SESSIONS") ?? 1_000);
const HELD = 400;
const FLOOD = 11_000;
const UNREAD = 500;
const MAX_GROWTH_BYTES = 256 * 1_048_576;
const PATIENCE_MS = 60_000;

Deno.test(`a node of agents serves its friend, each message once, while others forge, replay over a SIGKILL, flood, open ${SESSIONS} sessions and read nothing`, async () => {
  await using stack = new AsyncDisposableStack();
  const ledger = new FabricLedger();
  const relays = {
    us: { sessions: new CuttableRelay(), contacts: new CuttableRelay() },
    there: { sessions: new CuttableRelay(), contacts: new CuttableRelay() },
  };
  for (const each of [relays.us, relays.there]) {
    stack.use(each.sessions);
    stack.use(each.contacts);
  }
  let attacker: FabricAttacker | undefined;
  const start = async (node: "us" | "there") => {
    const { path } = stack.use(await makeFolder());
    const machine = stack.use(
      new FabricMachine(
        {
          ...{ node, agents: AGENTS, state: path, offsetMs: 0, handlerMs: 20 },
          maxLinks: MAX_LINKS,
          sessions: {
            us: relays.us.sessions.address,
            there: relays.there.sessions.address,
          },
          contacts: node === "us"
            ? { there: relays.there.contacts.address }
            : {},
        },
        ledger,
        (sessions, contacts) => {
          relays[node].sessions.target = sessions;
          relays[node].contacts.target = contacts;
          if (node === "there") return;
          if (attacker) attacker.addresses = { sessions, contacts };
          else attacker = new FabricAttacker(ana, { sessions, contacts });
        },
      ),
    );
    await machine.start();
    return machine;
  };
  const [us, there] = [await start("us"), await start("there")];
  const hostile = stack.use(attacker!);
  let [mostBytes, firstBytes] = [0, 0];
  const look = async (): Promise<FabricReport> => {
    const seen = (await us.report())!;
    mostBytes = Math.max(mostBytes, seen.rssBytes);
    return seen;
  };
  /** Waits until the node's counts are so. */
  const until = async (
    what: string,
    isSo: (report: FabricReport) => boolean,
  ): Promise<FabricReport> => {
    for (let left = PATIENCE_MS; left > 0; left -= 100) {
      const seen = await look();
      if (isSo(seen)) return seen;
      await pause(100);
    }
    throw new Error(`${what}: ${JSON.stringify(await look())}`);
  };
  const talk = new Talk(ledger, us, there);
  firstBytes = (await look()).rssBytes;

  // What both lives of the node are shown: envelopes of its friend and of a stranger that somebody has kept.
  const captured = [end, hostile.eve].map((agent, n) => {
    const payload = encodePayload(n);
    const message = hostile.message(n, { from: agent.id, payload });
    return { message, envelope: hostile.envelope(message, agent) };
  });
  const talking = talk.start();
  const replays = async (times: number) => {
    for (let i = 0; i < times; i++) {
      for (const { envelope } of captured) await hostile.bundle(envelope);
    }
    const link = await hostile.link();
    for (let i = 0; i < times; i++) {
      await hostile.send(link, captured[1]!.message);
    }
    await until(
      "replays",
      ({ counts }) =>
        counts.bundles.received >= 2 * times && counts.received.copies >= times,
    );
    await hostile.release();
  };
  await replays(20);
  assertEquals(drums(us.state), [0, 1]);

  await us.kill();
  ledger.orphan("us");
  await us.start();
  await replays(20);
  assertEquals(drums(us.state), [0, 1]);
  const before = dropsOf(await look());
  const forged = await forgeries(hostile, ana, end);
  const names = Object.keys(forged) as (keyof typeof forged)[];
  const since = (report: FabricReport) => {
    const drops = dropsOf(report);
    return names.map((name) => drops[name] - before[name]);
  };
  const after = await until(
    "forgeries",
    (report) => since(report).every((n, i) => n >= forged[names[i]!]),
  );
  // Friends' receipts and answers about what was sent before the SIGKILL may come for nobody too.
  const extra = since(after).map((n, i) => [names[i], n - forged[names[i]!]]);
  assertEquals(
    extra.filter(([name, n]) =>
      n !== 0 && name !== "foreignReceipts" && name !== "lateAnswers"
    ),
    [],
  );

  // More than is handled, by who keeps the windows: each has one status, and what was taken is handled once.
  const flooding = await hostile.link();
  const drummed = drums(us.state).length;
  const said = hostile.statuses;
  const saidBefore = { ...said };
  await Promise.all(Array.from({ length: FLOOD }, (_, n) =>
    hostile.send(
      flooding,
      hostile.message(n, { payload: encodePayload(FLOOD + n) }),
    )));
  const taken = said.taken - saidBefore.taken;
  const full = said.full - saidBefore.full;
  assertEquals(taken + full, FLOOD);
  const flooded = await until(
    "what was taken of the flood",
    () => drums(us.state).length >= drummed + taken,
  );
  assert(flooded.counts.received.full >= full);
  // Answers that are not read.
  const unread = await hostile.raw();
  await unread.write(framesOf(Array.from({ length: UNREAD }, (_, n) => {
    const payload = encodePayload(2 * FLOOD + n);
    return hostile.message(n, { kind: "request", payload });
  })));
  const all = drummed + taken + UNREAD;
  await until("what is answered", () => drums(us.state).length >= all);
  assertEquals(drums(us.state).length, all);
  assertEquals(new Set(drums(us.state)).size, all);
  // As many handlers that do not return as there are.
  for (let n = 0; n < 300; n++) {
    await hostile.send(flooding, never(hostile, n));
  }

  for (let opened = 0; opened < SESSIONS; opened += 20) {
    await Promise.all(
      Array.from(
        { length: 20 },
        (_, n) =>
          (opened + n) % 4
            ? hostile.raw(agentOf(`e${opened + n}@moor`)).catch(() => {})
            : hostile.session().catch(() => {}),
      ),
    );
    await hostile.release(HELD);
    if (opened % 100 === 0) await look();
  }
  await hostile.release();
  const { counts } = await until(
    "no links but of friends",
    ({ links }) => links <= 2,
  );
  const { refused, unopened } = counts.links;
  assert(refused > 0 && unopened > 0, JSON.stringify(counts.links));

  await talk.stop();
  await talking;
  await until("an empty outbox", ({ outbox }) => outbox === 0);
  for (let left = PATIENCE_MS; left > 0; left -= 100) {
    if ((await there.report())!.outbox + ledger.waiting === 0) break;
    await pause(100);
  }
  await look();
  for (const machine of [us, there]) await machine.stop();
  for (const { state } of [us, there]) ledger.readHandled(state);
  ledger.readAgent(US, us.state);
  ledger.readAgent(THERE, there.state);
  const fates = ledger.fates();
  const { again, doubted } = ledger.runs();
  assertEquals(ledger.faults, []);
  assertEquals(fates.open, 0, JSON.stringify(ledger.open.slice(0, 5)));
  assertEquals(talk.refusals(fates), 0);
  report(
    `${ledger.size} messages of friends, ${
      JSON.stringify(fates)
    }, ${ledger.receipts} receipts verified, ${again} handlers ran again after the SIGKILL and were told so, ${doubted} first runs were said to be possibly second ones; ${hostile.sessions} hostile sessions, ${FLOOD} messages of a flood (${taken} taken), drops ${
      JSON.stringify(counts)
    }; ${((mostBytes - firstBytes) / 1_048_576).toFixed(0)} MiB more at most`,
  );
  assertLess(mostBytes - firstBytes, MAX_GROWTH_BYTES);
});

/** What two friends say to each other meanwhile. */
class Talk {
  readonly #ledger: FabricLedger;
  readonly #us: FabricMachine;
  readonly #there: FabricMachine;
  #isOver = false;
  #refused = 0;

  constructor(ledger: FabricLedger, us: FabricMachine, there: FabricMachine) {
    this.#ledger = ledger;
    this.#us = us;
    this.#there = there;
  }

  /** Talks until {@link stop}. */
  async start(): Promise<void> {
    while (!this.#isOver) {
      const machine = this.#ledger.size % 2 ? this.#us : this.#there;
      if (machine.isUp) {
        const parcel = parcelOf(this.#ledger.size);
        if (parcel.type !== "note" && parcel.type !== "ask") this.#refused++;
        this.#ledger.send(parcel);
        await machine.send(parcel);
      }
      await pause(30);
    }
  }

  stop(): void {
    this.#isOver = true;
  }

  /** Messages that were refused though their handlers do not. */
  refusals({ refused }: { readonly refused: number }): number {
    return Math.max(0, refused - this.#refused);
  }
}

function parcelOf(number: number): Parcel {
  const [from, to] = number % 2 ? [US, THERE] : [THERE, US];
  const kind = (number >> 1) % 10;
  const isRequest = kind < 4;
  const type = isRequest ? "ask" : kind === 4 ? "throw" : "note";
  return {
    ...{ number, from, to, isRequest, type },
    isOrdered: kind === 5 || kind === 6,
    way: kind === 7 ? "bundle" : "auto",
    priority: kind === 8 ? "low" : "normal",
    lifetimeMs: 600_000,
    size: number % 500,
  };
}

/** What drums the handlers have written down, in order of number. */
function drums(state: string): number[] {
  const text = Deno.readTextFileSync(`${state}/drummed`);
  return text.split("\n").filter(Boolean).map(Number).sort((a, b) => a - b);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
