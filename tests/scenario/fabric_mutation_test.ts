import { assert, assertEquals } from "@std/assert";
import {
  type Bytes,
  concat,
  DecodeError,
  equal,
} from "../../src/core/bytes/mod.ts";
import {
  decodePayload,
  encodePayload,
} from "../../src/fabric/agent/payload.ts";
import {
  openSign1,
  sign1,
  type SignaturePurpose,
} from "../../src/fabric/cose/sign1.ts";
import {
  decodeMessage,
  encodeMessage,
  FabricError,
  openMessage,
  sealMessage,
  signReceipts,
  verifyAgentRecord,
  verifyReceipts,
} from "../../src/fabric/mod.ts";
import {
  decodeHello,
  decodeStatuses,
  encodeFrame,
  encodeHello,
  encodeStatuses,
} from "../../src/fabric/rpc/frame.ts";
import { FrameDecoder } from "../../src/fabric/rpc/frame_decoder.ts";
import {
  decodeReason,
  encodeReason,
  encodeStreamFrame,
  MAX_STREAM_BODY,
  STREAM_FRAME_TYPES,
} from "../../src/fabric/stream/stream_frame.ts";
import { crypto, recordOf } from "../fabric/_agents.ts";
import { ana, bob, messageOf } from "../fabric/_messages.ts";
import { generator, mutate } from "../htx/_mutation.ts";
import { report } from "./_line_process.ts";

/** How many mutants in all; 1,000,000 take ten times as long. */
const TOTAL = Number(Deno.env.get("FABRIC_MUTANTS") ?? 100_000);
const MAX_MS = 1_000;

interface Subject {
  readonly name: string;
  readonly samples: readonly Uint8Array[];
  /** Takes a mutant; throws if it is refused. */
  readonly take: (bytes: Bytes) => void;
}

const values = [
  ...[{ a: [1, "é", null], b: new Date(5), c: new Set([1]) }, 10n ** 30n],
  ...[new Map<unknown, unknown>([[1, { x: 1.5 }]]), Float32Array.of(1, 2)],
];
const payloads = values.map((value) => encodePayload(value));
const messages = [
  messageOf(1, { metadata: new Map([["trace", "1"]]) }),
  messageOf(2, { order: { sequence: 3, floor: 1 }, wantsReceipts: true }),
  messageOf(3, { kind: "reply", replyTo: new Uint8Array(16) }),
  ...payloads.map((payload) => messageOf(4, { kind: "request", payload })),
];
const records = [recordOf(bob), recordOf(ana, { capabilities: ["a", "b"] })];
const receipts = [0, 1, 2].map((n) =>
  signReceipts(
    bob,
    ana.id,
    Array.from({ length: 1 + n }, (_, i) => ({
      ...{ id: new Uint8Array(16).fill(i), state: "handled" as const },
      ...{ reason: "", atMs: 5 },
    })),
  )
);
const sealed = messages.map((message) =>
  sealMessage(crypto, ana, bob.sealKeyPair.publicKey, message)
);
const hello = { records, maxMessages: 10, maxBytes: 1_000 };
const frames = concat(
  encodeFrame("hello", encodeHello(hello)),
  encodeFrame(
    "statuses",
    encodeStatuses([
      { id: new Uint8Array(16), code: "refused", reason: "full" },
    ]),
  ),
  ...messages.map((each) => encodeFrame("message", encodeMessage(each))),
);
const streamed = concat(
  encodeStreamFrame("accepted", new Uint8Array()),
  ...payloads.map((each) => encodeStreamFrame("value", each)),
  encodeReason("closed", "done"),
);

function payloadsOf(
  purpose: SignaturePurpose,
  signed: readonly Uint8Array[],
): readonly Uint8Array[] {
  return signed.map((each) => openSign1(crypto, purpose, each).payload);
}

/** What was signed can only be accepted as it was. */
function isOneOf(samples: readonly Uint8Array[], bytes: Uint8Array): void {
  assert(samples.some((each) => equal(each, bytes)), "accepted though changed");
}

