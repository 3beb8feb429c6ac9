import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  ranFabric,
  runFabric,
  RunningFabric,
  startFabric,
} from "./_fabric_node.ts";
import { makeFolder } from "./_htx_process.ts";

const LISTEN = ["--listen", "htx://127.0.0.1:0"];

/** What a command printed as JSON. */
async function json<T>(...args: readonly string[]): Promise<T> {
  return JSON.parse(await ranFabric(...args, "--json"));
}

interface Group {
  readonly group: string;
  readonly isMember: boolean;
  readonly epoch: number;
  readonly authenticator: string;
  readonly members: readonly {
    readonly name: string;
    readonly isAdmin: boolean;
  }[];
  readonly counts: Readonly<Record<string, number>>;
}

/** Asks until the answer is as wanted. */
async function until<T>(
  ask: () => Promise<T>,
  isWanted: (value: T) => boolean,
): Promise<T> {
  for (;;) {
    const value = await ask();
    if (isWanted(value)) return value;
  }
}

/** A node that knows the others, and they it. */
async function startAll(
  path: string,
  ...names: readonly string[]
): Promise<RunningFabric[]> {
  const started: RunningFabric[] = [];
  for (const name of names) {
    const records = started.flatMap(({ agent }) => ["--record", agent.record]);
    const node = await RunningFabric.start(
      ...[`${path}/${name}`, name, ...LISTEN, ...records] as const,
    );
    for (const { flags } of started) {
      await ranFabric("peers", "add", node.agent.record, ...flags);
    }
    started.push(node);
  }
  return started;
}

/** Lets agents into a group, and waits until they are. */
async function letIn(
  group: string,
  by: RunningFabric,
  ...others: readonly RunningFabric[]
): Promise<void> {
  for (const { agent, flags } of others) {
    await ranFabric("group", "invite", group, agent.name, ...by.flags);
    await until(
      () => json<unknown[]>("group", "invitations", ...flags),
      ({ length }) => length > 0,
    );
    await ranFabric("group", "join", group, ...flags);
    await until(
      () => json<{ readonly isMember: boolean }[]>("group", "list", ...flags),
      (all) => all.some(({ isMember }) => isMember),
    );
  }
}

const show = ({ flags }: RunningFabric, group: string) =>
  json<Group>("group", "show", group, ...flags);

Deno.test("betanet-fabric group: an agent is invited, joins, hears what is published, is removed, and hears nothing more", async () => {
  await using folder = await makeFolder();
  const [alice, bob, cat] = await startAll(
    ...[folder.path, "alice@one", "bob@two", "cat@three"] as const,
  );
  const id = await ranFabric("group", "create", "team", ...alice!.flags);
  assert(/^[0-9a-f]{64}$/.test(id));
  await letIn("team", alice!, bob!, cat!);
  const shown = await until(
    () => show(cat!, "team"),
    ({ members }) => members.length === 3,
  );
  assertEquals(
    shown.members.map(({ name, isAdmin }) => [name, isAdmin]),
    [["alice@one", true], ["bob@two", false], ["cat@three", false]],
  );
  for (const each of [alice!, bob!]) {
    const { authenticator } = await until(
      () => show(each, "team"),
      ({ epoch }) => epoch === shown.epoch,
    );
    assertEquals(authenticator, shown.authenticator);
  }
  const sent = await json<{ id: string; accepted: number }>(
    ...["group", "publish", id.slice(0, 8), "say", '{"text":"hello"}'],
    ...alice!.flags,
  );
  assertEquals(sent.accepted, 2);
  for (const { flags } of [bob!, cat!]) {
    const line = await ranFabric(
      ...["group", "listen", "team", "--count", "1", ...flags],
    );
    const { id, from, type, value } = JSON.parse(line);
    assertEquals(
      [id, from.name, type, value],
      [sent.id, "alice@one", "say", { text: "hello" }],
    );
  }
  const events = startFabric(
    ...["group", "listen", "team", "--events", ...bob!.flags],
  );
  await events.said(/listens to team/);
  await ranFabric("group", "remove", "team", "cat@three", ...alice!.flags);
  await events.said(/"event":"epoch"/);
  await until(() => show(cat!, "team"), ({ isMember }) => !isMember);
  await ranFabric("group", "publish", "team", "say", "1", ...alice!.flags);
  await events.said(/"value":1/);
  const gone = await show(cat!, "team");
  assertEquals(gone.counts.read, 1);
  const publishing = await runFabric(
    ...["group", "publish", "team", "say", "2", ...cat!.flags],
  );
  assertEquals(publishing.code, 1);
  assertStringIncludes(publishing.stderr, "Not a member");
  await ranFabric("group", "forget", "team", ...cat!.flags);
  assertEquals(await json("group", "list", ...cat!.flags), []);
  await events.terminal.send("SIGTERM");
  await events.ended;
  for (const each of [alice!, bob!, cat!]) await each.end();
});
