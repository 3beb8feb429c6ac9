import { assertEquals, assertStringIncludes } from "@std/assert";
import { run } from "../../cli/_main.ts";
import { verifyDelay } from "../../cli/mixnode/verify_delay.ts";
import { encodeHex } from "../../src/core/bytes/mod.ts";
import { nodeProvider as crypto, Secret } from "../../src/core/crypto/mod.ts";
import {
  formatRouteProof,
  RouteDrawer,
  type RouteNode,
  verifyDocument,
} from "../../src/mixnet/mod.ts";
import {
  documentOf,
  EPOCH,
  payloadOf,
  TRUST,
} from "../mixnet/directory/_network.ts";
import { FakeTerminal } from "./_fake_terminal.ts";

const BYTES = documentOf(payloadOf());
const { beacon, nodes, parameters } = verifyDocument(crypto, BYTES, TRUST);
const [from, to] = nodes.filter(({ layer }) => layer === 0)
  .map(({ identityKey }) => identityKey);
const ENDS = ["--from", encodeHex(from!), "--to", encodeHex(to!)];
const SIGNED = [
  ...["--network", "test", "--threshold", "2"],
  ...TRUST.authorities.flatMap((key) => ["--authority", encodeHex(key)]),
];
const { route, proof } = draw("strict");

Deno.test("verify-delay prints the hops and delays that a document's epoch and a proof give", async () => {
  await using files = new Files();
  const args = ["--document", files.write(BYTES), ...SIGNED, ...ENDS];
  for (const operand of [proof, files.write(`${proof}\n`)]) {
    const { code, out, err } = await verify(operand, ...args, "--json");
    assertEquals([code, err], [0, ""]);
    const { hops, delaysMs, counter, epoch } = JSON.parse(out);
    assertEquals([counter, epoch], [0, EPOCH]);
    assertEquals(delaysMs, route.delaysMs);
    assertEquals(
      hops,
      route.hops.map(({ address, delayNs }, i) => ({
        id: encodeHex(address),
        layer: [0, 1, 2, 3, 0][i],
        delayMs: delayNs / 1e6,
      })),
    );
  }
  const { out } = await verify(proof, ...args);
  const [head, ...lines] = out.trim().split("\n");
  assertStringIncludes(head!, `packet 0 of epoch ${EPOCH}`);
  assertStringIncludes(
    lines[1]!,
    `${(route.hops[1]!.delayNs / 1e6).toFixed(3)} ms`,
  );
  assertStringIncludes(lines[5]!, `in all ${route.delaysMs.toFixed(3)} ms`);
});

Deno.test("verify-delay takes the inputs by themselves", async () => {
  await using files = new Files();
  const inputs = ["--inputs", files.write(inputsOf())];
  for (const mode of ["strict", "balanced", "performance"] as const) {
    const { route, proof } = draw(mode);
    const args = [...inputs, ...ENDS, "--mode", mode, "--json"];
    const { code, out } = await verify(proof, ...args);
    assertEquals(code, 0);
    assertEquals(JSON.parse(out).delaysMs, route.delaysMs);
  }
});

Deno.test("verify-delay refuses a proof for other gateways, nodes, beacon, epoch or mode, and a changed one", async () => {
  await using files = new Files();
  const inputs = (changes: object = {}) => [
    "--inputs",
    files.write(inputsOf(changes)),
  ];
  const swapped = ["--from", encodeHex(to!), "--to", encodeHex(from!)];
  const at = proof.length - 20;
  const changed = proof.slice(0, at) + (proof[at] === "A" ? "B" : "A") +
    proof.slice(at + 1);
  for (
    const [error, operand, ...args] of [
      ["does not hold", proof, ...inputs(), ...swapped],
      ["does not hold", proof, ...inputs({ beacon: "00".repeat(32) }), ...ENDS],
      ["does not hold", proof, ...inputs({ nodes: [] }), ...ENDS],
      ["does not hold", changed, ...inputs(), ...ENDS],
      ["the inputs are of 1", proof, ...inputs({ epoch: 1 }), ...ENDS],
      ["no proof", proof.slice(0, -4), ...inputs(), ...ENDS],
      ["no proof", files.write("betanet-mix:AAAA"), ...inputs(), ...ENDS],
      ["does not hold inputs", proof, ...inputs({ maxDelayMs: 1 }), ...ENDS],
      ["does not hold inputs", proof, ...inputs({ nodes: 7 }), ...ENDS],
      ["does not hold inputs", proof, "--inputs", files.write("{"), ...ENDS],
      ["Cannot read", proof, "--inputs", "/nowhere", ...ENDS],
    ] as const
  ) {
    const { code, out, err } = await verify(operand, ...args);
    assertEquals([code, out], [1, ""], error);
    assertStringIncludes(err, error);
  }
});

