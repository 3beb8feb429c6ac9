import { assert, assertEquals, assertThrows } from "@std/assert";
import { utf8 } from "../../../src/core/bytes/mod.ts";
import { decodeContactHeader } from "../../../src/dtn/tcpcl/contact_header.ts";
import { hdtnSaid } from "./_vectors.ts";
import { LoneSession, SessionPair } from "./_session_pair.ts";

Deno.test("each side learns the other's offer, and the active one speaks first", () => {
  const pair = new SessionPair();
  assertEquals(pair.passive.pull(0), undefined);
  pair.pump();
  assertEquals(pair.active.state, "open");
  assertEquals(pair.passive.state, "open");
  assertEquals(pair.active.peer?.nodeId, "ipn:2.0");
  assertEquals(pair.passive.peer?.nodeId, "ipn:1.0");
  assertEquals(pair.active.maxBundleBytes, 134_217_728);
});

Deno.test("the smaller keepalive counts, and 0 on either side is none: then a session ends after ten idle minutes", () => {
  const both = [[40, 20, 15], [20, 40, 15], [0, 40, 600], [40, 0, 600]];
  for (const [ours, theirs, expected] of both) {
    const lone = new LoneSession(true, { keepaliveS: ours! });
    lone.open({ keepaliveS: theirs! });
    lone.hear();
    assertEquals(lone.session.nextTickMs, expected! * 1_000);
    lone.session.tick(600_000);
    assertEquals(lone.session.state, expected === 600 ? "ending" : "ended");
  }
});

Deno.test("a keepalive leaves when nothing else has for three quarters, and a silent peer is left after two", () => {
  const lone = new LoneSession(true, { keepaliveS: 10 });
  lone.open({ keepaliveS: 10 });
  lone.hear();
  assertEquals(lone.session.tick(7_499), []);
  assertEquals(lone.hear(), []);
  lone.now = 7_500;
  lone.session.tick(7_500);
  assertEquals(lone.hear(), [{ type: "KEEPALIVE" }]);
  assertEquals(lone.session.nextTickMs, 15_000);
  lone.now = 15_000;
  lone.say({ type: "KEEPALIVE" });
  lone.session.tick(20_000);
  assertEquals(lone.session.state, "open");
  const [ended] = lone.session.tick(35_000);
  assertEquals(ended?.type === "ended" && ended.error?.code, "timeout");
  assertEquals(lone.hear().at(-1), {
    type: "SESS_TERM",
    reply: false,
    reason: "idleTimeout",
  });
});

Deno.test("a peer that has not proved its node id is sent contactFailure, whoever speaks first", () => {
  for (const active of [true, false]) {
    const asked: string[] = [];
    const isPeer = (nodeId: string) => {
      asked.push(nodeId);
      return false;
    };
    const lone = new LoneSession(active, { isPeer });
    const [ended] = lone.open({});
    assertEquals(ended?.type === "ended" && ended.error?.code, "insecure");
    assertEquals(lone.session.state, "ended");
    assertEquals(asked.length, 1);
    assertEquals(lone.hear().at(-1), {
      type: "SESS_TERM",
      reply: false,
      reason: "contactFailure",
    });
  }
});

Deno.test("silence means nothing while we do not read", () => {
  const lone = new LoneSession(true, { keepaliveS: 10 });
  lone.open({ keepaliveS: 10 });
  lone.session.pause();
  lone.session.tick(100_000);
  assertEquals(lone.session.state, "open");
  lone.session.resume(100_000);
  lone.session.tick(119_999);
  assertEquals(lone.session.state, "open");
  lone.session.tick(120_000);
  assertEquals(lone.session.state, "ended");
});

Deno.test("bundles are cut to the peer's segments, with their length in front, and come back whole", () => {
  const pair = new SessionPair({ segmentBytes: 1_000_000 }, {
    segmentMruBytes: 1_000,
  });
  pair.pump();
  for (const size of [0, 1, 999, 1_000, 1_001, 10_000, 12_345]) {
    const bundle = new Uint8Array(size).map((_, i) => i * 7);
    const id = pair.active.send(bundle);
    pair.pump();
    assertEquals(pair.of("passive", "bundle").at(-1), {
      type: "bundle",
      transferId: id,
      bytes: bundle,
    });
    assertEquals(pair.of("active", "acknowledged").at(-1), {
      type: "acknowledged",
      transferId: id,
    });
  }
});

