import { assert, assertEquals, assertMatch } from "@std/assert";
import { nodeProvider as crypto } from "../../src/core/crypto/mod.ts";
import {
  COMPACT,
  createPacket,
  createSurb,
  recoverMessage,
  recoverReply,
  unwrapPacket,
  vrfProve,
} from "../../src/mixnet/mod.ts";
import { makeFolder } from "../cli/_htx_process.ts";
import { drawRoute } from "../mixnet/sphinx/_draw.ts";
import { isAvailable } from "./_peers.ts";
import type { PageCase, PageResult } from "./_sphinx_page.ts";

const ignore = !isAvailable("chromium", ["--version"], "sphinx_chromium_test");
const HOPS = 5;

/** Runs the bundle, and tells what goes wrong in it. */
const PAGE = `<!doctype html>
<script>
const tell = (text) => fetch("/error", { method: "POST", body: text });
addEventListener("error", ({ message }) => tell(message));
addEventListener("unhandledrejection", ({ reason }) => tell(String(reason)));
</script>
<script type="module" src="/page.js" onerror="tell('it cannot load /page.js')"></script>
`;

Deno.test({
  name:
    "Sphinx and VRF without Deno or Node: Chromium makes and unwraps packets and SURBs, and proves, as Deno does",
  ignore,
  async fn() {
    const drawn = drawRoute(HOPS);
    const { privateKeys, destination, identifier } = drawn;
    const message = crypto.random(1_000);
    const packet = createPacket(crypto, COMPACT, drawn, message);
    const { surb, recovery } = createSurb(crypto, drawn);
    const result = await inChromium({
      packet: packet.toHex(),
      privateKeys: privateKeys.map((key) => key.toHex()),
      publicKeys: drawn.route.map(({ publicKey }) => publicKey.toHex()),
      destination: destination.toHex(),
      identifier: identifier.toHex(),
      message: message.toHex(),
      surb: surb.toHex(),
    });
    assertMatch(result.userAgent, /Chrome\//);

    const { trace, tags } = travel(privateKeys, packet);
    assertEquals(result.trace, trace.map((bytes) => bytes.toHex()));
    assertEquals(result.tags, tags);
    assertEquals(result.recovered, message.toHex());
    assertEquals(result.answered, message.toHex());

    for (const [i, suite] of (["TAI", "ELL2"] as const).entries()) {
      const proof = vrfProve(crypto, suite, privateKeys[0]!, message);
      assertEquals(result.proofs[i], proof.toHex());
    }

    const theirs = travel(privateKeys, Uint8Array.fromHex(result.packet));
    assertEquals(recoverMessage(theirs.trace.at(-1)!), message);
    const reply = travel(privateKeys, Uint8Array.fromHex(result.reply));
    assertEquals(
      recoverReply(crypto, recovery, reply.trace.at(-1)!),
      message,
    );
  },
});

/** What the page of `_sphinx_page.ts` posts, in a headless Chromium that loads it from here. */
async function inChromium(given: PageCase): Promise<PageResult> {
  const script = await bundle("./_sphinx_page.ts");
  const { promise: opening, resolve: opened } = Promise.withResolvers<number>();
  const { promise, resolve, reject } = Promise.withResolvers<PageResult>();
  await using _server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: ({ port }) => opened(port) },
    async (request) => {
      switch (new URL(request.url).pathname) {
        case "/":
          return as("text/html", PAGE);
        case "/page.js":
          return as("text/javascript", script);
        case "/case":
          return Response.json(given);
        case "/result":
          resolve(await request.json());
          return new Response();
        case "/error":
          reject(new Error(await request.text()));
          return new Response();
        default:
          return new Response(null, { status: 404 });
      }
    },
  );
  await using profile = await makeFolder();
  const child = new Deno.Command("chromium", {
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--remote-debugging-port=0", // so that it stays when the page is loaded
      `--user-data-dir=${profile.path}`,
      `http://127.0.0.1:${await opening}/`,
    ],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const signal = AbortSignal.timeout(60_000);
  signal.addEventListener("abort", () => reject(signal.reason));
  const ended = child.status.then(({ code }) =>
    reject(new Error(`Chromium ended with ${code} before the page was done`))
  );
  try {
    return await promise;
  } finally {
    try {
      child.kill();
    } catch { // it has ended
    }
    await ended;
  }
}

async function bundle(entry: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "bundle",
      "--quiet",
      "--frozen",
      "--platform=browser",
      new URL(entry, import.meta.url).pathname,
    ],
  }).output();
  const decoder = new TextDecoder();
  assert(success, decoder.decode(stderr));
  return decoder.decode(stdout);
}

function as(type: string, body: string): Response {
  return new Response(body, { headers: { "content-type": type } });
}

/** The packet behind each hop, then the payload; and the replay tags. */
function travel(privateKeys: readonly Uint8Array[], packet: Uint8Array) {
  const trace: Uint8Array[] = [];
  const tags: string[] = [];
  for (const key of privateKeys) {
    const hop = unwrapPacket(crypto, COMPACT, key, trace.at(-1) ?? packet);
    trace.push(hop.kind === "forward" ? hop.packet : hop.payload);
    tags.push(hop.replayTag.toHex());
  }
  return { trace, tags };
}
