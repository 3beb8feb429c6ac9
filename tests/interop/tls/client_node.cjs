/** A TLS 1.3 client of node:tls that connects twice and wants back what it sends. See ../tls_server_peers_test.ts. */
const { randomBytes } = require("node:crypto");
const { readFileSync } = require("node:fs");
const { argv, stdout } = require("node:process");
const { connect } = require("node:tls");

const { port, roots, protocol, length, group } = JSON.parse(argv[2]);
let session;

function visit() {
  return new Promise((resolve, reject) => {
    const sent = randomBytes(length);
    const back = [];
    const socket = connect({
      host: "127.0.0.1",
      port,
      servername: "localhost",
      ca: readFileSync(roots),
      ALPNProtocols: [protocol],
      minVersion: "TLSv1.3",
      ...(group && { ecdhCurve: group }),
      ...(session && { session }),
    }, () => socket.end(sent));
    socket.on("session", (given) => session = given);
    socket.on("data", (bytes) => back.push(bytes));
    socket.on("error", reject);
    socket.on("end", () => {
      const same = sent.equals(Buffer.concat(back));
      stdout.write(
        `${socket.isSessionReused()} ${socket.alpnProtocol} ${same}\n`,
      );
      resolve();
    });
  });
}

visit().then(visit);
