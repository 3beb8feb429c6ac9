/**
 * One process of a TLS peer of Node.js: `node_peer.ts <module> server <certificate>` or `node_peer.ts <module> client <known>`,
 * where the module is `node:tls` or one with its interface.
 *
 * @module
 */
import { once } from "node:events";
import process from "node:process";
import type { TLSSocket } from "node:tls";
import { runPeer } from "../_run_peer.ts";
import type { Peer, PeerSession, PeerStream } from "../_workload.ts";

type Tls = typeof import("node:tls");

interface Known {
  readonly port: number;
  readonly certPem: string;
  readonly resume?: boolean;
  readonly isClassic?: boolean;
}

const [module = "", role = "", known = "null"] = process.argv.slice(2);
await runPeer(peerOf(await import(module) as Tls), role, known);

function peerOf(tls: Tls): Peer {
  return {
    async listen(serve, known) {
      const { certPem, keyPem } = known as { certPem: string; keyPem: string };
      const server = tls.createServer({
        cert: certPem,
        key: keyPem,
        minVersion: "TLSv1.3",
      }, (socket) => serve(asStream(socket)));
      server.on("tlsClientError", () => {}); // the client says so
      await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
      const { port } = server.address() as { port: number };
      return { port, certPem };
    },
    dialer: (known) => Promise.resolve(dialer(tls, known as Known)),
  };
}

function dialer(tls: Tls, { port, certPem, resume, isClassic }: Known) {
  const sessions: Buffer[] = [];
  return async (): Promise<PeerSession> => {
    const session = sessions.length > 1 ? sessions.shift() : sessions[0];
    const socket = tls.connect({
      host: "127.0.0.1",
      port,
      servername: "localhost",
      ca: certPem,
      minVersion: "TLSv1.3",
      ...(isClassic && { ecdhCurve: "X25519" }),
      ...(session && { session }),
    });
    if (resume) socket.on("session", (session) => sessions.push(session));
    await once(socket, "secureConnect");
    return {
      resumed: socket.isSessionReused(),
      open: () => asStream(socket),
      close: () => void socket.destroy(),
    };
  };
}

function asStream(socket: TLSSocket): PeerStream {
  socket.setNoDelay?.(true);
  socket.on("error", () => socket.destroy());
  const pieces = socket[Symbol.asyncIterator]();
  return {
    send: (bytes) =>
      new Promise((resolve, reject) =>
        socket.write(bytes, (error) => error ? reject(error) : resolve())
      ),
    async receive() {
      const { value, done } = await pieces.next();
      return done ? null : value as Uint8Array;
    },
    close: () => void socket.end(),
  };
}
