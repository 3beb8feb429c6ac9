import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Bytes } from "../../../src/core/bytes/mod.ts";
import { VirtualClock } from "../../../src/core/async/mod.ts";
import { memoryStore } from "../../../src/core/storage/mod.ts";
import {
  type Agent,
  AgentBook,
  FabricError,
  type Message,
} from "../../../src/fabric/mod.ts";
import { encodeFrame } from "../../../src/fabric/rpc/frame.ts";
import {
  openLink,
  type RpcLink,
  type RpcLinkOptions,
} from "../../../src/fabric/rpc/rpc_link.ts";
import type { Session, Stream } from "../../../src/htx/mod.ts";
import { until, World } from "../../htx/_world.ts";
import { crypto, recordOf } from "../_agents.ts";
import { ana, bob, eve, messageOf } from "../_messages.ts";

/** One end of a link in a test, and what came there. */
class End {
  readonly messages: Message[] = [];
  readonly answers: Message[] = [];
  readonly receipts: Bytes[] = [];
  readonly openings: { opening: Message; stream: Stream; rest: Uint8Array }[] =
    [];
  readonly options: RpcLinkOptions;
  readonly clock = new VirtualClock(1_000);
  unproven = 0;
  onMessage: (message: Message, link: RpcLink) => void = () => {};

  constructor(agent: Agent, staticKey: Uint8Array, maxMessages: number) {
    const { clock } = this;
    const book = new AgentBook({ crypto, clock, store: memoryStore() });
    const records = [recordOf(agent, { nodes: [{ staticKey }] })];
    this.options = {
      hello: { records, maxMessages, maxBytes: 1_000_000 },
      clock,
      learn: (record) => book.learn(record).id,
      speaksFor: (key, id) => book.speaksFor(key, id),
      onMessage: (message, link) => {
        this.messages.push(message);
        this.onMessage(message, link);
      },
      onAnswer: (answer) => void this.answers.push(answer),
      onReceipts: (receipts) => void this.receipts.push(receipts),
      onOpening: (opening, stream, rest) =>
        void this.openings.push({ opening, stream, rest }),
      onUnproven: () => void this.unproven++,
    };
  }
}

interface Pair extends AsyncDisposable {
  readonly near: End;
  readonly far: End;
  readonly link: RpcLink;
  readonly farLink: RpcLink;
  readonly sessions: { client: Session; server: Session };
}

/** Ana's node has dialed Bob's. */
async function linked(maxMessages = 100): Promise<Pair> {
  const world = await World.start();
  const sessions = await world.pair();
  const { client, server } = sessions;
  const near = new End(ana, server.remoteStaticKey, maxMessages);
  const far = new End(bob, client.remoteStaticKey, maxMessages);
  const [link, farLink] = await Promise.all([
    openLink(client, "dialer", near.options),
    openLink(server, "listener", far.options),
  ]);
  return {
    ...{ near, far, link, farLink, sessions },
    async [Symbol.asyncDispose]() {
      await link[Symbol.asyncDispose]();
      await farLink[Symbol.asyncDispose]();
      await world[Symbol.asyncDispose]();
    },
  };
}

const request = (n: number, fields: Partial<Message> = {}) =>
  messageOf(n, { kind: "request", ...fields });
const answerTo = (message: Message, payload: Uint8Array) =>
  messageOf(200, {
    ...{ kind: "reply", from: message.to, to: message.from, payload },
    replyTo: message.id,
  });

Deno.test("requests go both ways, each with its own answer, in any order", async () => {
  await using pair = await linked();
  const { near, far, link, farLink } = pair;
  assertEquals([...link.agents], [`${bob.id}`]);
  assertEquals([...farLink.agents], [`${ana.id}`]);
  const asked: Message[] = [];
  far.onMessage = (message) => {
    asked.unshift(message);
    if (asked.length < 3) return;
    for (const each of asked) farLink.answer(answerTo(each, each.payload));
  };
  const answers = await Promise.all(
    [1, 2, 3].map((n) => link.send(request(n))),
  );
  assertEquals(
    answers.map((each) => each.kind === "answer" && each.message.payload[0]),
    [1, 2, 3],
  );
  assertEquals(far.messages, [request(1), request(2), request(3)]);
  near.onMessage = (message) => link.status(message, "refused", "no_handler");
  const back = request(9, { from: bob.id, to: ana.id });
  assertEquals(await farLink.send(back), {
    ...{ kind: "status", code: "refused", reason: "no_handler" },
  });
});