const subjects: readonly Subject[] = [
  { name: "frames", samples: [frames], take: takeFrames },
  { name: "frames of streams", samples: [streamed], take: takeStreamed },
  {
    name: "messages",
    samples: messages.map(encodeMessage),
    take: (bytes) => {
      const message = decodeMessage(bytes);
      assertEquals(decodeMessage(encodeMessage(message)), message);
    },
  },
  {
    name: "payloads",
    samples: payloads,
    take: (bytes) => {
      try {
        decodePayload(bytes);
      } finally {
        // Nothing is left over for the next.
        assertEquals(decodePayload(payloads[0]!), values[0]);
      }
    },
  },
  {
    name: "sealed messages",
    samples: sealed,
    take: (bytes) => {
      openMessage(crypto, bob, bytes);
      isOneOf(sealed, bytes);
    },
  },
  {
    name: "records",
    samples: records,
    take: (bytes) => {
      verifyAgentRecord(crypto, bytes, 1);
      isOneOf(records, bytes);
    },
  },
  {
    name: "receipts",
    samples: receipts,
    take: (bytes) => {
      verifyReceipts(crypto, bytes);
      isOneOf(receipts, bytes);
    },
  },
  {
    name: "signed records of mutants",
    samples: payloadsOf("betanet-fabric-record-v1", records),
    take: (bytes) => {
      const signed = sign1(bob, "betanet-fabric-record-v1", bytes);
      verifyAgentRecord(crypto, signed, 1);
    },
  },
  {
    name: "signed receipts of mutants",
    samples: payloadsOf("betanet-fabric-receipts-v1", receipts),
    take: (bytes) => {
      const signed = sign1(bob, "betanet-fabric-receipts-v1", bytes);
      verifyReceipts(crypto, signed);
    },
  },
];

function takeFrames(bytes: Bytes): void {
  const decoder = FrameDecoder.ofLink();
  const cut = bytes.length >> 1;
  for (const part of [bytes.subarray(0, cut), bytes.subarray(cut)]) {
    decoder.push(part);
    for (let frame; (frame = decoder.next());) {
      if (frame.type === "hello") decodeHello(frame.body);
      else if (frame.type === "statuses") decodeStatuses(frame.body);
      else decodePayload(decodeMessage(frame.body).payload);
    }
  }
}

function takeStreamed(bytes: Bytes): void {
  const decoder = new FrameDecoder(STREAM_FRAME_TYPES, MAX_STREAM_BODY);
  decoder.push(bytes);
  for (let frame; (frame = decoder.next());) {
    if (frame.type === "value") decodePayload(frame.body);
    else assert(decodeReason(frame.body).length <= 64);
  }
}

Deno.test(`the fabric survives ${TOTAL} mutated frames, messages, payloads, records and receipts: typed errors alone, in bounded time`, () => {
  const random = generator(61);
  const lines: string[] = [];
  for (const { name, samples, take } of subjects) {
    let [accepted, refused, longestMs] = [0, 0, 0];
    for (let i = 0; i < TOTAL / subjects.length; i++) {
      const bytes = mutate(samples[i % samples.length]!, random);
      const startedAtMs = performance.now();
      try {
        take(bytes);
        accepted++;
      } catch (error) {
        const isTyped = error instanceof FabricError ||
          error instanceof DecodeError;
        if (!isTyped) {
          throw new Error(`${name}: ${bytes.toHex()}`, { cause: error });
        }
        refused++;
      }
      longestMs = Math.max(longestMs, performance.now() - startedAtMs);
    }
    assert(refused > 0, `${name}: all were accepted`);
    assert(longestMs < MAX_MS, `${name}: ${longestMs} ms`);
    lines.push(
      `${name} ${refused} refused, ${accepted} not, ${
        longestMs.toFixed(1)
      } ms at most`,
    );
  }
  report(lines.join("; "));
});
