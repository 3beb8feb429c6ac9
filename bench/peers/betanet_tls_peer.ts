import type { CryptoProvider } from "../../src/core/crypto/mod.ts";
import {
  type CertificatePem,
  type Connection,
  listen,
} from "../../src/core/transport/mod.ts";
import {
  dialTls,
  listenTls,
  parsePem,
  pinnedVerifier,
  serverCertificate,
  type ServerCertificateOptions,
  type Session,
  SessionCache,
  TicketKeys,
  type TlsListener,
} from "../../src/tls/mod.ts";
import { profileOf } from "../../src/utls/mod.ts";
import { ReadBuffer } from "./_read_buffer.ts";
import type { Peer, PeerStream } from "./_workload.ts";

/** What a TLS client has to know. */
export interface KnownTls {
  readonly port: number;
  readonly certPem: string;
  /** Whether it goes on from earlier sessions. */
  readonly resume?: boolean;
  /** Offers X25519 alone, else ML-KEM-768 too. */
  readonly isClassic?: boolean;
}

/** Chrome whose hellos have no ML-KEM yet. */
const CLASSIC_CHROME = 119;

/** TLS of this repository. */
export function betanetTls(
  crypto: CryptoProvider,
  importKey?: ServerCertificateOptions["importKey"],
): Peer {
  return {
    async listen(serve, known) {
      const { certPem: chainPem, keyPem } = known as CertificatePem;
      const certificate = { chainPem, keyPem, ...(importKey && { importKey }) };
      const listener = listenTls(await listen("tcp://127.0.0.1:0"), {
        certificates: [serverCertificate(certificate)],
        tickets: new TicketKeys(crypto),
        crypto,
      });
      void accept(listener, serve);
      const port = Number(listener.address.split(":").at(-1));
      return { port, certPem: chainPem };
    },
    dialer: (known) => Promise.resolve(dialer(known as KnownTls, crypto)),
  };
}

function dialer(known: KnownTls, crypto: CryptoProvider) {
  const verify = pinnedVerifier(parsePem(known.certPem)[0]!);
  const profile = profileOf(known.isClassic ? CLASSIC_CHROME : "latest");
  const sessions = new ReusingCache();
  return async () => {
    const connection = await dialTls(`tcp://127.0.0.1:${known.port}`, {
      serverName: "localhost",
      verify,
      profile,
      crypto,
      ...(known.resume && { sessions }),
    });
    return {
      resumed: connection.resumed,
      open: () => asStream(connection),
      close: () => connection.close(),
    };
  };
}

/** Gives sessions again and again, which no browser does, so that every connection but the first resumes. */
class ReusingCache extends SessionCache {
  override take(host: string, nowMs: number): Session | undefined {
    const session = super.take(host, nowMs);
    if (session) this.put(host, { ...session, psk: session.psk.slice() });
    return session;
  }
}

async function accept(
  listener: TlsListener,
  serve: (stream: PeerStream) => void,
): Promise<void> {
  for await (const connection of listener) serve(asStream(connection));
}

function asStream(connection: Connection): PeerStream {
  const buffer = new ReadBuffer();
  return {
    send: (bytes) => connection.write(bytes),
    async receive() {
      const length = await connection.read(buffer.room);
      return length === null ? null : buffer.take(length);
    },
    close: () => connection.close(),
  };
}