Deno.test("segments of one transfer are as RFC 9174 §5.2.2 wants them", () => {
  const lone = new LoneSession(true);
  lone.open({ segmentMruBytes: 4 });
  lone.hear();
  lone.session.send(utf8("0123456789"));
  lone.session.send(utf8("abc"));
  const heads = lone.hear().filter(({ type }) => type === "XFER_SEGMENT");
  const length = {
    critical: false,
    type: 1,
    value: new Uint8Array([0, 0, 0, 0, 0, 0, 0, 10]),
  };
  const type = "XFER_SEGMENT" as const;
  const [start, end, extensions] = [false, false, []];
  assertEquals(heads, [
    {
      type,
      start: true,
      end,
      transferId: 0n,
      extensions: [length],
      dataLength: 4,
    },
    { type, start, end, transferId: 0n, extensions, dataLength: 4 },
    { type, start, end: true, transferId: 0n, extensions, dataLength: 2 },
    { type, start: true, end: true, transferId: 1n, extensions, dataLength: 3 },
  ]);
});

Deno.test("each segment is acknowledged with its flags and the length so far, the last one on acceptance", () => {
  const lone = new LoneSession(false);
  lone.open();
  lone.hear();
  lone.segment(5n, utf8("abc"), { end: false });
  lone.segment(5n, utf8("de"), { start: false, end: false });
  const type = "XFER_ACK" as const;
  const transferId = 5n;
  assertEquals(lone.hear(), [
    { type, start: true, end: false, transferId, ackedLength: 3 },
    { type, start: false, end: false, transferId, ackedLength: 5 },
  ]);
  const [bundle] = lone.segment(5n, utf8("f"), { start: false });
  assertEquals(bundle, { type: "bundle", transferId, bytes: utf8("abcdef") });
  assertEquals(lone.hear(), []);
  lone.session.accept(5n, 0);
  assertEquals(lone.hear(), [
    { type, start: false, end: true, transferId, ackedLength: 6 },
  ]);
});

Deno.test("acknowledgements leave in the order of the segments, refusals at once", () => {
  const lone = new LoneSession(false);
  lone.open();
  lone.hear();
  for (const id of [0n, 1n, 2n]) lone.segment(id, utf8("x"));
  lone.session.accept(2n, 0);
  lone.session.refuse(1n, "noResources", 0);
  assertEquals(lone.hear(), [
    { type: "XFER_REFUSE", reason: "noResources", transferId: 1n },
  ]);
  lone.session.accept(0n, 0);
  const acks = lone.hear().map((each) =>
    each.type === "XFER_ACK" && each.transferId
  );
  assertEquals(acks, [0n, 2n]);
});

Deno.test("a refusal ends a transfer with its reason; completed counts as acknowledged", () => {
  const lone = new LoneSession(true);
  lone.open({ segmentMruBytes: 2 });
  lone.hear();
  for (const reason of ["unknown", "completed", "retransmit"] as const) {
    const transferId = lone.session.send(utf8("abc"));
    lone.hear();
    assertEquals(
      lone.say({ type: "XFER_REFUSE", reason, transferId }),
      reason === "completed"
        ? [{ type: "acknowledged", transferId }]
        : [{ type: "refused", transferId, reason }],
    );
    assertEquals(
      lone.say({
        type: "XFER_ACK",
        start: false,
        end: true,
        transferId,
        ackedLength: 3,
      }),
      [],
      "an acknowledgement that crossed the refusal is nothing",
    );
  }
});

Deno.test("what is left of a refused bundle does not leave", () => {
  const lone = new LoneSession(true);
  lone.open({ segmentMruBytes: 40_000 });
  lone.hear();
  const transferId = lone.session.send(new Uint8Array(900_000));
  lone.session.pull(0);
  lone.session.pull(0);
  lone.say({ type: "XFER_REFUSE", reason: "noResources", transferId });
  const next = lone.session.send(utf8("next"));
  const heads = lone.hear().filter(({ type }) => type === "XFER_SEGMENT");
  assertEquals(heads.at(-1), {
    type: "XFER_SEGMENT",
    start: true,
    end: true,
    transferId: next,
    extensions: [],
    dataLength: 4,
  });
  assert(heads.length <= 2, `${heads.length} segments`);
});

