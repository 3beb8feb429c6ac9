import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { VirtualClock } from "../../../src/core/async/mod.ts";
import { utf8 } from "../../../src/core/bytes/mod.ts";
import {
  type Connection,
  type Listener,
  MemoryNetwork,
  selfSigned,
} from "../../../src/core/transport/mod.ts";
import { ContactError } from "../../../src/dtn/cla/contact_error.ts";
import type { Contact } from "../../../src/dtn/cla/convergence_layer.ts";
import { TcpclError } from "../../../src/dtn/tcpcl/error.ts";
import {
  type Secure,
  TcpclLayer,
  type TcpclOptions,
} from "../../../src/dtn/tcpcl/tcpcl_layer.ts";
import {
  acceptTls,
  dialTls,
  parsePem,
  pinnedVerifier,
  serverCertificate,
} from "../../../src/tls/mod.ts";
import { hdtnRefusal } from "./_vectors.ts";

/** Two layers on one network and one clock. */
class Net {
  readonly clock = new VirtualClock();
  readonly network = new MemoryNetwork({ clock: this.clock });
  readonly #far: Partial<TcpclOptions>;
  readonly near: TcpclLayer;

  constructor(
    near: Partial<TcpclOptions> = {},
    far: Partial<TcpclOptions> = near,
  ) {
    this.#far = far;
    this.near = this.layer("near", near);
  }

  layer(name: string, options: Partial<TcpclOptions>): TcpclLayer {
    const transport = this.network.transport(name);
    const nodeId = `dtn://${name}/`;
    return new TcpclLayer({ nodeId, transport, clock: this.clock, ...options });
  }

