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

interface Tally {
  readonly vote: string;
  readonly weights: Readonly<Record<string, number>>;
  readonly total: number;
  readonly isPassed: boolean;
}

Deno.test("betanet-fabric group vote: weighted ballots over the restart of a member, and a tally that anybody verifies", async () => {
  await using folder = await makeFolder();
  const { path } = folder;
  const names = ["alice@one", "bob@two", "cat@three"] as const;
  const [alice, bob, cat] = await startAll(path, ...names);
  await ranFabric(
    ...["group", "create", "board", "--kind", "vote", "--weight", "bob@two=3"],
    ...alice!.flags,
  );
  await letIn("board", alice!, bob!, cat!);
  const vote = await ranFabric(
    ...["group", "vote", "open", "board", "Paint the shed", "--time", "1h"],
    ...alice!.flags,
  );
  const votes = ({ flags }: RunningFabric) =>
    json<Tally[]>("group", "vote", "list", "board", ...flags);
  for (const each of [bob!, cat!]) {
    await until(() => votes(each), ({ length }) => length === 1);
  }
  const cast = (by: RunningFabric, choice: string) =>
    runFabric(
      ...["group", "vote", "cast", "board", vote.slice(0, 8), choice],
      ...by.flags,
    );
  assertEquals((await cast(cat!, "against")).code, 0);
  await bob!.end();
  assertEquals((await cast(alice!, "abstain")).code, 0);
  const again = await RunningFabric.start(
    ...[`${path}/bob@two`, "bob@two", ...LISTEN] as const,
  );
  await until(
    () => votes(again),
    ([tally]) => tally!.weights.against === 1 && tally!.weights.abstain === 1,
  );
  const bobs = await cast(again, "for");
  assertEquals(bobs.code, 0, bobs.stderr);
  const second = await cast(again, "against");
  assertEquals(second.code, 1);
  assertStringIncludes(second.stderr, "was cast");
  assertEquals((await cast(again, "perhaps")).code, 2);
  for (const { flags } of [alice!, again, cat!]) {
    await until(
      () => json<Tally>("group", "vote", "tally", "board", vote, ...flags),
      ({ weights }) => weights.for === 3,
    );
    const file = `${path}/tally`;
    const signed = await ranFabric(
      ...["group", "vote", "export", "board", vote, ...flags],
    );
    await Deno.writeTextFile(file, signed);
    const tally = await json<Tally>("group", "vote", "verify", file);
    assertEquals(
      [tally.vote, tally.weights, tally.total, tally.isPassed],
      [vote, { for: 3, against: 1, abstain: 1 }, 5, true],
    );
    const last = signed.at(-9) === "A" ? "B" : "A";
    await Deno.writeTextFile(
      file,
      signed.slice(0, -9) + last + signed.slice(-8),
    );
    const changed = await runFabric("group", "vote", "verify", file);
    assertEquals(changed.code, 1, changed.stdout);
    assertStringIncludes(changed.stderr, "does not verify");
  }
  const none = await runFabric(
    ...["group", "vote", "tally", "board", "abcdef", ...alice!.flags],
  );
  assertStringIncludes(none.stderr, "No vote here is abcdef");
  const said = await runFabric(
    ...["group", "publish", "board", "say", "1", ...alice!.flags],
  );
  assertStringIncludes(said.stderr, "does not allow it");
  for (const each of [alice!, again, cat!]) await each.end();
});

