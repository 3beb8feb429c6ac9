import { assertEquals } from "@std/assert";
import { nodeProvider as crypto } from "../src/core/crypto/mod.ts";
import { sqliteStore } from "../src/core/storage/mod.ts";
import {
  Agent,
  chooseWay,
  decodeMessage,
  encodeMessage,
  type Message,
  openMessage,
  sealMessage,
  type WayFacts,
} from "../src/fabric/mod.ts";
import { InboxRows } from "../src/fabric/inbox/inbox_rows.ts";

const agentOf = (agent: string) =>
  new Agent(crypto, crypto.random(32), { agent, node: "bench" });
const [ana, bob] = [agentOf("ana"), agentOf("bob")];
const message: Message = {
  id: crypto.random(16),
  ...{ kind: "request", from: ana.id, to: bob.id, type: "bench" },
  priority: "normal",
  createdMs: 1_700_000_000_000,
  deadlineMs: 1_700_000_030_000,
  wantsReceipts: false,
  metadata: new Map(),
  payload: crypto.random(1_024),
};
const encoded = encodeMessage(message);
const seal = () => sealMessage(crypto, ana, bob.sealKeyPair.publicKey, message);
const sealed = seal();
assertEquals(decodeMessage(encoded), message);
assertEquals(openMessage(crypto, bob, sealed), message);

Deno.bench("encode a message of 1 KiB", () => void encodeMessage(message));
Deno.bench("decode a message of 1 KiB", () => void decodeMessage(encoded));
Deno.bench("sign and seal a message of 1 KiB", () => void seal());
Deno.bench("open and verify a message of 1 KiB", () => {
  openMessage(crypto, bob, sealed);
});

const facts: WayFacts = {
  ...{ wanted: "auto", isLive: false, isDialable: true, hasBundles: true },
  ...{ sinceHeardMs: 5_000, size: 1_024, leftMs: 30_000, budgetMs: 2_000 },
  priority: "normal",
};
assertEquals(chooseWay(facts).way, "rpc");
assertEquals(chooseWay({ ...facts, sinceFailedMs: 5 }).way, "bundle");
Deno.bench("choose a way", () => void chooseWay(facts));

/** What it would cost to commit what became of live requests before their answers leave. */
const store = sqliteStore(Deno.makeTempFileSync({ suffix: ".db" }), {
  ...{ maxEntries: 10_000_000, maxBytes: 2 ** 34 },
});
const outcomes = new InboxRows(store);
const answer: Message = { ...message, kind: "reply", replyTo: message.id };
const keepOutcomes = (count: number) =>
  store.transaction(() => {
    for (let i = 0; i < count; i++) {
      const request = { ...message, id: crypto.random(16) };
      const outcome = {
        state: "handled",
        reason: "",
        atMs: 1,
        answer,
      } as const;
      outcomes.setOutcome(request, outcome, message.deadlineMs);
    }
  });
outcomes.setOutcome(
  message,
  { state: "handled", reason: "", atMs: 1, answer },
  message.deadlineMs,
);
assertEquals(outcomes.outcome(message)?.answer, answer);
for (const count of [1, 64]) {
  Deno.bench(`commit what became of ${count}, 1 KiB each`, () => {
    keepOutcomes(count);
  });
}