  listen() {
    return this.layer("far", this.#far).listen("memory://far");
  }

  /** Where a peer of the test's own making listens. */
  rawListen(): Promise<Listener> {
    return this.network.transport("far").listen("memory://far");
  }

  rawDial(): Promise<Connection> {
    return this.network.transport("raw").dial("memory://far");
  }
}

Deno.test("contacts know the peer's node id, and keep each other alive", async () => {
  const net = new Net({ keepaliveS: 10 });
  await using listener = await net.listen();
  await using near = await net.near.dial("memory://far");
  await using far = await first(listener);
  assertEquals(near.peerNodeId, "dtn://far/");
  assertEquals(far.peerNodeId, "dtn://near/");
  const before = near.counts.bytesIn;
  await net.clock.run(100_000);
  const keepalives = near.counts.bytesIn - before;
  assert(keepalives >= 12 && keepalives <= 14, `${keepalives} bytes`);
  const [received] = await Promise.all([takeOne(far), near.send(utf8("x"))]);
  assertEquals(received, utf8("x"));
});

Deno.test("a peer that falls silent is left, and what it did not acknowledge rejects", async () => {
  const net = new Net({ keepaliveS: 10 });
  await using listener = await net.listen();
  await using near = await net.near.dial("memory://far");
  await using _far = await first(listener);
  const sending = near.send(utf8("x"));
  net.network.partition("near", "far");
  const failure = assertRejects(() => sending, ContactError);
  await net.clock.run(20_000);
  assertEquals((await failure).code, "timeout");
  await net.clock.run(10_000);
  await near.closed;
});

Deno.test("a peer that reads nothing is left after a stalled write", async () => {
  const net = new Net({
    keepaliveS: 0,
    stallTimeoutMs: 5_000,
    ignorePeerTransferMru: true,
  });
  await using listener = await net.rawListen();
  const dialing = net.near.dial("memory://far");
  await using raw = await firstOf(listener);
  await raw.write(new Uint8Array([...utf8("dtn!"), 4, 0]));
  const init = new Uint8Array(25);
  init[0] = 7;
  init[9] = 1; // segment MRU 256
  await raw.write(init);
  await using near = await dialing;
  const failure = assertRejects(
    () => near.send(new Uint8Array(1_000_000)),
    ContactError,
  );
  await net.clock.run(10_000);
  assertEquals((await failure).code, "timeout");
  await near.closed;
});

Deno.test("a peer that opens and says nothing is left, on either side", async () => {
  const net = new Net({ openTimeoutMs: 3_000 });
  await using listener = await net.listen();
  await using raw = await net.rawDial();
  await net.clock.run(3_000);
  await assertRejects(async () => {
    while (await raw.read(new Uint8Array(100)) !== null);
    throw new Error("ended");
  });
  listener.close();
  await using silent = await net.rawListen();
  const failure = assertRejects(
    () => net.near.dial("memory://far"),
    ContactError,
  );
  await net.clock.run(3_000);
  assertEquals((await failure).code, "timeout");
  (await firstOf(silent)).close();
});

Deno.test("of 10,000 sessions those beyond the bound hear that we are busy, and the rest work on", async () => {
  const net = new Net({}, { maxContacts: 50 });
  await using listener = await net.listen();
  const taken: Contact[] = [];
  const taking = (async () => {
    for await (const contact of listener) taken.push(contact);
  })();
  const kept: Contact[] = [];
  let busy = 0;
  for (let i = 0; i < 200; i++) {
    await Promise.all(Array.from({ length: 50 }, async () => {
      try {
        kept.push(await net.near.dial("memory://far"));
      } catch (error) {
        assert(error instanceof ContactError);
        assertEquals(error.code, "violation");
        assertStringIncludes(error.message, "busy");
        busy++;
      }
    }));
  }
  assertEquals([kept.length, taken.length, busy], [50, 50, 9_950]);
  const [received] = await Promise.all([
    takeOne(taken[7]!),
    kept[7]!.send(utf8("still")),
  ]);
  assertEquals(received, utf8("still"));
  kept[3]!.close();
  await Promise.all([kept[3]!.closed, taken[3]!.closed]);
  await using again = await net.near.dial("memory://far");
  assertEquals(again.peerNodeId, "dtn://far/");
  for (const contact of [...kept, ...taken]) contact.close();
  listener.close();
  await taking;
});

Deno.test("both sides upgrade to TLS after their contact headers, and bundles cross in it", async () => {
  const [secure, agreed] = await tlsOf();
  const net = new Net({ secure, requireTls: true });
  await using listener = await net.listen();
  await using near = await net.near.dial("memory://far");
  await using far = await first(listener);
  const [received, outcome] = await Promise.all([
    takeOne(far),
    near.send(new Uint8Array(100_000).fill(5)),
  ]);
  assertEquals(received, new Uint8Array(100_000).fill(5));
  assertEquals(outcome, { kind: "acknowledged" });
  assertEquals(agreed.sort(), ["active", "passive"]);
  await near.end();
  await far.closed;
});

Deno.test("a peer whose certificate is for another node than it says is sent contactFailure, and another is taken", async () => {
  const asked: string[] = [];
  for (const proved of ["dtn://far/", "dtn://another/"]) {
    const [secure] = await tlsOf((nodeId) => {
      asked.push(nodeId);
      return nodeId === proved;
    });
    const net = new Net({ secure, requireTls: true });
    await using _listener = await net.listen();
    const dialling = net.near.dial("memory://far");
    if (proved === "dtn://far/") {
      await using near = await dialling;
      assertEquals(near.peerNodeId, proved);
      continue;
    }
    const { code, cause } = await assertRejects(() => dialling, ContactError);
    assertEquals(code, "violation");
    assert(cause instanceof TcpclError);
    assertEquals(cause.code, "insecure");
  }
  assertEquals(asked, ["dtn://far/", "dtn://far/"]);
});

Deno.test("TLS is spoken only if both can, and a side that requires it leaves one that cannot", async () => {
  const [secure, agreed] = await tlsOf();
  const plain = new Net({ secure }, {});
  await using _listening = await plain.listen();
  await using near = await plain.near.dial("memory://far");
  assertEquals(near.peerNodeId, "dtn://far/");
  assertEquals(agreed, []);
  for (
    const [ours, theirs] of [[{ secure, requireTls: true }, {}], [{}, {
      secure,
      requireTls: true,
    }]]
  ) {
    const net = new Net(ours, theirs);
    await using _listener = await net.listen();
    const error = await assertRejects(
      () => net.near.dial("memory://far"),
      ContactError,
    );
    assertEquals(error.code, "violation");
  }
  assertThrows(
    () => new TcpclLayer({ nodeId: "", requireTls: true }),
    TypeError,
  );
});

Deno.test("a contact header of another version is answered with ours and versionMismatch", async () => {
  const net = new Net();
  await using _listener = await net.listen();
  await using raw = await net.rawDial();
  await raw.write(new Uint8Array([...utf8("dtn!"), 3, 0]));
  await raw.closeWrite();
  const answer = await new Response(raw.readable).bytes();
  assertEquals(answer, new Uint8Array([...utf8("dtn!"), 4, 0, 5, 0, 2]));
});

Deno.test("who is answered with a contact header of another version says versionMismatch", async () => {
  const net = new Net();
  await using listener = await net.rawListen();
  const dialing = assertRejects(
    () => net.near.dial("memory://far"),
    ContactError,
  );
  await using raw = await firstOf(listener);
  await raw.write(new Uint8Array([...utf8("dtn!"), 3, 0]));
  await raw.closeWrite();
  const said = await new Response(raw.readable).bytes();
  assertEquals(said, new Uint8Array([...utf8("dtn!"), 4, 0, 5, 0, 2]));
  const { code, cause } = await dialing;
  assertEquals(code, "violation");
  assert(cause instanceof TcpclError);
  assertEquals(cause.code, "version");
});

Deno.test("HDTN's refusal in the place of a contact header is understood", async () => {
  const net = new Net();
  await using listener = await net.rawListen();
  const dialing = assertRejects(
    () => net.near.dial("memory://far"),
    ContactError,
  );
  await using raw = await firstOf(listener);
  await raw.write(hdtnRefusal());
  await raw.closeWrite();
  const { cause } = await dialing;
  assert(cause instanceof TcpclError);
  assertEquals(cause.code, "refused");
  assertStringIncludes(cause.message, "contactFailure");
});

Deno.test("a violation ends the contact for both, with a reason for the peer", async () => {
  const net = new Net();
  await using listener = await net.listen();
  await using raw = await net.rawDial();
  await raw.write(
    new Uint8Array([...utf8("dtn!"), 4, 0, 7, ...new Uint8Array(24)]),
  );
  await using far = await first(listener);
  await raw.write(new Uint8Array([0xee]));
  await raw.closeWrite();
  const said = await new Response(raw.readable).bytes();
  assertEquals(said.subarray(-3), new Uint8Array([6, 1, 0xee]));
  await far.closed;
  assertEquals(await allOf(far), []);
});

Deno.test("options out of their range are refused", () => {
  for (
    const wrong of [
      { keepaliveS: -1 },
      { keepaliveS: 65_536 },
      { segmentMruBytes: 0 },
      { transferMruBytes: 1.5 },
      { segmentBytes: 0 },
    ]
  ) assertThrows(() => new TcpclLayer({ nodeId: "", ...wrong }), RangeError);
});

/** Speaks TLS with a certificate of the test's own, and notes who did. */
async function tlsOf(
  isPeer?: (nodeId: string) => boolean,
): Promise<[Secure, string[]]> {
  const { certPem, keyPem } = await selfSigned({ names: ["far.example"] });
  const certificates = [serverCertificate({ chainPem: certPem, keyPem })];
  const verify = pinnedVerifier(parsePem(certPem)[0]!);
  const roles: string[] = [];
  const secure: Secure = async (connection, role, { signal }) => {
    roles.push(role);
    if (role === "active") {
      const options = { serverName: "far.example", verify, signal };
      return {
        connection: await dialTls(connection, options),
        ...isPeer && { isPeer },
      };
    }
    return {
      connection: await acceptTls(connection, { certificates, signal }),
    };
  };
  return [secure, roles];
}

async function first(listener: AsyncIterable<Contact>): Promise<Contact> {
  return (await listener[Symbol.asyncIterator]().next()).value;
}

async function firstOf(listener: Listener): Promise<Connection> {
  return (await listener[Symbol.asyncIterator]().next()).value;
}

async function takeOne(contact: Contact): Promise<Uint8Array> {
  const { value } = await contact.received[Symbol.asyncIterator]().next();
  value.accept();
  return value.bytes;
}

async function allOf(contact: Contact): Promise<Uint8Array[]> {
  const all = [];
  for await (const { bytes } of contact.received) all.push(bytes);
  return all;
}
