import { assertEquals } from "@std/assert";
import type { MessagePeer } from "../../../src/core/transport/mod.ts";
import { GroupJson } from "../../../src/fabric/app/group_json.ts";
import { GroupSocket } from "../../../src/fabric/app/group_socket.ts";
import type { Published } from "../../../src/fabric/mod.ts";
import { agentOf, crypto } from "../_agents.ts";

const ana = agentOf("ana@hill");
const json = new GroupJson(
  { get: () => undefined, byName: () => undefined },
  crypto,
);

/** A message that carries a number. */
function numbered(value: number): Published {
  return {
    id: new Uint8Array(16).fill(value),
    ...{ from: ana.id, type: "say", priority: "normal", epoch: 3, value },
  };
}

/** A socket whose other end is in the test. */
class Wire {
  /** Bytes that the application did not read. */
  unread = 0;
  readonly sent: string[] = [];
  readonly closes: [number, string][] = [];
  follows = 0;
  closed = 0;
  readonly socket: GroupSocket;

  constructor() {
    const unread = () => this.unread;
    const peer: MessagePeer = {
      get bufferedBytes() {
        return unread();
      },
      send: (text) => void this.sent.push(String(text)),
      close: (code, reason) => void this.closes.push([code, reason]),
    };
    this.socket = new GroupSocket(peer, {
      follow: () => {
        this.follows++;
        return { [Symbol.dispose]: () => void this.follows-- };
      },
    }, { json, onClosed: () => void this.closed++ });
  }
}

Deno.test("a WebSocket of a group numbers messages, and hears once that an application is done with one", () => {
  const { socket, sent } = new Wire();
  let done = 0;
  socket.published(numbered(7), () => done++);
  socket.happened({ kind: "healing", from: ana.id });
  assertEquals(sent.map((each) => JSON.parse(each)), [
    {
      ...{ n: 1, id: "07".repeat(16), from: { id: `${ana.id}` }, type: "say" },
      ...{ priority: "normal", epoch: 3, value: 7 },
    },
    { event: "healing", from: { id: `${ana.id}` } },
  ]);
  socket.message('{"n":2}');
  assertEquals(done, 0);
  socket.message('{"n":1}');
  socket.message('{"n":1}');
  assertEquals(done, 1);
});

Deno.test("a WebSocket of a group ends when its application says what it should not, and follows no more", () => {
  for (
    const text of [
      ...["", "{", "null", "{}", '{"n":"1"}', " ".repeat(1_025)],
      new Uint8Array(3),
    ]
  ) {
    const wire = new Wire();
    assertEquals(wire.follows, 1);
    wire.socket.message(text);
    assertEquals(wire.closes, [[1003, 'Want {"n":…}']]);
    wire.socket.closed();
    assertEquals([wire.follows, wire.closed], [0, 1]);
    wire.socket.published(numbered(1), () => {});
    assertEquals(wire.sent, []);
  }
});

Deno.test("an application that answers nothing is cut off from its group after 64 messages", () => {
  const wire = new Wire();
  for (let n = 0; n < 64; n++) wire.socket.published(numbered(n), () => {});
  assertEquals([wire.sent.length, wire.closes.length], [64, 0]);
  wire.socket.published(numbered(65), () => {});
  assertEquals(wire.closes, [[4013, "Too slow"]]);
  assertEquals([wire.sent.length, wire.follows], [64, 0]);
});

Deno.test("an application that reads nothing is cut off from its group after 32 MiB", () => {
  const wire = new Wire();
  wire.unread = 32 * 1024 * 1024;
  wire.socket.happened({ kind: "healing", from: ana.id });
  assertEquals([wire.sent.length, wire.closes.length], [1, 0]);
  wire.unread++;
  wire.socket.happened({ kind: "healing", from: ana.id });
  assertEquals([wire.sent.length, wire.closes[0]![0]], [1, 4013]);
});

Deno.test("a WebSocket of a group closes in order when the group is forgotten, or the node closes", () => {
  const forgotten = new Wire();
  forgotten.socket.ended();
  const closed = new Wire();
  closed.socket.close();
  assertEquals(
    [forgotten, closed].map(({ closes, follows }) => [closes[0]![0], follows]),
    [[1000, 0], [1000, 0]],
  );
});
