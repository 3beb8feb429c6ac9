/**
 * Hellos of Chrome drawn and fingerprinted per second, beside Go's uTLS and the package read-tls-client-hello.
 *
 * `deno run -A bench/peers/hellos.ts [--rounds n]` prints a Markdown table of medians and writes every round to
 * `bench/results/<date>-<cpu>-hellos.json`. It needs Go and npm, once with the network. `BETANET_LIBCRYPTO` is a file of OpenSSL 3
 * to take instead of the system's.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { decodeHex } from "../../src/core/bytes/mod.ts";
import {
  checkedProvider,
  type CryptoProvider,
  nodeProvider,
} from "../../src/core/crypto/mod.ts";
import { openLibcrypto } from "../../src/ffi/mod.ts";
import {
  type ClientHello,
  decodeClientHello,
  drawOffer,
  ja3,
  ja4,
  profileOf,
} from "../../src/utls/mod.ts";
import { installNodePeers, NODE } from "./_node_peers.ts";
import { storeResults } from "./_store_results.ts";

type Figures = Record<string, number>;

const HERE = import.meta.dirname!;
const MEASURE_MS = 2_000;
const HEADER_LENGTH = 5; // of the record around a hello
const CHROME_JA4 = /^t13d151[67]h2_8daaf6152771_/;
const serverName = "www.example.com";
const native = checkedProvider(
  openLibcrypto(Deno.env.get("BETANET_LIBCRYPTO")),
);
const { full } = JSON.parse(
  Deno.readTextFileSync(
    `${HERE}/../../tests/vectors/chrome/debian-chromium-156.0.8078.79.json`,
  ),
);
const { record, ja3: ja3Expected, ja4: ja4Expected } = full[0];
const message = decodeHex(record).subarray(HEADER_LENGTH);

const { rounds: count } = parseArgs(Deno.args, {
  string: ["rounds"],
  default: { rounds: "3" },
});
installNodePeers();
const utls = `${HERE}/tls/node_modules/.utls`;
run("go", ["build", "-C", `${HERE}/utls`, "-o", utls, "."]);
const rounds: Figures[] = [];
for (let i = 0; i < Number(count); i++) {
  rounds.push({ ...ours(), ...ofUtls(), ...ofReadTlsClientHello() });
}
await storeResults("-hellos", {
  versions: Deno.version,
  libcrypto: native.name,
  rounds,
});
const lines = Object.keys(rounds[0]!).map((name) =>
  `| ${name} | ${Math.round(median(name))} |\n`
);
await Deno.stdout.write(
  new TextEncoder().encode(`| | 1/s |\n| --- | ---: |\n${lines.join("")}`),
);

function ours(): Figures {
  const hello = decodeClientHello(message);
  checkFingerprints("ours", ja3(hello), ja4(hello));
  checkDraw(draw(nodeProvider));
  return {
    "betanet: decode and JA4": perS(() => ja4(decodeClientHello(message))),
    "betanet: JA3": perS(() => ja3(hello)),
    "betanet: JA4": perS(() => ja4(hello)),
    "betanet: draw, Chrome 156": perS(() => draw(nodeProvider)),
    "betanet: draw, Chrome 156, libcrypto": perS(() => draw(native)),
  };
}

function draw(crypto: CryptoProvider): ClientHello {
  using offer = drawOffer(profileOf(156), { crypto, serverName });
  return offer.hello;
}

function ofUtls(): Figures {
  const { perS, hello } = JSON.parse(run(utls, []));
  checkDraw(decodeClientHello(decodeHex(hello)));
  return { "uTLS (Go): draw, Chrome 133": perS };
}

function ofReadTlsClientHello(): Figures {
  const program = `${HERE}/tls/read_hello.ts`;
  const output = run(NODE, [program, "read-tls-client-hello", record]);
  const { ja3, ja4, ...figures } = JSON.parse(output);
  checkFingerprints("read-tls-client-hello", ja3, ja4);
  return Object.fromEntries(
    Object.entries(figures as Figures).map(([name, value]) => [
      `read-tls-client-hello: ${name}`,
      value,
    ]),
  );
}

function checkFingerprints(whose: string, ja3: string, ja4: string): void {
  if (ja3 === ja3Expected && ja4 === ja4Expected) return;
  throw new Error(`${whose}: ${ja3} ${ja4}`);
}

function checkDraw(hello: ClientHello): void {
  if (!CHROME_JA4.test(ja4(hello))) throw new Error(`Drew ${ja4(hello)}`);
}

function perS(step: () => unknown): number {
  const startMs = performance.now();
  let count = 0;
  for (; performance.now() - startMs < MEASURE_MS; count += 100) {
    for (let i = 0; i < 100; i++) step();
  }
  return count / (performance.now() - startMs) * 1e3;
}

function run(program: string, args: string[]): string {
  const { success, stdout, stderr } = new Deno.Command(program, { args })
    .outputSync();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`${program}: ${decoder.decode(stderr)}`);
  return decoder.decode(stdout);
}

function median(name: string): number {
  const values = rounds.map((figures) => figures[name]!).sort((a, b) => a - b);
  return values[values.length >> 1]!;
}