Deno.test("who answers hears that the answer came, if no copy of the request will", async () => {
  await using pair = await linked();
  const { far, link, farLink } = pair;
  const confirmed: number[] = [];
  far.onMessage = (message) => {
    const { payload } = message;
    const onConfirmed = () => void confirmed.push(payload[0]!);
    farLink.answer(
      { ...answerTo(message, payload), id: message.id },
      onConfirmed,
    );
  };
  await link.send(request(1));
  await link.send(request(2), { isOnlyCopy: true });
  await link.send(request(3));
  await until(() => confirmed.length > 0);
  assertEquals(confirmed, [2]);
});

Deno.test("that an answer came is said with the next message, or after 5 ms", async () => {
  await using pair = await linked();
  const { near, far, link, farLink, sessions } = pair;
  const confirmed: number[] = [];
  far.onMessage = (message) => {
    const { payload } = message;
    const id = message.id;
    farLink.answer(
      { ...answerTo(message, payload), id },
      () => void confirmed.push(payload[0]!),
    );
  };
  const framesOf = () => sessions.client.stats.framesOut;
  await link.send(request(1), { isOnlyCopy: true });
  const frames = framesOf();
  await link.send(request(2), { isOnlyCopy: true });
  assertEquals([framesOf() - frames, confirmed], [1, [1]]);
  near.clock.advance(4);
  await sessions.client.ping();
  assertEquals(confirmed, [1]);
  near.clock.advance(1);
  await until(() => confirmed.length > 1);
  assertEquals(confirmed, [1, 2]);
});

Deno.test("a large message overtakes nobody and is overtaken", async () => {
  await using pair = await linked();
  const { far, link, farLink } = pair;
  far.onMessage = (message) => {
    if (message.payload.length > 1) {
      farLink.answer(answerTo(message, message.payload));
    } else farLink.status(message, "taken");
  };
  const payload = new Uint8Array(900_000).map((_, i) => i % 251);
  const large = link.send(request(1, { payload }));
  await link.send(messageOf(2));
  assertEquals(far.messages.at(-1)?.payload.length, 1);
  const answer = await large;
  assert(answer.kind === "answer");
  assertEquals(answer.message.payload, payload);
});

Deno.test("no more is under way than the other end takes", async () => {
  await using pair = await linked(2);
  const { far, link, farLink } = pair;
  const all = [1, 2, 3, 4].map((n) => link.send(messageOf(n)));
  await until(() => far.messages.length === 2);
  await link.openStream(request(99));
  await until(() => far.openings.length === 1);
  assertEquals([far.messages.length, link.pending], [2, 4]);
  far.onMessage = (message) => farLink.status(message, "taken");
  for (const message of far.messages.slice(0, 2)) {
    farLink.status(message, "taken");
  }
  const sent = await Promise.all(all);
  assertEquals(sent.map((each) => each.kind), Array(4).fill("status"));
});

Deno.test("who sends for an agent that its records do not name ends the link", async () => {
  await using pair = await linked();
  const { far, link } = pair;
  await assertRejects(
    () => link.send(messageOf(1, { from: eve.id })),
    FabricError,
  );
  assertEquals(far.messages, []);
  await link.closed;
});

Deno.test("a large message whose sender no record lets speak is to come again, and is counted", async () => {
  await using pair = await linked();
  const { far, link } = pair;
  const payload = new Uint8Array(100_000);
  const sent = await link.send(messageOf(1, { from: eve.id, payload }));
  assertEquals(sent, { kind: "status", code: "full", reason: "" });
  assertEquals([far.messages, far.unproven, link.isOpen], [[], 1, true]);
});

