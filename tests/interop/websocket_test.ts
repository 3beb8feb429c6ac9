import { createHash } from "node:crypto";
import { assert, assertEquals } from "@std/assert";
import {
  type Connection,
  dialWebSocket,
  listenWebSocket,
  TransportError,
} from "../../src/core/transport/mod.ts";
import { readExactly } from "../compliance/transport.ts";
import { isAvailable } from "./_peers.ts";

const ENVIRONMENT = `${import.meta.dirname}/.cache/websockets`;
const PYTHON = `${ENVIRONMENT}/bin/python`;
const PACKAGE = "websockets==15.0.1";
const MESSAGE_BYTES = 16_777_216;

/** A client that takes steps of JSON from its arguments and prints what it saw as JSON. */
const CLIENT = `
import asyncio, hashlib, json, os, sys, websockets

async def receive(ws, length):
    total, digest = 0, hashlib.sha256()
    while total < length:
        part = await ws.recv()
        total += len(part)
        digest.update(part)
    return digest.hexdigest()

async def main(address, steps):
    seen = []
    async with websockets.connect(address, max_size=None, ping_interval=None, compression=None) as ws:
        for step in steps:
            kind, value = step
            if kind == "send":
                await ws.send(bytes(value))
            elif kind == "fragments":
                parts = [bytes(n) for n in value]
                _, digest = await asyncio.gather(ws.send(parts), receive(ws, sum(value)))
                seen.append(digest)
            elif kind == "ping":
                pong = await ws.ping(b"x" * value)
                await asyncio.wait_for(pong, 5)
                seen.append("pong")
            elif kind == "raw":
                ws.transport.write(bytes.fromhex(value))
            elif kind == "close":
                await ws.close(value)
            elif kind == "closed":
                await ws.wait_closed()
        seen.append(ws.close_code)
    print(json.dumps(seen))

asyncio.run(main(sys.argv[1], json.loads(sys.argv[2])))
`;

/** A server that echoes each message, in fragments if it is long, and then closes with the code in its path. */
const SERVER = `
import asyncio, logging, websockets

logging.disable()

async def echo(ws):
    code = int(ws.request.path[1:])
    async for message in ws:
        half = len(message) // 2
        await ws.ping()
        await ws.send([message[:half], message[half:]])
        if len(message) == 1:
            await ws.close(code)

async def main():
    async with websockets.serve(echo, "127.0.0.1", 0, max_size=None, compression=None) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()

asyncio.run(main())
`;

const ignore = !isAvailable("python3", ["--version"], "websocket_test") ||
  !install();

Deno.test({
  name: "ws: our server and Python's websockets",
  ignore,
  fn: async (t) => {
    const size = MESSAGE_BYTES;
    const malformed = (hex: string, code: number) =>
      [[["raw", hex], ["closed", 0]], [code]] as const;
    const cases = {
      "a message of 16 MiB in fragments comes back": [
        [["fragments", Array(64).fill(size / 64)], ["close", 1000]],
        [sha256(new Uint8Array(size)), 1000],
      ],
      "pings between fragments are answered": [
        [["ping", 125], ["fragments", [1, 0, 2]], ["ping", 0], ["close", 1000]],
        ["pong", sha256(new Uint8Array(3)), "pong", 1000],
      ],
      "a frame above the limit": [
        [["send", 1_048_577], ["closed", 0]],
        [1009],
      ],
      "an application's close code is answered": [[["close", 4000]], [1000]],
      "a reserved bit": malformed("c28000000000", 1002),
      "a reserved opcode": malformed("838000000000", 1002),
      "a reserved control opcode": malformed("8b8000000000", 1002),
      "text": malformed("818000000000", 1002),
      "no mask": malformed("820141", 1002),
      "a length not in its shortest form": malformed("82fe000100000000", 1002),
      "a continuation of nothing": malformed("808000000000", 1002),
      "a message inside another": malformed("028000000000828000000000", 1002),
      "a fragmented ping": malformed("098000000000", 1002),
      "a long ping": malformed("89fe007e00000000", 1002),
      "a close of one byte": malformed("888100000000ff", 1002),
      "a close code that may not be sent": malformed(
        "88820000000003ed",
        1002,
      ),
      "a close reason that is not UTF-8": malformed(
        "88830000000003e8ff",
        1002,
      ),
    } as const;
    for (const [name, [steps, wanted]] of Object.entries(cases)) {
      await t.step(name, async () => {
        await using listener = listenWebSocket("ws://127.0.0.1:0/");
        const echoing = echoOne(listener);
        assertEquals(await run(CLIENT, listener.address, steps), wanted);
        await echoing;
      });
    }
  },
});

Deno.test({
  name: "ws: our client and Python's websockets",
  ignore,
  fn: async (t) => {
    await using server = new Deno.Command(PYTHON, {
      args: ["-c", SERVER],
      stdout: "piped",
    }).spawn();
    const reader = server.stdout.getReader();
    const port = new TextDecoder().decode((await reader.read()).value).trim();
    await t.step("16 MiB come back in fragments", async () => {
      await using client = await dialWebSocket(`ws://127.0.0.1:${port}/1000`, {
        maxFrameBytes: MESSAGE_BYTES,
      });
      const sent = new Uint8Array(MESSAGE_BYTES).fill(7);
      const [received] = await Promise.all([
        readExactly(client, sent.length),
        client.write(sent),
      ]);
      assertEquals(sha256(received), sha256(sent));
      await client.closeWrite();
      assertEquals(await client.read(new Uint8Array(1)), null);
    });
    for (const code of [1000, 1001, 1011, 4000]) {
      await t.step(`close code ${code}`, async () => {
        await using client = await dialWebSocket(
          `ws://127.0.0.1:${port}/${code}`,
        );
        await client.write(new Uint8Array(1));
        await readExactly(client, 1);
        const end = await client.read(new Uint8Array(1)).catch((e) => e);
        if (code === 1000) assertEquals(end, null);
        else assert(end instanceof TransportError && end.code === "reset");
      });
    }
    server.kill();
    await reader.cancel();
  },
});

/** Sends back all that one client sends, until it ends. */
async function echoOne(listener: AsyncIterable<Connection>): Promise<void> {
  for await (const far of listener) {
    await far.readable.pipeTo(far.writable).catch(() => {});
    await far[Symbol.asyncDispose]();
    return;
  }
}

async function run(
  script: string,
  address: string,
  steps: unknown,
): Promise<unknown> {
  const args = ["-c", script, address, JSON.stringify(steps)];
  const { success, stdout, stderr } = await new Deno.Command(PYTHON, { args })
    .output();
  assert(success, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Puts the package into an environment of its own, and says whether it is there. */
function install(): boolean {
  const has = () => succeeds(PYTHON, ["-c", "import websockets"]);
  if (has()) return true;
  succeeds("python3", ["-m", "venv", ENVIRONMENT]);
  succeeds(PYTHON, ["-m", "pip", "install", "--quiet", PACKAGE]);
  if (has()) return true;
  // deno-lint-ignore no-console -- a skipped test says why
  console.warn(`websocket_test: skipped, cannot install ${PACKAGE}`);
  return false;
}

function succeeds(program: string, args: string[]): boolean {
  try {
    return new Deno.Command(program, { args }).outputSync().success;
  } catch {
    return false; // not there
  }
}
