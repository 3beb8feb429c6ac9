// Writes numbered entries until it is killed, and prints each number once it is stored.
import { sqliteStore } from "../../src/core/storage/mod.ts";

const [path] = Deno.args;
using store = sqliteStore(path!);
for (let i = 0; i < 1_000_000; i++) {
  const key = new Uint8Array(4);
  new DataView(key.buffer).setUint32(0, i);
  store.set(key, key);
  Deno.stdout.writeSync(new TextEncoder().encode(`${i}\n`));
}
