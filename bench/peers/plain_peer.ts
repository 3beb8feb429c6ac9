import {
  type CertificatePem,
  selfSigned,
} from "../../src/core/transport/mod.ts";
import { ReadBuffer } from "./_read_buffer.ts";
import type { Peer, PeerSession, PeerStream } from "./_workload.ts";

/** Deno's TCP. */
export const rawTcp: Peer = {
  listen(serve) {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    void accept(listener, serve);
    return Promise.resolve(listener.addr.port);
  },
  dialer(port) {
    return Promise.resolve(async () => {
      const options = { hostname: "127.0.0.1", port: port as number };
      return asSession(await Deno.connect(options));
    });
  },
};

/** Deno's TLS 1.3 (rustls). */
export const denoTls: Peer = {
  async listen(serve, known) {
    const { certPem, keyPem } = known as CertificatePem | null ??
      await selfSigned({ names: ["localhost"] });
    const listener = Deno.listenTls({
      hostname: "127.0.0.1",
      port: 0,
      cert: certPem,
      key: keyPem,
    });
    void accept(listener, serve);
    return { port: listener.addr.port, certPem };
  },
  dialer(known) {
    const { port, certPem } = known as {
      port: number;
      certPem: string;
    };
    return Promise.resolve(async () => {
      const conn = await Deno.connectTls({
        hostname: "localhost",
        port,
        caCerts: [certPem],
      });
      await conn.handshake();
      return asSession(conn);
    });
  },
};

async function accept(
  listener: Deno.Listener,
  serve: (stream: PeerStream) => void,
): Promise<void> {
  for await (const conn of listener) {
    serve(asStream(conn));
  }
}

function asSession(conn: Deno.Conn): PeerSession {
  return {
    open: () => ({ ...asStream(conn), close() {} }),
    close: () => conn.close(),
  };
}

function asStream(conn: Deno.Conn): PeerStream {
  if ("setNoDelay" in conn) (conn as Deno.TcpConn).setNoDelay();
  const buffer = new ReadBuffer();
  return {
    async send(bytes) {
      for (let at = 0; at < bytes.length;) {
        at += await conn.write(bytes.subarray(at));
      }
    },
    async receive() {
      const length = await conn.read(buffer.room);
      return length === null ? null : buffer.take(length);
    },
    close: () => conn.close(),
  };
}
