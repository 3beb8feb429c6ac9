/**
 * `read_hello.ts read-tls-client-hello <hello in hex>` fingerprints the hello for two seconds each way, and prints JA3, JA4 and how many a second as
 * JSON. The package reads hellos from streams only.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import process from "node:process";
import { PassThrough } from "node:stream";
/** What the package exports. */
interface Package {
  readTlsClientHello(stream: PassThrough): Promise<object>;
  calculateJa3(hello: object): string;
  calculateJa4(hello: object): string;
}

const [name, hex] = process.argv.slice(2);
const { readTlsClientHello, calculateJa3, calculateJa4 }: Package =
  await import(name!);
const record = Buffer.from(hex!, "hex");
const hello = await read();
const result = {
  ja3: calculateJa3(hello),
  ja4: calculateJa4(hello),
  "decode and JA4": await perS(async () => calculateJa4(await read())),
  "JA3": await perS(() => calculateJa3(hello)),
  "JA4": await perS(() => calculateJa4(hello)),
};
process.stdout.write(JSON.stringify(result));

function read() {
  const stream = new PassThrough();
  stream.end(record);
  return readTlsClientHello(stream);
}

async function perS(step: () => unknown): Promise<number> {
  const startMs = performance.now();
  let count = 0;
  for (; performance.now() - startMs < 2_000; count += 100) {
    for (let i = 0; i < 100; i++) await step();
  }
  return count / (performance.now() - startMs) * 1e3;
}
