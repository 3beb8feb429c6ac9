import { nodeProvider as crypto } from "../../src/core/crypto/mod.ts";
import { encodePayload } from "../../src/fabric/agent/payload.ts";
import { encrypt0 } from "../../src/fabric/cose/encrypt0.ts";
import { sign1 } from "../../src/fabric/cose/sign1.ts";
import {
  type Agent,
  encodeMessage,
  type Message,
  signReceipts,
} from "../../src/fabric/mod.ts";
import { encodeFrame, MAX_BODY } from "../../src/fabric/rpc/frame.ts";
import { agentOf } from "../fabric/_agents.ts";
import { generator, mutate } from "../htx/_mutation.ts";
import {
  announcing,
  type FabricAttacker,
  framesOf,
} from "./_fabric_attacker.ts";
import { introductionOf } from "./_fabric_keys.ts";
import type { FabricReport } from "./_fabric_processes.ts";

const NEVER_MS = 5_000;

/** Why a node takes something that strangers say not. */
export interface ForgeryDrops {
  unopened: number;
  badReceipts: number;
  badRecords: number;
  unknownAgent: number;
  foreignReceipts: number;
  lateAnswers: number;
  violations: number;
  unproven: number;
  records: number;
  conflicts: number;
}

/** How many of each a node has counted. */
export function dropsOf({ counts }: FabricReport): ForgeryDrops {
  const { bundles, node, links, ...rest } = counts;
  return {
    ...{ ...node, ...rest, unopened: bundles.unopened },
    ...{ violations: links.violations, unproven: links.unproven },
    records: links.records,
  };
}

/** Says what a stranger can in the name of `end`, a friend of `ana`, or about nothing; gives what is to be counted of it. */
export async function forgeries(
  hostile: FabricAttacker,
  ana: Agent,
  end: Agent,
): Promise<ForgeryDrops> {
  const random = generator(7);
  const { eve } = hostile;
  const inNameOfEnd = hostile.message(1, { from: end.id, type: "note" });
  const counts: ForgeryDrops = {
    ...{ unopened: 0, badReceipts: 0, badRecords: 0, unknownAgent: 0 },
    ...{ foreignReceipts: 0, lateAnswers: 0, violations: 0, unproven: 0 },
    ...{ records: 0, conflicts: 0 },
  };
  const broken = async (...pieces: readonly Uint8Array[]) => {
    const link = await hostile.raw();
    for (const piece of pieces) await link.write(piece).catch(() => {});
    counts.violations++;
    await link.session.closed;
  };
  const asBundle = async (bytes: Uint8Array) => {
    await hostile.bundle(bytes);
    counts.unopened++;
  };
  // Senders.
  await broken(framesOf([inNameOfEnd]));
  const shown = encodeFrame("record", introductionOf(end, Date.now()));
  await broken(shown, framesOf([inNameOfEnd]));
  counts.records++; // a newer one is known
  const purpose = "betanet-fabric-message-v1";
  const signed = sign1(eve, purpose, encodeMessage(inNameOfEnd));
  const { publicKey } = ana.sealKeyPair;
  await asBundle(encrypt0(crypto, publicKey, signed));
  const toEnd = hostile.message(1, { to: end.id });
  await asBundle(hostile.envelope(toEnd));
  await asBundle(crypto.random(1_000));
  const envelope = hostile.envelope(hostile.message(1));
  for (let i = 0; i < 50; i++) {
    const mutant = mutate(envelope, random);
    if (mutant.toHex() !== envelope.toHex()) await asBundle(mutant);
  }
  const proven = await hostile.link();
  const session = hostile.lastSession;
  const large = encodeMessage({
    ...inNameOfEnd,
    payload: encodePayload(new Uint8Array(100_000)),
  });
  const stream = await session.open();
  await stream.write(encodeFrame("message", large));
  await stream.closeWrite();
  counts.unproven++;
  // Records.
  const record = hostile.record(eve, crypto.random(32));
  const changed = record.slice();
  changed[changed.length - 1]! ^= 1;
  await broken(encodeFrame("record", changed));
  const claim = agentOf(`${end.name.agent}@${end.name.node}`, "another key");
  proven.sendRecord(hostile.record(claim, crypto.random(32)));
  counts.conflicts++;
  const recordMessage = hostile.message(1, {
    kind: "record",
    payload: changed,
  });
  await hostile.bundle(hostile.envelope(recordMessage));
  counts.badRecords++;
  const thousands = Array.from(
    { length: 1_000 },
    (_, n) =>
      encodeFrame(
        "record",
        hostile.record(agentOf(`r${n}@moor`), crypto.random(32)),
      ),
  );
  await broken(...thousands);
  // Receipts.
  const ids = Array.from({ length: 1_024 }, () => ({
    ...{ id: crypto.random(16), state: "handled" as const },
    ...{ reason: "", atMs: Date.now() },
  }));
  for (let i = 0; i < 10; i++) {
    proven.sendReceipts(signReceipts(eve, ana.id, ids));
    counts.foreignReceipts += ids.length;
  }
  const receipts = signReceipts(eve, ana.id, ids.slice(0, 1));
  receipts[receipts.length - 1]! ^= 1;
  proven.sendReceipts(receipts);
  proven.sendReceipts(signReceipts(eve, end.id, ids)); // for somebody who is not here
  counts.badReceipts += 2;
  // Answers to nothing, and messages for nobody.
  const raw: Message[] = [
    hostile.message(1, { kind: "reply", replyTo: crypto.random(16) }),
    hostile.message(1, { kind: "failure", replyTo: crypto.random(16) }),
  ];
  const link = await hostile.raw();
  await link.write(framesOf(raw));
  counts.lateAnswers += raw.length;
  await hostile.send(proven, toEnd);
  counts.unknownAgent++;
  // Lengths.
  await broken(announcing("message", 2 ** 32 - 1));
  await broken(encodeFrame("hello", new Uint8Array(1)));
  const many = await hostile.raw();
  for (let i = 0; i < 3; i++) {
    const each = await many.session.open();
    await each.write(announcing("message", MAX_BODY.message)).catch(() => {});
  }
  counts.violations++;
  await many.session.closed;
  // More than the window.
  await broken(framesOf(Array.from(
    { length: 1_100 },
    (_, n) => never(hostile, n, { kind: "request" }),
  )));
  await hostile.release();
  return counts;
}

/** A message whose handler does not return; its deadline is near. */
export function never(
  hostile: FabricAttacker,
  n: number,
  fields: Partial<Message> = {},
): Message {
  const deadlineMs = Date.now() + NEVER_MS;
  return hostile.message(n, { type: "never", deadlineMs, ...fields });
}
