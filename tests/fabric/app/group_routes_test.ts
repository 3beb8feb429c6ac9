import { assert, assertEquals } from "@std/assert";
import { signBallot } from "../../../src/fabric/group/ballot.ts";
import {
  agentApp,
  AgentGroups,
  type Fabric,
  isDoubleBallot,
  Mailboxes,
  MlsGroupCrypto,
  parseEvidence,
} from "../../../src/fabric/mod.ts";
import { crypto } from "../_agents.ts";
import { FabricWorld } from "../_fabric_world.ts";

const mls = new MlsGroupCrypto(crypto);

Deno.test("who casts two ballots is shown with evidence that anybody checks, and counts for neither", async () => {
  await using world = new FabricWorld();
  const groups = { mls, onInvitation: () => true };
  const ana = await world.start("ana", "hill", { groups });
  const bob = await world.start("bob", "dale", { groups });
  world.introduce(ana, bob);
  const { node, book, fabric } = ana;
  await using own = new AgentGroups(fabric);
  const handle = agentApp({
    ...{ node, book, crypto, mailboxes: new Mailboxes([]) },
    groups: new Map<Fabric, AgentGroups>([[fabric, own]]),
  });
  const ask = async (path: string, body?: unknown) => {
    const response = await world.settle(Promise.resolve(handle(
      new Request(`http://127.0.0.1${path}`, {
        ...body !== undefined && {
          method: "POST",
          body: JSON.stringify(body),
        },
      }),
    )));
    const text = await response.text();
    return { status: response.status, json: () => JSON.parse(text), text };
  };
  const made = await ask("/groups", { kind: "vote", name: "board" });
  const { group } = made.json();
  assertEquals(
    (await ask(`/group/invite?group=board&member=bob@dale`, {})).json(),
    { group, invited: { id: `${bob.fabric.agent.id}`, name: "bob@dale" } },
  );
  const id = Uint8Array.fromHex(group);
  await world.dtn.until(() => bob.fabric.groups.get(id)?.isMember === true);
  const proposed = await ask("/group/propose?group=board", { text: "Paint" });
  const { vote } = proposed.json();
  const his = bob.fabric.groups.get(id)!;
  for (const choice of ["for", "against"] as const) {
    const signed = signBallot(bob.fabric.agent, {
      ...{ group: id, proposal: Uint8Array.fromHex(vote), choice },
      atMs: world.clock.wallTime(),
    });
    await world.settle(his.publish("vote.ballot", signed));
  }
  await world.dtn.until(() => fabric.groups.get(id)!.evidence.length === 1);
  const [shown] = (await ask("/group/evidence?group=board")).json();
  assertEquals(
    [shown.kind, shown.agent.name, shown.isProof],
    ["double_ballot", "bob@dale", true],
  );
  const evidence = parseEvidence(shown.signed);
  assert(isDoubleBallot(crypto, evidence));
  const [first] = evidence.proofs;
  const same = { ...evidence, proofs: [first!, first!] };
  assert(!isDoubleBallot(crypto, same));
  const other = { ...evidence, agent: fabric.agent.id };
  assert(!isDoubleBallot(crypto, other));
  const tally = (await ask(`/group/tally?group=board&vote=${vote}`)).json();
  assertEquals(tally.weights, { for: 0, against: 0, abstain: 0 });
  assertEquals(
    tally.equivocators.map(({ name }: { name: string }) => name),
    ["bob@dale"],
  );
});

Deno.test("routes of groups refuse what is malformed, and say what is not there", async () => {
  await using world = new FabricWorld();
  const { node, book, fabric } = await world.start("ana", "hill", {
    groups: { mls },
  });
  await using own = new AgentGroups(fabric);
  const mailboxes = new Mailboxes([]);
  const groups = new Map<Fabric, AgentGroups>([[fabric, own]]);
  const handle = agentApp({ node, book, mailboxes, crypto, groups });
  const none = agentApp({ node, book, mailboxes, crypto });
  const status = async (path: string, body?: string, app = handle) => {
    const response = await world.settle(Promise.resolve(app(
      new Request(`http://127.0.0.1${path}`, {
        ...body !== undefined && { method: "POST", body },
      }),
    )));
    await response.body?.cancel();
    return response.status;
  };
  assertEquals(await status("/groups", undefined, none), 404);
  assertEquals(await status("/groups", "{"), 400);
  assertEquals(await status("/groups", "{}"), 400);
  assertEquals(await status("/groups", '{"kind":"bored"}'), 400);
  const body = (fields: string) => `{"kind":"open","name":"a",${fields}}`;
  for (
    const fields of [
      ...['"maxMembers":1001', '"maxMembers":1.5', '"weights":[]'],
      ...['"weights":{"ana@hill":-1}', '"weights":{"ana@hill":1000001}'],
      ...['"admins":"ana@hill"', '"admins":[1]', '"admins":[]'],
      ...['"isAdminOnlyAdd":1', '"admins":["!"]'],
    ]
  ) assertEquals(await status("/groups", body(fields)), 400, fields);
  assertEquals(await status("/groups", body('"admins":["bob@x"]')), 404);
  assertEquals(fabric.groups.all, []);
  assertEquals(await status("/groups", body('"maxMembers":2')), 200);
  assertEquals(await status("/group"), 400);
  assertEquals(await status("/group?group=b"), 404);
  assertEquals(await status("/group?group=a"), 200);
  assertEquals(await status("/group/rules?group=a", '{"kind":"vote"}'), 400);
  assertEquals(await status("/group/publish?group=a", '{"value":1}'), 400);
  const bytes = (text: string) => `{"type":"say","bytes":${text}}`;
  for (const text of ["1", '{"x":1}', '{"x":"+"}']) {
    assertEquals(await status("/group/publish?group=a", bytes(text)), 400);
  }
  assertEquals(await status("/group/publish?group=a", bytes('{"x":""}')), 200);
  assertEquals(await status("/group/votes?group=a"), 422);
  assertEquals(await status("/group/messages?group=a"), 426);
  assertEquals(await status("/invitations/accept?group=a", ""), 404);
  assertEquals(await status("/group/remove?group=a&member=ana@hill", ""), 422);
  assertEquals(await status("/group/leave?group=a", ""), 409);
});
