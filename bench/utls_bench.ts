import { decodeHex } from "../src/core/bytes/mod.ts";
import {
  decodeClientHello,
  encodeClientHello,
  explainClientHello,
  hellosIn,
  ja3,
  ja4,
} from "../src/utls/mod.ts";

/** A full and a resuming hello of Chromium 156, raw, and what others make of them. */
const CHROME = new URL(
  "../tests/vectors/chrome/debian-chromium-156.0.8078.79.json",
  import.meta.url,
);
const { full, psk } = JSON.parse(Deno.readTextFileSync(CHROME));

for (
  const [kind, { record, ja3: ja3Expected, ja4: ja4Expected }] of [
    ["full", full[0]],
    ["resuming", psk[0]],
  ] as const
) {
  const message = decodeHex(record).subarray(5);
  const hello = decodeClientHello(message);
  expect(`${kind} JA3`, ja3(hello), ja3Expected);
  expect(`${kind} JA4`, ja4(hello), ja4Expected);
  expect(
    `${kind} hello`,
    encodeClientHello(hello).toHex(),
    message.toHex(),
  );
  const group = `${kind} hello of ${message.length} bytes`;
  const bench = (name: string, run: () => unknown) =>
    Deno.bench(`${name}, ${kind}`, { group }, () => void run());
  bench("decode", () => decodeClientHello(message));
  bench("encode", () => encodeClientHello(hello));
  bench("decode and JA3", () => ja3(decodeClientHello(message)));
  bench("decode and JA4", () => ja4(decodeClientHello(message)));
  bench("explain", () => explainClientHello(hello));
}

const CAPTURE = new URL(
  "../tests/vectors/foxio/tls-handshake.pcapng",
  import.meta.url,
);
const capture = Deno.readFileSync(CAPTURE);
expect("hellos in capture", `${[...hellosIn(capture)].length}`, "168");
Deno.bench("168 hellos in a capture of 199 kB, 10 of them in QUIC", () => {
  for (const _ of hellosIn(capture));
});

function expect(what: string, actual: string, expected: string): void {
  if (actual !== expected) throw new Error(`${what}: ${actual}`);
}
