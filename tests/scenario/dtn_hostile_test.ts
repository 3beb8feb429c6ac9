import {
  assert,
  assertEquals,
  assertLess,
  assertStringIncludes,
} from "@std/assert";
import { concat } from "../../src/core/bytes/mod.ts";
import { encodeContactHeader } from "../../src/dtn/tcpcl/contact_header.ts";
import { transferLengthItem } from "../../src/dtn/tcpcl/extension_item.ts";
import { encodeMessage } from "../../src/dtn/tcpcl/message.ts";
import { makeFolder } from "../cli/_htx_process.ts";
import { DtnLedger } from "./_dtn_ledger.ts";
import type { Letter } from "./_dtn_letter.ts";
import { DtnMachine } from "./_dtn_processes.ts";
import { report } from "./_line_process.ts";

const SESSIONS = 10_000;
const HELD = 1_500;
const LETTERS = 400;
const UNREAD = 60;
const UNREAD_BYTES = 50_000;
const GIGABYTES_100 = 100 * 2 ** 30;
const MAX_GROWTH_BYTES = 320 * 1_048_576;
/** The transfer 0 is refused for good. */
const REFUSAL = encodeMessage({
  ...{ type: "XFER_REFUSE", reason: "notAcceptable", transferId: 0n },
}).toHex();
const PATIENCE_MS = 60_000;

Deno.test(`a node serves its neighbour in bounded memory while others announce 100 GB, open ${SESSIONS} sessions, read nothing or trickle`, async () => {
  await using stack = new AsyncDisposableStack();
  const ledger = new DtnLedger();
  const start = async (name: string) => {
    const { path } = stack.use(await makeFolder());
    const machine = stack.use(
      new DtnMachine({
        name,
        options: {
          flags: {
            "node.id": `dtn://${name}/`,
            "node.listen": "tcpcl://127.0.0.1:0",
            "node.state": path,
            "node.plaintext": "*",
          },
        },
        ledger,
        onParted: () => {},
      }),
    );
    await machine.start();
    return machine;
  };
  const [node, friend] = [await start("node"), await start("friend")];
  await node.tell({ kind: "meet", link: 0, address: friend.address });
  const before = node.rssBytes;
  const port = Number(node.address.split(":").at(-1));
  const peers = stack.adopt(new Peers(port), (peers) => peers.close());

  await peers.opened("dtn://sink/"); // and reads nothing
  for (let i = 0; i < UNREAD; i++) {
    await node.send(letter(ledger, "node", "sink", UNREAD_BYTES));
  }
  const announcing = await peers.opened("dtn://huge/");
  const head = encodeMessage({
    ...{ type: "XFER_SEGMENT", start: true, end: false, transferId: 0n },
    extensions: [transferLengthItem(GIGABYTES_100)],
    dataLength: 1_000_000,
  });
  await write(announcing, concat(head, new Uint8Array(1_000_000)));
  const answer = readUntil(announcing, REFUSAL);

  for (let i = 0; i < 100; i++) void trickle(await peers.connected());

  let most = 0;
  for (let opened = 0; opened < SESSIONS; opened += 50) {
    await Promise.all(
      Array.from(
        { length: 50 },
        (_, i) => peers.opened(`dtn://p${opened + i}/`),
      ),
    );
    if (opened % (SESSIONS / LETTERS) === 0 || opened % 25 === 0) {
      for (const [from, to] of [[node, "friend"], [friend, "node"]] as const) {
        await from.send(letter(ledger, from.name, to, 1_000));
      }
    }
    most = Math.max(most, node.rssBytes);
    assertLess(most - before, MAX_GROWTH_BYTES);
    peers.closeOldest(HELD);
  }
  while (ledger.size < LETTERS + UNREAD) {
    await node.send(letter(ledger, "node", "friend", 1_000));
  }
  await until(() => ledger.fates.open <= UNREAD);
  assertStringIncludes(await answer, REFUSAL);
  await node.tell({ kind: "report" });
  await until(() => node.report !== undefined);
  const { fates, faults } = ledger;
  assertEquals(faults, []);
  assertEquals(fates, {
    ...{ delivered: LETTERS, expired: 0, refused: 0, open: UNREAD },
  });
  most = Math.max(most, node.rssBytes);
  report(
    `${SESSIONS} sessions, ${UNREAD} bundles that nobody reads, ${LETTERS} bundles with a neighbour delivered: ${
      ((most - before) / 1_048_576).toFixed(0)
    } MiB more at most`,
  );
  assertLess(most - before, MAX_GROWTH_BYTES);
});

function letter(
  ledger: DtnLedger,
  from: string,
  to: string,
  size: number,
): Letter {
  return {
    ...{ number: ledger.size, from, to, size, priority: 1 },
    ...{ createdMs: Date.now(), lifetimeMs: 3_600_000 },
  };
}

/** Connections to a node that keep no rule. */
class Peers {
  readonly #port: number;
  readonly #connections: Deno.TcpConn[] = [];

  constructor(port: number) {
    this.#port = port;
  }

  async connected(): Promise<Deno.TcpConn> {
    const connection = await Deno.connect({
      hostname: "127.0.0.1",
      port: this.#port,
    });
    this.#connections.push(connection);
    return connection;
  }

  /** A connection with a session as far as it is ours to open it. */
  async opened(nodeId: string): Promise<Deno.TcpConn> {
    const connection = await this.connected();
    const init = encodeMessage({
      ...{ type: "SESS_INIT", keepaliveS: 0, nodeId, extensions: [] },
      ...{ segmentMruBytes: 2 ** 20, transferMruBytes: 2 ** 30 },
    });
    const header = encodeContactHeader({ canTls: false });
    await write(connection, concat(header, init));
    return connection;
  }

  /** Closes all but the first ones and the `left` newest. */
  closeOldest(left: number): void {
    const first = 102;
    const count = this.#connections.length - first - left;
    if (count <= 0) return;
    for (const each of this.#connections.splice(first, count)) each.close();
  }

  close(): void {
    for (const each of this.#connections) each.close();
  }
}

/** Writes a contact header a byte a second, until the node has enough of it. */
async function trickle(connection: Deno.TcpConn): Promise<void> {
  for (const byte of encodeContactHeader({ canTls: false })) {
    try {
      await connection.write(Uint8Array.of(byte));
    } catch {
      return; // closed
    }
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}

/** What comes, in hexadecimal digits, up to `end` or the end of all. */
async function readUntil(
  connection: Deno.TcpConn,
  end: string,
): Promise<string> {
  const buffer = new Uint8Array(65_536);
  let text = "";
  while (!text.includes(end)) {
    const count = await connection.read(buffer);
    if (count === null) break;
    text += buffer.subarray(0, count).toHex();
  }
  return text;
}

async function write(
  connection: Deno.TcpConn,
  bytes: Uint8Array,
): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    at += await connection.write(bytes.subarray(at));
  }
}

async function until(done: () => boolean): Promise<void> {
  const endMs = performance.now() + PATIENCE_MS;
  while (!done()) {
    assert(performance.now() < endMs, "In vain");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
