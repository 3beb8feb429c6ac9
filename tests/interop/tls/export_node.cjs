/** A TLS 1.3 server of node:tls that sends keying material. Its argument is JSON: see ../_tls_peers.ts. */
const { readFileSync } = require("node:fs");
const { argv, stdout } = require("node:process");
const { createServer } = require("node:tls");

const { key, chain, label, context, length } = JSON.parse(argv[2]);
const server = createServer({
  key: readFileSync(key),
  cert: readFileSync(chain),
  minVersion: "TLSv1.3",
}, (socket) => {
  const bytes = Buffer.from(context);
  socket.on("error", () => socket.destroy());
  socket.end(socket.exportKeyingMaterial(length, label, bytes));
});
server.listen(0, "127.0.0.1", () => {
  stdout.write(`listening ${server.address().port}\n`);
});
