// An HTX client in a process of its own that sends without end; htx_kill_test.ts kills it.
import { dialHtx } from "../../src/htx/client.ts";
import { say } from "./_line_process.ts";
import { accept } from "./_server_process.ts";

const session = await dialHtx(accept(JSON.parse(Deno.args[0]!)));
const streams = await Promise.all([1, 2, 3, 4, 5].map(() => session.open()));
const data = new Uint8Array(65_536);
const echoed = new Uint8Array(65_536);
say({});
await Promise.all([
  ...streams.map(async (stream) => {
    for (;;) await stream.write(data);
  }),
  ...streams.map(async (stream) => {
    for (;;) await stream.read(echoed);
  }),
]);
