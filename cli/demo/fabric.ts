import { delay, systemClock } from "../../src/core/async/mod.ts";
import { defaultProvider } from "../../src/core/crypto/mod.ts";
import { parseReceipts, verifyReceipts } from "../../src/fabric/mod.ts";
import { CliError } from "../_error.ts";
import type { Context } from "../_main.ts";
import { table } from "../_table.ts";
import { makePlace, startPlace } from "./bundle_place.ts";
import { Counter } from "./fabric_counter.ts";
import { Exchange, type FabricPhase } from "./fabric_exchange.ts";
import { type AgentPlace, makeHome, startAgent } from "./fabric_place.ts";
import { step, tellWhatTheySaid } from "./step.ts";

/** What a run came to. */
export interface FabricFigures {
  /** What happened while the network was whole, cut, and whole again. */
  readonly phases: readonly FabricPhase[];
  /** From the mending until a request went live again. */
  readonly backMs: number;
  /** Notifications whose receipt says that they were handled, verified. */
  readonly receipts: number;
  /** Signatures over them. */
  readonly signatures: number;
}

const COUNT = 200;
const POLL_MS = 50;
const MAX_WAIT_MS = 30_000;

/** Shows an exchange of requests and notifications whose network is cut in the middle: it goes on by bundles, and returns. */
export async function runFabric(context: Context): Promise<FabricFigures> {
  context.note(
    `This lets Alice send Bob hundreds of requests and as many notifications, each on a node of their own; in the middle it cuts ` +
      `the network between them but for a third node that takes bundles, and later mends it.`,
  );
  const root = await Deno.makeTempDir({ prefix: "betanet-demo-" });
  await using stack = new AsyncDisposableStack();
  stack.defer(() => Deno.remove(root, { recursive: true }));
  const relay = stack.use(
    await startPlace(await makePlace(root, "relay"), context),
  );
  const start = async (name: string) => {
    const home = stack.use(await makeHome(root, name, relay.address));
    return stack.use(await startAgent(home, context));
  };
  const alice = await start("alice@one");
  const bob = await start("bob@two");
  try {
    return await exchange(alice, bob, context);
  } catch (error) {
    const children = [alice.child, bob.child, relay.child];
    if (!context.signal.aborted) tellWhatTheySaid(children, context);
    throw error;
  }
}

/** `figures` for a person. */
export function fabricTable({ phases }: FabricFigures): string {
  return table(
    [
      ...["network", "requests", "notifications", "by RPC", "by bundle"],
      ...["fell back", "p50 ms", "p95 ms", "max ms"],
    ],
    phases.map((each) => [
      ...[each.name, each.requests, each.notifications, each.byRpc],
      ...[each.byBundle, each.fallbacks, each.p50Ms, each.p95Ms, each.maxMs],
    ]),
  );
}

async function exchange(
  alice: AgentPlace,
  bob: AgentPlace,
  context: Context,
): Promise<FabricFigures> {
  const { signal } = context;
  await alice.ask("/peers", bob.record);
  await bob.ask("/peers", alice.record);
  await using requests = await Counter.open(bob.app, "next", signal);
  await using notes = await Counter.open(bob.app, "note", signal);
  const paths = [alice.path, bob.path];
  const sending = new Exchange(alice, bob);
  const whole = await sending.phase("whole", { count: COUNT });
  step(context, `${COUNT} requests are answered live`);
  const cut = await sending.phase("cut midway", {
    count: COUNT,
    midway: () => {
      for (const path of paths) path.cut();
    },
  });
  step(context, `${COUNT} more are, of which the last went as bundles`);
  for (const path of paths) path.mend();
  const startMs = systemClock.now();
  const { carried } = await sending.counts();
  const returning = await sending.phase("mended just now", {
    ...{ count: COUNT, atATime: 1 },
    isOver: async () => {
      const { rpc } = (await sending.counts()).carried;
      return rpc.request! > carried.rpc.request!;
    },
  });
  const backMs = Math.round(systemClock.now() - startMs);
  const mended = await sending.phase("mended", { count: COUNT });
  if (mended.byBundle > 0) {
    throw new CliError("failed", "Messages do not go live again");
  }
  step(context, `requests were live again ${backMs} ms after the mending`);
  const { receipts, signatures } = await untilReceipts(alice, sending, signal);
  step(context, `${receipts} notifications have receipts that verify`);
  requests.requireEachOnce(sending.sent);
  notes.requireEachOnce(sending.sent);
  step(context, `Bob had each message once, and none is missing`);
  return {
    phases: [whole, cut, returning, mended],
    backMs,
    receipts,
    signatures,
  };
}

/** Waits until every notification has a receipt of its handling, and verifies them all. */
async function untilReceipts(
  alice: AgentPlace,
  { ids }: Exchange,
  signal: AbortSignal,
): Promise<{ receipts: number; signatures: number }> {
  const startMs = systemClock.now();
  for (;;) {
    const body = await alice.ask("/receipts/signed");
    const lines = new TextDecoder().decode(body).trim().split("\n");
    const handled = new Set(
      lines.filter((line) => line !== "").flatMap((line) =>
        verifyReceipts(defaultProvider(), parseReceipts(line))
          .filter(({ state }) => state === "handled")
          .map(({ id }) => id.toHex())
      ),
    );
    const missing = [...ids].filter((id) => !handled.has(id));
    if (missing.length === 0) {
      return { receipts: ids.size, signatures: lines.length };
    }
    if (systemClock.now() - startMs > MAX_WAIT_MS) {
      throw new CliError("failed", `${missing.length} receipts are missing`);
    }
    await delay(systemClock, POLL_MS, { signal });
  }
}