Deno.test("betanet-fabric group: kinds and roles say who publishes what", async () => {
  await using folder = await makeFolder();
  const [alice, bob] = await startAll(
    ...[folder.path, "alice@one", "bob@two"] as const,
  );
  const both = [alice!, bob!];
  const create = async (kind: string) => {
    await ranFabric("group", "create", kind, "--kind", kind, ...alice!.flags);
    await ranFabric("group", "invite", kind, "bob@two", ...alice!.flags);
    await until(
      () => json<unknown[]>("group", "invitations", ...bob!.flags),
      ({ length }) => length > 0,
    );
    await ranFabric("group", "join", kind, ...bob!.flags);
    await until(() => show(alice!, kind), ({ members }) => members.length > 1);
    await until(
      () => runFabric("group", "show", kind, ...bob!.flags),
      ({ code }) => code === 0,
    );
  };
  const publish = (by: RunningFabric, ...args: string[]) =>
    runFabric("group", "publish", ...args, ...by.flags);
  const heard = async (by: RunningFabric, kind: string) =>
    JSON.parse(
      await ranFabric("group", "listen", kind, "--count", "1", ...by.flags),
    );
  await create("broadcast");
  const early = await publish(bob!, "broadcast", "news", "1");
  assertEquals(early.code, 1);
  assertStringIncludes(early.stderr, "not_an_admin");
  await ranFabric(
    "group",
    "admin",
    "broadcast",
    "make",
    "bob@two",
    ...alice!.flags,
  );
  await until(
    () => show(bob!, "broadcast"),
    ({ members }) => members.every(({ isAdmin }) => isAdmin),
  );
  assertEquals((await publish(bob!, "broadcast", "news", "2")).code, 0);
  assertEquals((await heard(alice!, "broadcast")).value, 2);
  await ranFabric(
    ...["group", "admin", "broadcast", "unmake", "alice@one", ...bob!.flags],
  );
  const last = await runFabric(
    ...["group", "admin", "broadcast", "unmake", "bob@two", ...bob!.flags],
  );
  assertEquals(last.code, 1);
  assertStringIncludes(last.stderr, "at least one admin");
  await until(
    () => show(alice!, "broadcast"),
    ({ members }) => !members.every(({ isAdmin }) => isAdmin),
  );
  const late = await publish(alice!, "broadcast", "news", "3");
  assertStringIncludes(late.stderr, "not_an_admin");
  await create("alert");
  const fire = { severity: "emergency", category: "fire", text: "Leave" };
  const sent = await publish(alice!, "alert", "alert", JSON.stringify(fire));
  assertEquals(sent.code, 0, sent.stderr);
  const alarm = await heard(bob!, "alert");
  assertEquals([alarm.priority, alarm.value], ["critical", fire]);
  const bare = await publish(alice!, "alert", "alert", '{"severity":"info"}');
  assertStringIncludes(bare.stderr, "payload");
  await create("training");
  const file = `${folder.path}/gradients`;
  await Deno.writeFile(file, new Uint8Array([251, 255]));
  const part = { session: "s", round: 1, samples: 10 };
  const trained = await publish(
    ...[bob!, "training", "training.gradients", JSON.stringify(part)] as const,
    ...["--bytes", `gradients=${file}`],
  );
  assertEquals(trained.code, 0, trained.stderr);
  assertEquals((await heard(alice!, "training")).value, {
    ...part,
    gradients: "-_8",
  });
  for (const each of both) await each.end();
});

Deno.test("betanet-fabric group says what is wrong with what it is told, and what to do", async () => {
  await using folder = await makeFolder();
  const alice = await RunningFabric.start(
    ...[`${folder.path}/one`, "alice@one", "--status-port", "0"] as const,
  );
  const says = async (code: number, text: string, ...args: string[]) => {
    const ran = await runFabric("group", ...args, ...alice.flags);
    assertEquals(ran.code, code, `${args}: ${ran.stdout}`);
    assertStringIncludes(ran.stderr, text);
  };
  await says(1, "group list", "show", "team");
  await says(1, "group list", "listen", "team");
  await says(1, "No group here", "join", "team");
  await says(2, "vote, broadcast", "create", "team", "--kind", "bored");
  await says(2, "yes or no", "create", "team", "--admins-add", "perhaps");
  await says(2, "out of range", "create", "team", "--max-members", "0");
  const ids = [
    await ranFabric("group", "create", "team", ...alice.flags),
    await ranFabric("group", "create", "team", ...alice.flags),
  ];
  await says(1, "by its id", "show", "team");
  await says(1, "Nobody is known as bob@two", "invite", ids[0]!, "bob@two");
  await says(1, "member already", "invite", ids[0]!, "alice@one");
  await says(1, "leaves", "remove", ids[0]!, "alice@one");
  await says(1, "kind vote", "vote", "open", ids[0]!, "Paint it");
  await says(2, "No rule is given", "rules", ids[0]!);
  await says(2, "Want make or unmake", "admin", ids[0]!, "be", "alice@one");
  await says(2, "field=file", "publish", ids[0]!, "say", "--bytes", "x");
  await ranFabric("group", "rules", ids[0]!, "--name", "crew", ...alice.flags);
  const renewed = await json<Group>("group", "renew", "crew", ...alice.flags);
  assertEquals([renewed.group, renewed.epoch], [ids[0], 2]);
  const metrics = await fetch(`${alice.printed.status}/metrics`);
  assertStringIncludes(await metrics.text(), "fabric_groups 2");
  await ranFabric("group", "forget", "team", ...alice.flags);
  const left = await json<Group[]>("group", "list", ...alice.flags);
  assertEquals(left.map(({ group }) => group), [ids[0]]);
  await alice.end();
  const proof = `${folder.path}/proof`;
  await Deno.writeTextFile(proof, "betanet-evidence:AAAA");
  const bad = await runFabric("group", "evidence", "verify", proof);
  assertEquals(bad.code, 1);
  assertStringIncludes(bad.stderr, "does not verify");
});
