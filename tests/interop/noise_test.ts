import { assert, assertEquals } from "@std/assert";
import { decodeHex } from "../../src/core/bytes/mod.ts";
import { generateX25519, nodeProvider } from "../../src/core/crypto/mod.ts";
import {
  type HandshakeOptions,
  HandshakeState,
  type TransportCiphers,
} from "../../src/core/noise/mod.ts";
import { isAtLeast } from "./_peers.ts";

const HERE = import.meta.dirname!;
const CACHE = `${HERE}/.cache`;
const PROLOGUE = "00ff62657461";
const EMPTY = new Uint8Array(0);

const SNOW =
  "cargo build --release --locked --target-dir ../../.cache/snow_peer";
const FLYNN = "go build -mod=readonly -o ../../.cache/flynn_peer .";

interface Peer {
  readonly name: "snow" | "flynn";
  readonly build: string;
  /** What prints the version of the compiler. */
  readonly version: string;
  /** Where in its folder the least version stands that builds it, and how. */
  readonly least: readonly [file: string, pattern: RegExp];
  readonly program: string;
  readonly hybrid: readonly boolean[];
}

const PEERS: readonly Peer[] = [
  {
    name: "snow",
    build: SNOW,
    version: "cargo --version",
    least: ["Cargo.toml", /^rust-version = "(.+)"$/m],
    program: `${CACHE}/snow_peer/release/snow_peer`,
    hybrid: [false, true],
  },
  {
    name: "flynn",
    build: FLYNN,
    version: "go version",
    least: ["go.mod", /^go (.+)$/m],
    program: `${CACHE}/flynn_peer`,
    hybrid: [false],
  },
];

for (const peer of PEERS) {
  Deno.test({
    name: `noise speaks with ${peer.name} over TCP, both roles`,
    ignore: !hasCompiler(peer),
    fn: async (t) => {
      await build(peer);
      for (const options of suites(peer)) {
        const { pattern, hash, hybrid, role } = options;
        const name = `${pattern}${hybrid ? "hfs" : ""} ${hash} as ${role}`;
        await t.step(name, () => converse(peer, options));
      }
    },
  });
}

type Suite = Pick<HandshakeOptions, "pattern" | "hash" | "hybrid" | "role">;

function suites(peer: Peer): Suite[] {
  const patterns = peer.name === "snow"
    ? (["N", "XK", "XX", "IK"] as const)
    : (["XK", "XX", "IK"] as const);
  return patterns.flatMap((pattern) =>
    (["SHA256", "BLAKE2s"] as const).flatMap((hash) =>
      peer.hybrid.filter((hybrid) => !(hybrid && pattern === "N")).flatMap((
        hybrid,
      ) =>
        (["initiator", "responder"] as const).filter((role) =>
          !(role === "responder" && pattern === "N")
        ).map((role) => ({
          pattern,
          hash,
          hybrid,
          role,
        }))
      )
    )
  );
}

async function converse(peer: Peer, suite: Suite): Promise<void> {
  const ours = generateX25519(nodeProvider);
  const theirs = generateX25519(nodeProvider);
  const known = suite.pattern !== "XX";
  const anonymous = suite.pattern === "N";
  using handshake = new HandshakeState({
    ...suite,
    crypto: nodeProvider,
    prologue: decodeHex(PROLOGUE),
    ...anonymous ? {} : { staticKeyPair: ours },
    ...known && suite.role === "initiator"
      ? { remoteStaticKey: theirs.publicKey }
      : {},
  });
  await using child = new Deno.Command(peer.program, {
    args: [
      handshake.protocolName,
      suite.role === "initiator" ? "responder" : "initiator",
      theirs.privateKey.expose().toHex(),
      known && suite.role === "responder" ? ours.publicKey.toHex() : "-",
      PROLOGUE,
    ],
    stdout: "piped",
  }).spawn();
  const lines = readLines(child.stdout);
  const port = Number((await lines.next()).value?.slice("PORT ".length));
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });

  for (let i = 0; !handshake.finished; i++) {
    if (handshake.myTurn) {
      await send(connection, handshake.writeMessage(new Uint8Array(100 * i)));
    } else {
      const payload = handshake.readMessage(await receive(connection));
      assertEquals(new TextDecoder().decode(payload), `${peer.name} ${i}`);
    }
  }
  assertEquals(
    (await lines.next()).value,
    `HASH ${handshake.handshakeHash.toHex()}`,
  );
  assertEquals(
    (await lines.next()).value,
    `REMOTE ${anonymous ? "-" : ours.publicKey.toHex()}`,
  );
  assertEquals(handshake.remoteStaticKey, theirs.publicKey);

  if (anonymous) await oneWay(connection, handshake.split());
  else await transport(connection, handshake.split());
  connection.closeWrite();
  assertEquals((await lines.next()).done, true);
  assertEquals((await child.status).code, 0);
}

/** The peer may not answer in pattern N, and says in clear what it read. */
async function oneWay(
  connection: Deno.TcpConn,
  { send: sealer }: TransportCiphers,
): Promise<void> {
  for (const length of [0, 1, 1_000, 65_519]) {
    const plaintext = nodeProvider.random(length);
    await send(connection, sealer.encryptWithAd(EMPTY, plaintext));
    assertEquals(await receive(connection), plaintext);
  }
}

async function transport(
  connection: Deno.TcpConn,
  { send: sealer, receive: opener }: TransportCiphers,
): Promise<void> {
  const echo = async (plaintext: Uint8Array) => {
    await send(connection, sealer.encryptWithAd(EMPTY, plaintext));
    const echoed = opener.decryptWithAd(EMPTY, await receive(connection));
    assertEquals(echoed.length, plaintext.length);
    assert(echoed.every((byte, i) => byte === plaintext[i]));
  };
  for (let round = 0; round < 3; round++) {
    for (const length of [0, 1, 1_000, 65_519]) {
      await echo(nodeProvider.random(length));
    }
    await echo(new TextEncoder().encode("rekey"));
    sealer.rekey();
    opener.rekey();
  }
  await echo(Uint8Array.of(1, 2, 3));
}

async function send(
  connection: Deno.TcpConn,
  message: Uint8Array,
): Promise<void> {
  const framed = new Uint8Array(2 + message.length);
  new DataView(framed.buffer).setUint16(0, message.length);
  framed.set(message, 2);
  for (let at = 0; at < framed.length;) {
    at += await connection.write(framed.subarray(at));
  }
}

async function receive(connection: Deno.TcpConn): Promise<Uint8Array> {
  const header = await readFull(connection, 2);
  return await readFull(connection, header[0]! << 8 | header[1]!);
}

async function readFull(
  connection: Deno.TcpConn,
  length: number,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const read = await connection.read(bytes.subarray(at));
    assert(read !== null, "The peer closed early");
    at += read;
  }
  return bytes;
}

async function* readLines(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<string> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
}

function hasCompiler({ name, version, least: [file, pattern] }: Peer): boolean {
  const text = Deno.readTextFileSync(`${HERE}/noise/${name}_peer/${file}`);
  return isAtLeast(version, text.match(pattern)![1]!, `noise_test: ${name}`);
}

async function build(peer: Peer): Promise<void> {
  const [tool, ...args] = peer.build.split(" ");
  const { success, stderr } = await new Deno.Command(tool!, {
    args,
    cwd: `${HERE}/noise/${peer.name}_peer`,
    stderr: "piped",
  }).output();
  assert(success, new TextDecoder().decode(stderr));
}