Deno.test("acknowledgements without flags, as dtn7-rs sends them, count by their length", () => {
  const lone = new LoneSession(true);
  lone.open({ segmentMruBytes: 2 });
  const transferId = lone.session.send(utf8("abc"));
  lone.hear();
  const ack = { type: "XFER_ACK", start: false, end: false } as const;
  assertEquals(lone.say({ ...ack, transferId, ackedLength: 2 }), []);
  assertEquals(lone.say({ ...ack, transferId, ackedLength: 3 }), [
    { type: "acknowledged", transferId },
  ]);
});

Deno.test("dtn7-rs may ask with a bundle id in an empty first segment", () => {
  const lone = new LoneSession(false);
  lone.open();
  lone.hear();
  const value = utf8("dtn://n1/in-810000000000-0");
  const extensions = [{ critical: false, type: 1, value }];
  lone.segment(1n, new Uint8Array(), { end: false, extensions });
  assertEquals(lone.hear(), [
    {
      type: "XFER_ACK",
      start: true,
      end: false,
      transferId: 1n,
      ackedLength: 0,
    },
  ]);
  const [bundle] = lone.segment(1n, utf8("bundle"), { start: false });
  assertEquals(bundle?.type === "bundle" && bundle.bytes, utf8("bundle"));
});

Deno.test("a peer's transfer MRU binds us unless it is taken as advice", () => {
  for (const ignorePeerTransferMru of [false, true]) {
    const lone = new LoneSession(true, { ignorePeerTransferMru });
    lone.open({ transferMruBytes: 64_000 });
    const expected = ignorePeerTransferMru ? Number.MAX_SAFE_INTEGER : 64_000;
    assertEquals(lone.session.maxBundleBytes, expected);
  }
  const mute = new LoneSession(true, { ignorePeerTransferMru: true });
  mute.open({ segmentMruBytes: 0 });
  assertEquals(mute.session.maxBundleBytes, 0);
});

Deno.test("end() finishes what is under way, cancels what waits, and both sides close", () => {
  const pair = new SessionPair({ segmentBytes: 60_000 });
  pair.pump();
  const first = pair.active.send(new Uint8Array(200_000));
  const chunk = pair.active.pull(0)!;
  const second = pair.active.send(utf8("waits"));
  pair.events.active.push(...pair.active.end("unknown", 0));
  assertEquals(pair.of("active", "cancelled"), [
    { type: "cancelled", transferIds: [second] },
  ]);
  assertEquals(pair.active.state, "ending");
  assertThrows(() => pair.active.send(utf8("late")), TypeError);
  pair.passive.receive(chunk, 0);
  pair.pump();
  assertEquals(pair.of("active", "acknowledged"), [
    { type: "acknowledged", transferId: first },
  ]);
  for (const side of ["active", "passive"] as const) {
    assertEquals(pair.of(side, "ended"), [{ type: "ended", error: undefined }]);
  }
});

Deno.test("SESS_TERM is answered once, with the reply flag and the reason", () => {
  const lone = new LoneSession(false);
  lone.open();
  lone.hear();
  const term = { type: "SESS_TERM", reason: "resourceExhaustion" } as const;
  assertEquals(lone.say({ ...term, reply: false }), [
    { type: "ended", error: undefined },
  ]);
  assertEquals(lone.hear(), [{ ...term, reply: true }]);
});

Deno.test("an ending session refuses new transfers, and does not wait for ever", () => {
  const lone = new LoneSession(false, { endTimeoutMs: 5_000 });
  lone.open();
  lone.hear();
  lone.session.end("unknown", 0);
  lone.segment(0n, utf8("new"));
  assertEquals(lone.hear(), [
    { type: "SESS_TERM", reply: false, reason: "unknown" },
    { type: "XFER_REFUSE", reason: "sessionTerminating", transferId: 0n },
  ]);
  assertEquals(lone.session.nextTickMs, 5_000);
  const [ended] = lone.session.tick(5_000);
  assertEquals(ended?.type === "ended" && ended.error?.code, "timeout");
});

