import { assertEquals, assertGreater } from "@std/assert";
import { makeFolder } from "../cli/_htx_process.ts";
import { FabricLedger } from "./_fabric_ledger.ts";
import type { Parcel } from "./_fabric_parcel.ts";
import { FabricMachine } from "./_fabric_processes.ts";
import { CuttableRelay } from "./_fabric_relay.ts";
import { report } from "./_line_process.ts";

const KILLS = 8;
const ROUND = 60;
const MAX_DELAY_MS = 400;
const TIMEOUT_MS = 60_000;
const AGENTS = ["ana@us", "end@there"] as const;
const [US, THERE] = AGENTS;

Deno.test("SIGKILL of a node of agents at any instant loses no message that it accepted, and hands none to a handler twice unsaid", async () => {
  await using stack = new AsyncDisposableStack();
  const ledger = new FabricLedger();
  const relay = {
    us: {
      sessions: stack.use(new CuttableRelay()),
      contacts: stack.use(new CuttableRelay()),
    },
    there: {
      sessions: stack.use(new CuttableRelay()),
      contacts: stack.use(new CuttableRelay()),
    },
  };
  const machines: FabricMachine[] = [];
  for (const node of ["us", "there"] as const) {
    const { path } = stack.use(await makeFolder());
    const machine = stack.use(
      new FabricMachine(
        {
          ...{ node, agents: AGENTS, state: path, offsetMs: 0, handlerMs: 30 },
          sessions: {
            us: relay.us.sessions.address,
            there: relay.there.sessions.address,
          },
          contacts: node === "us"
            ? { there: relay.there.contacts.address }
            : {},
        },
        ledger,
        (sessions, contacts) => {
          relay[node].sessions.target = sessions;
          relay[node].contacts.target = contacts;
        },
      ),
    );
    machines.push(machine);
    await machine.start();
  }
  const [us, there] = machines as [FabricMachine, FabricMachine];
  const send = async () => {
    const parcel = parcelOf(ledger.size);
    ledger.send(parcel);
    await (parcel.from === US ? us : there).send(parcel);
  };
  for (let i = 0; i < KILLS; i++) {
    for (let n = 0; n < ROUND; n++) await send();
    await new Promise((resolve) =>
      setTimeout(resolve, MAX_DELAY_MS * Math.random())
    );
    await us.kill();
    ledger.orphan("us");
    await us.start();
  }
  const by = performance.now() + TIMEOUT_MS;
  while (performance.now() < by) {
    const reports = await Promise.all([us.report(), there.report()]);
    const left = reports.reduce((n, each) => n + (each?.outbox ?? 1), 0);
    if (left + ledger.waiting === 0) break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  for (const machine of machines) await machine.stop();
  for (const { state } of machines) ledger.readHandled(state);
  ledger.readAgent(US, us.state);
  ledger.readAgent(THERE, there.state);

  const fates = ledger.fates();
  const { again, doubted } = ledger.runs();
  assertEquals(ledger.faults, []);
  assertEquals(fates.open, 0, JSON.stringify(ledger.open.slice(0, 5)));
  assertGreater(fates.handled, KILLS * ROUND / 2);
  report(
    `${KILLS} SIGKILLs: ${ledger.size} messages, ${
      JSON.stringify(fates)
    }; ${again} handlers ran again and were told so, ${doubted} first runs were said to be possibly second ones; ${ledger.receipts} receipts verified`,
  );
});

/** A notification, in order or not, or a request, from one to the other. */
function parcelOf(number: number): Parcel {
  const isRequest = number % 3 === 0;
  const [from, to] = number % 2 ? [US, THERE] : [THERE, US];
  return {
    ...{ number, from, to, isRequest },
    type: isRequest ? "ask" : "note",
    isOrdered: number % 3 === 1,
    way: number % 5 === 0 ? "bundle" : "auto",
    priority: "normal",
    lifetimeMs: 600_000,
    size: number % 40 === 7 ? 100_000 : number % 500,
  };
}