Deno.test("verify-delay refuses a document that too few authorities signed, or of another network", async () => {
  await using files = new Files();
  const once = files.write(documentOf(payloadOf(), 1));
  const whole = files.write(BYTES);
  for (
    const [error, ...args] of [
      ["1 of 2 authorities", "--document", once, ...SIGNED],
      ["another network", "--document", whole, ...SIGNED, "--network", "x"],
      ["does not hold", "--document", files.write("no"), ...SIGNED],
    ] as const
  ) {
    const { code, err } = await verify(proof, ...args, ...ENDS);
    assertEquals(code, 1);
    assertStringIncludes(err, error);
  }
});

Deno.test("verify-delay says which flags it wants", async () => {
  const document = ["--document", "x", ...ENDS];
  for (
    const [error, ...args] of [
      ["Want 1 operands"],
      ["--from wants", proof],
      ["--to wants", proof, ...ENDS.slice(0, 2), "--to", "12"],
      ["--mode wants", proof, ...ENDS, "--mode", "fast"],
      ["--document or --inputs", proof, ...ENDS],
      ["--document or --inputs", proof, ...document, "--inputs", "x"],
      ["--network and --authority", proof, ...document],
      ["--threshold wants", proof, ...document, ...SIGNED, "--threshold", "4"],
      ["--authority wants", proof, ...document, ...SIGNED, "--authority", "ff"],
    ] as const
  ) {
    const { code, err } = await verify(...args);
    assertEquals(code, 2, error);
    assertStringIncludes(err, error);
  }
});

/** A route by the document, and its proof as text. */
function draw(mode: "strict" | "balanced" | "performance") {
  const seed = new Secret(new Uint8Array(32).fill(5));
  const drawer = new RouteDrawer({ crypto, seed });
  const { meanDelayMs, maxDelayMs } = parameters;
  const plan = {
    ...{ nodes, epoch: EPOCH, from: from!, to: to! },
    ...{ mode, meanDelayMs, maxDelayMs },
  };
  const route = drawer.draw(beacon.value, plan)!;
  return { route, proof: formatRouteProof(drawer.prove(beacon.value, route)) };
}

function inputsOf(changes: object = {}): string {
  const node = ({ identityKey, layer, asn, sphinxKeys }: RouteNode) => ({
    id: encodeHex(identityKey),
    layer,
    asn,
    sphinxKey: encodeHex(sphinxKeys.get(EPOCH)!),
  });
  return JSON.stringify({
    epoch: EPOCH,
    beacon: encodeHex(beacon.value),
    meanDelayMs: parameters.meanDelayMs,
    maxDelayMs: parameters.maxDelayMs,
    nodes: nodes.map(node),
    ...changes,
  });
}

async function verify(...args: readonly string[]) {
  const terminal = new FakeTerminal(["verify-delay", ...args]);
  const program = {
    name: "x",
    usage: "x",
    commands: { "verify-delay": verifyDelay },
  };
  const code = await run(program, terminal);
  return { code, out: terminal.out, err: terminal.err };
}

/** Files in a folder that is removed. */
class Files implements AsyncDisposable {
  readonly #folder = Deno.makeTempDirSync();
  #count = 0;

  write(content: string | Uint8Array): string {
    const path = `${this.#folder}/${this.#count++}`;
    if (typeof content === "string") Deno.writeTextFileSync(path, content);
    else Deno.writeFileSync(path, content);
    return path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#folder, { recursive: true });
  }
}