Deno.test("a session in which no bundle moves ends by idleTimeout, one that waits for an answer does not", () => {
  const lone = new LoneSession(true, { idleTimeoutMs: 1_000 });
  lone.open();
  lone.session.send(utf8("x"));
  lone.hear();
  lone.session.tick(1_000);
  assertEquals(lone.session.state, "open");
  const ack = { type: "XFER_ACK", start: true, end: true } as const;
  lone.say({ ...ack, transferId: 0n, ackedLength: 1 });
  lone.session.tick(2_000);
  assertEquals(lone.session.state, "ending");
  lone.now = 2_000;
  assertEquals(lone.hear(), [
    { type: "SESS_TERM", reply: false, reason: "idleTimeout" },
  ]);
});

Deno.test("a critical session extension ends the session, another is nothing", () => {
  for (const critical of [false, true]) {
    const lone = new LoneSession(false);
    const value = new Uint8Array(3);
    const events = lone.open({
      extensions: [{ critical, type: 0x1234, value }],
    });
    assertEquals(events[0]?.type, critical ? "ended" : "open");
    assertEquals(
      lone.hear()[0],
      critical
        ? { type: "SESS_TERM", reply: false, reason: "contactFailure" }
        : {
          type: "SESS_INIT",
          keepaliveS: 30,
          segmentMruBytes: 1_048_576,
          transferMruBytes: 134_217_728,
          nodeId: "ipn:2.0",
          extensions: [],
        },
    );
  }
});

Deno.test("a node id that is no endpoint ID ends the session, none at all is nothing", () => {
  for (const nodeId of ["", "ipn:7.0", "dtn://far/"]) {
    assertEquals(new LoneSession(false).open({ nodeId })[0]?.type, "open");
  }
  for (const nodeId of ["far", "dtn:far", "ipn:01.0", "http://far/", "\0"]) {
    const lone = new LoneSession(false);
    assertEquals(lone.open({ nodeId })[0]?.type, "ended", nodeId);
    assertEquals(lone.hear()[0], {
      type: "SESS_TERM",
      reply: false,
      reason: "contactFailure",
    });
  }
});

Deno.test("we answer the sessions of a live HDTN as it expects", () => {
  const [header, init, ...answers] = hdtnSaid("passive_hdtn");
  assertEquals(decodeContactHeader(header!), { canTls: false });
  const lone = new LoneSession(true, { segmentBytes: 81 });
  lone.hear();
  const [open] = lone.session.receive(init!, 0);
  assertEquals(open?.type === "open" && open.peer.nodeId, "ipn:2.0");
  assertEquals(lone.session.maxBundleBytes, 10_000_000);
  // HDTN's answers to bundles of 162 bytes with ids 0 to 2 and, in two segments, 3; then to 9 bytes
  for (const id of [0n, 1n, 2n]) {
    const transferId = lone.session.send(new Uint8Array(162));
    assertEquals(transferId, id);
    lone.hear();
    assertEquals(lone.session.receive(answers.shift()!, 0), [
      { type: "acknowledged", transferId },
    ]);
  }
  lone.session.send(new Uint8Array(162));
  lone.session.send(new Uint8Array(9));
  lone.hear();
  assertEquals(lone.session.receive(answers.shift()!, 0), []);
  assertEquals(lone.session.receive(answers.shift()!, 0), [
    { type: "acknowledged", transferId: 3n },
  ]);
  assertEquals(lone.session.receive(answers.shift()!, 0), [
    { type: "acknowledged", transferId: 4n },
  ]);
  lone.session.end("unknown", 0);
  assertEquals(lone.session.receive(answers.shift()!, 0), [
    { type: "ended", error: undefined },
  ]);
  assertEquals(answers, []);
});

Deno.test("we take the bundles that a live HDTN sends in segments of 100 bytes", () => {
  const [, init, transfers] = hdtnSaid("active_hdtn");
  const lone = new LoneSession(false, { segmentMruBytes: 100 });
  lone.session.receive(init!, 0);
  assertEquals(lone.session.peer?.keepaliveS, 17);
  const events = lone.session.receive(transfers!, 0);
  const bundles = events.map((event) =>
    event.type === "bundle" && event.bytes.length
  );
  assertEquals(bundles, [217]); // the capture ends in the second
  assertEquals(lone.session.state, "open");
  lone.hear();
  lone.session.accept(0n, 0);
  assertEquals(lone.hear().map(({ type }) => type), ["XFER_ACK"]);
});
