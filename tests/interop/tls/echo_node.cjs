/** A TLS 1.3 echo server of node:tls, for Node.js and Bun. Its argument is JSON: see ../_tls_peers.ts. */
const { readFileSync } = require("node:fs");
const { argv, stdout } = require("node:process");
const { createServer } = require("node:tls");

const { key, chain, group, suite, asksClient } = JSON.parse(argv[2]);
const server = createServer({
  key: readFileSync(key),
  cert: readFileSync(chain),
  ...(group && { ecdhCurve: group }),
  ...(suite && { ciphers: suite }),
  requestCert: asksClient,
  rejectUnauthorized: false,
  minVersion: "TLSv1.3",
  allowHalfOpen: true,
  certificateCompression: ["brotli"],
}, (socket) => socket.on("error", () => socket.destroy()).pipe(socket));
server.listen(0, "127.0.0.1", () => {
  stdout.write(`listening ${server.address().port}\n`);
});
