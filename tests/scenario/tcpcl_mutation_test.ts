import { assert, assertEquals } from "@std/assert";
import { type Bytes, concat, equal } from "../../src/core/bytes/mod.ts";
import { ByteBudget } from "../../src/dtn/cla/byte_budget.ts";
import { transferLengthItem } from "../../src/dtn/tcpcl/extension_item.ts";
import { encodeMessage, type Message } from "../../src/dtn/tcpcl/message.ts";
import type { TcpclSession } from "../../src/dtn/tcpcl/session.ts";
import { LoneSession } from "../dtn/tcpcl/_session_pair.ts";
import { generator, mutate } from "../htx/_mutation.ts";
import { report } from "./_line_process.ts";

const MESSAGES = 1_000_000;
const TRANSFER_MRU = 20_000;
const BUDGET = 50_000;
const DATA = new Uint8Array(300).map((_, i) => i);

Deno.test("a session survives 1,000,000 mutated messages, and holds no more than it may", () => {
  const random = generator(91);
  const ends: Record<string, number> = {};
  const startedAtMs = performance.now();
  let sessions = 0;
  let bundles = 0;
  let intact = 0;
  for (let left = MESSAGES; left > 0;) {
    const budget = new ByteBudget(BUDGET);
    const { session } = openSession(budget);
    sessions++;
    for (let id = 0n; left > 0 && session.state !== "ended"; id++) {
      const whole = messageOf(random, id);
      const bytes = random(5) === 0 ? whole : mutate(whole, random);
      if (!equal(bytes, whole)) left--;
      const cut = random(bytes.length + 1);
      const events = [bytes.subarray(0, cut), bytes.subarray(cut)]
        .flatMap((part) =>
          session.state === "ended" ? [] : session.receive(part, 0)
        );
      for (const event of events) {
        if (event.type === "ended") {
          const why = event.error?.code ?? "term";
          ends[why] = (ends[why] ?? 0) + 1;
        } else if (event.type === "bundle") {
          bundles++;
          assert(event.bytes.length <= TRANSFER_MRU);
          if (equal(event.bytes, DATA)) intact++;
          if (random(2)) session.accept(event.transferId, 0);
          else session.refuse(event.transferId, "unknown", 0);
        }
      }
      assert(budget.taken <= BUDGET);
      assert(writtenBy(session) < 200_000);
    }
    session.abandon();
    assertEquals(budget.taken, 0);
  }
  const list = Object.entries(ends).map(([why, n]) => `${why} ${n}`);
  const seconds = (performance.now() - startedAtMs) / 1_000;
  report(
    `${MESSAGES} mutated messages, ${sessions} sessions, ${bundles} bundles (${intact} as sent) in ${
      seconds.toFixed(1)
    } s: ${list.join(", ")}`,
  );
  for (
    const why of ["malformed", "unknown", "violation", "limit", "rejected"]
  ) {
    assert(ends[why]! > 100, why);
  }
  assert(intact > 10_000);
});

function openSession(budget: ByteBudget): LoneSession {
  const lone = new LoneSession(false, {
    budget,
    segmentMruBytes: 10_000,
    transferMruBytes: TRANSFER_MRU,
  });
  lone.open({ segmentMruBytes: 100 });
  lone.session.send(DATA);
  lone.session.send(DATA);
  writtenBy(lone.session);
  return lone;
}

function writtenBy(session: TcpclSession): number {
  let length = 0;
  let bytes;
  while ((bytes = session.pull(0))) length += bytes.length;
  return length;
}

function messageOf(
  random: (below: number) => number,
  transferId: bigint,
): Bytes {
  const pick = random(10);
  if (pick < 5) return transferOf(random, transferId);
  if (pick < 7) {
    return encodeMessage({
      type: "XFER_ACK",
      start: true,
      end: false,
      transferId: BigInt(random(2)),
      ackedLength: 100,
    });
  }
  const others: readonly Message[] = [
    { type: "KEEPALIVE" },
    { type: "XFER_REFUSE", reason: "noResources", transferId: 1n },
    { type: "SESS_TERM", reply: false, reason: "unknown" },
    { type: "MSG_REJECT", reason: "unexpected", messageType: 1 },
    {
      type: "SESS_INIT",
      keepaliveS: 1,
      segmentMruBytes: 1,
      transferMruBytes: 1,
      nodeId: "ipn:1.0",
      extensions: [transferLengthItem(9)],
    },
  ];
  return encodeMessage(others[random(others.length)]!);
}

/** A bundle in one segment, or in three with its length in front. */
function transferOf(
  random: (below: number) => number,
  transferId: bigint,
): Bytes {
  const type = "XFER_SEGMENT" as const;
  if (random(3)) {
    const dataLength = DATA.length;
    const [start, end] = [true, true];
    return concat(
      encodeMessage({
        type,
        start,
        end,
        transferId,
        extensions: [],
        dataLength,
      }),
      DATA,
    );
  }
  return concat(
    ...[0, 1, 2].flatMap((i) => [
      encodeMessage({
        type,
        start: i === 0,
        end: i === 2,
        transferId,
        extensions: i === 0 ? [transferLengthItem(DATA.length)] : [],
        dataLength: 100,
      }),
      DATA.subarray(100 * i, 100 * i + 100),
    ]),
  );
}