Deno.test("a record that is shown later lets an agent speak", async () => {
  await using pair = await linked();
  const { far, link, farLink, sessions } = pair;
  const staticKey = sessions.server.remoteStaticKey;
  link.sendRecord(recordOf(eve, { nodes: [{ staticKey }] }));
  far.onMessage = (message) => farLink.status(message, "taken");
  const sent = await link.send(messageOf(1, { from: eve.id }));
  assertEquals(sent.kind, "status");
  assertEquals(farLink.agents.has(`${eve.id}`), true);
});

Deno.test("an answer to a request that did not go by the link is taken", async () => {
  await using pair = await linked();
  const { near, farLink } = pair;
  const answer = answerTo(request(7), Uint8Array.of(8));
  assertEquals(await farLink.send(answer), {
    ...{ kind: "status", code: "taken", reason: "" },
  });
  assertEquals(near.answers, [answer]);
});

Deno.test("check() ends a link whose other end gives no sign of life", async () => {
  await using pair = await linked();
  const { link } = pair;
  await link.check(AbortSignal.timeout(5_000));
  const over: string[] = [];
  const waiting = assertRejects(() => link.send(request(1)), FabricError)
    .then(() => over.push("message"));
  const closed = link.closed.then(() => over.push("session"));
  const { code } = await assertRejects(
    () => link.check(AbortSignal.abort()),
    FabricError,
  );
  // Who waits is told at once: that a session closes in order takes a silent peer seconds.
  assertEquals(code, "unreachable");
  await Promise.all([waiting, closed]);
  assertEquals(over, ["message", "session"]);
});

Deno.test("receipts and streams of applications come as they were sent", async () => {
  await using pair = await linked();
  const { far, link, farLink } = pair;
  const { heard } = farLink;
  link.sendReceipts(Uint8Array.of(1, 2, 3));
  const stream = await link.openStream(request(1));
  await stream.write(Uint8Array.of(5, 6));
  await until(() => far.openings.length === 1 && far.receipts.length === 1);
  assertEquals(far.receipts, [Uint8Array.of(1, 2, 3)]);
  assert(farLink.heard > heard);
  const [{ opening, stream: other, rest }] = far.openings as [
    typeof far.openings[0],
  ];
  assertEquals(opening, request(1));
  const buffer = new Uint8Array(8);
  const got = [...rest];
  while (got.length < 2) {
    const length = await other.read(buffer);
    got.push(...buffer.subarray(0, length!));
  }
  assertEquals(got, [5, 6]);
  await other.write(Uint8Array.of(7));
  assertEquals(await stream.read(buffer), 1);
});

Deno.test("what waits when the link ends is told so, and what was aborted is not heard of again", async () => {
  await using pair = await linked(1);
  const { far, link, farLink } = pair;
  const abort = new AbortController();
  const aborted = link.send(request(1), { signal: abort.signal });
  await until(() => far.messages.length === 1);
  abort.abort(new RangeError("enough"));
  await assertRejects(() => aborted, RangeError, "enough");
  const waiting = link.send(request(2));
  farLink.answer(answerTo(far.messages[0]!, Uint8Array.of(1)));
  await until(() => far.messages.length === 2);
  await farLink[Symbol.asyncDispose]();
  const { code } = await assertRejects(() => waiting, FabricError);
  assertEquals([code, link.isOpen], ["unreachable", false]);
  await assertRejects(() => link.send(request(3)), FabricError);
});

for (
  const [what, bytes] of [
    ["a second hello", encodeFrame("hello", new Uint8Array())],
    ["statuses that are none", encodeFrame("statuses", Uint8Array.of(0xff))],
    ["a message that is none", encodeFrame("message", Uint8Array.of(0x80))],
    ["an unknown type", Uint8Array.of(9, 0, 0, 0, 0)],
  ] as const
) {
  Deno.test(`${what} ends the link`, async () => {
    const world = await World.start();
    const { client, server } = await world.pair();
    const far = new End(bob, client.remoteStaticKey, 10);
    const opening = openLink(server, "listener", far.options);
    const control = await client.open();
    await control.write(
      encodeFrame("hello", Uint8Array.of(0x84, 1, 0x80, 1, 1)),
    );
    const link = await opening;
    await control.write(bytes);
    await link.closed;
    assertEquals(link.isOpen, false);
    await client.close();
    await world[Symbol.asyncDispose]();
  });
}
