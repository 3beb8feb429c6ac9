/** An echo server of Deno.listenTls, which is rustls. Its argument is JSON: see ../_tls_peers.ts. */
const { key, chain } = JSON.parse(Deno.args[0]!);
const listener = Deno.listenTls({
  hostname: "127.0.0.1",
  port: 0,
  key: Deno.readTextFileSync(key),
  cert: Deno.readTextFileSync(chain),
});
const { port } = listener.addr;
await Deno.stdout.write(new TextEncoder().encode(`listening ${port}\n`));
for await (const connection of listener) {
  connection.readable.pipeTo(connection.writable).catch(() => {});
}
