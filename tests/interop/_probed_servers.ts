import { concat } from "../../src/core/bytes/mod.ts";
import { generateX25519, nodeProvider } from "../../src/core/crypto/mod.ts";
import { memoryStore } from "../../src/core/storage/mod.ts";
import {
  type Connection,
  dialTcp,
  listenTcp,
} from "../../src/core/transport/mod.ts";
import {
  connectionPreface,
  decodeFrame,
  decodeSettings,
  decodeWindowUpdate,
  encodeFrame,
  FRAME_HEADER_LENGTH,
  FRAME_TYPE,
} from "../../src/http2/mod.ts";
import { Decoy } from "../../src/htx/decoy.ts";
import { Gate } from "../../src/htx/gate.ts";
import type { Http2Greeting } from "../../src/htx/http2_search.ts";
import { ReplayMemory } from "../../src/htx/replay.ts";
import { HtxServer } from "../../src/htx/server.ts";
import { makeTicketKey, TicketKeyRing } from "../../src/htx/ticket_key_ring.ts";
import {
  DEFAULT_TICKET_POLICY,
  type TicketOffer,
} from "../../src/htx/ticket_policy.ts";
import { TokenBuckets } from "../../src/htx/token_bucket.ts";
import {
  CIPHER_SUITE,
  dialTls,
  listenTls,
  parsePem,
  pinnedVerifier,
  serverCertificate,
  TicketKeys,
} from "../../src/tls/mod.ts";
import { GROUP } from "../../src/utls/mod.ts";
import { makeFolder } from "../cli/_htx_process.ts";
import { type Identity, makeIdentities } from "./_certificates.ts";

/** What an nginx and a server of ours in front of another have to serve. */
export interface Site extends AsyncDisposable {
  /** The certificate of both. */
  readonly identity: Identity;
  /** Their files. */
  readonly root: string;
}

/** Where an nginx listens. */
export interface NginxAddresses {
  /** TLS 1.3 alone, with HTTP/2 and HTTP/1.1. */
  readonly tls13: string;
  /** TLS 1.2 too. */
  readonly tls12: string;
  /** HTTP/1.1 without TLS. */
  readonly http1: string;
  /** HTTP/2 without TLS. */
  readonly http2: string;
}

/** How a server of ours reaches its decoy's origin. */
export const ORIGIN_KINDS = ["https", "https 1.2", "plain"] as const;

/** One of {@link ORIGIN_KINDS}. */
export type OriginKind = typeof ORIGIN_KINDS[number];

/** A server of ours. */
export interface ProbedServer extends AsyncDisposable {
  /** Where it listens. */
  readonly address: string;
  /** What tickets are made for. */
  readonly offer: TicketOffer;
  /** Counts tickets. */
  readonly gate: Gate;
  /** Counts visitors. */
  readonly decoy: Decoy;
}

/** How long servers wait for a handshake, and for the head of a request. */
export interface Patience {
  /** nginx, in seconds. */
  readonly nginxS: number;
  /** Ours, in milliseconds, before the origin does. */
  readonly oursMs: number;
}

/** For probes that wait for the end of it. */
export const IMPATIENT: Patience = { nginxS: 2, oursMs: 1_000 };
/** For all others. */
export const PATIENT: Patience = { nginxS: 60, oursMs: 30_000 };

/** Makes a certificate and a site of a few files. */
export async function makeSite(): Promise<Site> {
  await using stack = new AsyncDisposableStack();
  const { path } = stack.use(await makeFolder());
  await Deno.chmod(path, 0o755);
  const root = `${path}/site`;
  await Deno.mkdir(`${root}/folder`, { recursive: true });
  await Deno.writeTextFile(`${root}/index.html`, "<p>home</p>\n");
  await Deno.writeTextFile(`${root}/style.css`, "p { color: red }\n");
  await Deno.writeTextFile(
    `${root}/large.txt`,
    "0123456789abcde\n".repeat(6_000),
  );
  const { rsa } = await makeIdentities(path);
  const owned = stack.move();
  return {
    identity: rsa,
    root,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Starts an nginx for `site`, on four ports. */
export async function startProbedNginx(
  { identity, root }: Site,
  { nginxS }: Patience,
): Promise<NginxAddresses & AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const { path } = stack.use(await makeFolder());
  const ports = freePorts(4);
  await Deno.writeTextFile(
    `${path}/nginx.conf`,
    configuration(path, root, identity, ports, nginxS),
  );
  const nginx = new Deno.Command("nginx", {
    args: ["-p", path, "-e", `${path}/error.log`, "-c", `${path}/nginx.conf`],
    stdout: "null",
    stderr: "null",
  }).spawn();
  stack.use(nginx);
  for (const port of ports) await bound(port);
  const [tls13, tls12, http1, http2] = ports.map((port) =>
    `tcp://127.0.0.1:${port}`
  ) as [string, string, string, string];
  const owned = stack.move();
  return {
    tls13,
    tls12,
    http1,
    http2,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Starts a server of ours for `site`, whose decoy is `origin`. */
export async function startProbedServer(
  { identity }: Site,
  origin: NginxAddresses,
  kind: OriginKind,
  { oursMs }: Patience,
): Promise<ProbedServer> {
  await using stack = new AsyncDisposableStack();
  const chainPem = await Deno.readTextFile(identity.chain);
  const keyPem = await Deno.readTextFile(identity.key);
  const decoy = new Decoy({ dial: dialerOf(origin, kind, chainPem) });
  const tickets = stack.use(
    new TicketKeys(nodeProvider, { lifetimeMs: 300_000 }),
  );
  const listener = listenTls(listenTcp("tcp://127.0.0.1:0"), {
    certificates: [serverCertificate({ chainPem, keyPem })],
    alpn: ["h2", "http/1.1", "http/1.0", "http/0.9"],
    tickets,
    preferences: {
      suites: [
        CIPHER_SUITE.aes128GcmSha256,
        CIPHER_SUITE.aes256GcmSha384,
        CIPHER_SUITE.chacha20Poly1305Sha256,
      ],
      followsClient: true,
      groups: [GROUP.x25519, GROUP.p256, GROUP.p384],
    },
    compressesCertificates: false,
    takesTruncation: true,
    handshakeTimeoutMs: oursMs,
    ...(kind !== "plain" && {
      fallback: (connection: Connection, received: Uint8Array) =>
        passOn(connection, received, addressOf(origin, kind)),
    }),
  });
  stack.use(listener);
  const key = makeTicketKey(nodeProvider, 0, Infinity);
  const gate = new Gate({
    crypto: nodeProvider,
    keys: new TicketKeyRing([key]),
    replay: new ReplayMemory({ store: memoryStore(), nowMs: 0 }),
    buckets: new TokenBuckets({ capacity: 1e6 }),
  });
  const cookieName = "__Host-sid";
  const server = stack.use(
    new HtxServer([listener], {
      staticKeyPair: generateX25519(nodeProvider),
      gate,
      decoy,
      cookieName,
      http2Greeting: await greetingOf(origin.http2),
      requestTimeoutMs: oursMs,
    }),
  );
  const owned = stack.move();
  return {
    address: server.addresses[0]!,
    offer: {
      policy: DEFAULT_TICKET_POLICY,
      keyId: key.keyId,
      publicKey: key.publicKey,
      cookieName,
    },
    gate,
    decoy,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function addressOf(origin: NginxAddresses, kind: OriginKind): string {
  return kind === "https" ? origin.tls13 : origin.tls12;
}

function dialerOf(
  origin: NginxAddresses,
  kind: OriginKind,
  chainPem: string,
): ConstructorParameters<typeof Decoy>[0]["dial"] {
  if (kind === "plain") {
    return ({ alpn, ...options }) =>
      dialTcp(alpn === "h2" ? origin.http2 : origin.http1, options);
  }
  const verify = pinnedVerifier(parsePem(chainPem)[0]!);
  return ({ alpn = "http/1.1", ...options }) =>
    dialTls(addressOf(origin, kind), {
      ...options,
      alpn: [alpn],
      serverName: "tls.test",
      verify,
    });
}

/** Joins a visitor whose TLS is not ours to the origin's. */
async function passOn(
  connection: Connection,
  received: Uint8Array,
  address: string,
): Promise<void> {
  const decoy = new Decoy({ dial: (options) => dialTcp(address, options) });
  await decoy.serve(connection, received);
}

/** What the origin says first over HTTP/2. */
async function greetingOf(address: string): Promise<Http2Greeting> {
  await using connection = await dialTcp(address);
  const settings = encodeFrame({
    type: FRAME_TYPE.settings,
    flags: 0,
    streamId: 0,
    payload: new Uint8Array(0),
  });
  await connection.write(concat(connectionPreface(), settings));
  const buffer = new Uint8Array(4_096);
  const length = await connection.read(buffer);
  const first = decodeFrame(buffer.subarray(0, length!))!;
  const next = FRAME_HEADER_LENGTH + first.payload.length;
  const second = decodeFrame(buffer.subarray(next, length!))!;
  return {
    settings: decodeSettings(first.payload),
    windowUpdate: decodeWindowUpdate(second.payload),
  };
}

function configuration(
  path: string,
  root: string,
  { key, chain }: Identity,
  ports: readonly number[],
  timeoutS: number,
): string {
  const [tls13, tls12, http1, http2] = ports;
  const tls = (port: number | undefined, protocols: string) => `
  server {
    listen 127.0.0.1:${port} ssl http2;
    ssl_certificate ${chain};
    ssl_certificate_key ${key};
    ssl_protocols ${protocols};
    root ${root};
  }`;
  return `
daemon off;
worker_processes 1;
pid ${path}/nginx.pid;
events {}
http {
  access_log off;
  client_body_temp_path ${path}/body;
  proxy_temp_path ${path}/proxy;
  fastcgi_temp_path ${path}/fastcgi;
  uwsgi_temp_path ${path}/uwsgi;
  scgi_temp_path ${path}/scgi;
  types { text/html html; text/css css; }
  port_in_redirect off;
  client_header_timeout ${timeoutS}s;
  ${tls(tls13, "TLSv1.3")}
  ${tls(tls12, "TLSv1.2 TLSv1.3")}
  server { listen 127.0.0.1:${http1}; root ${root}; }
  server { listen 127.0.0.1:${http2} http2; root ${root}; }
}
`;
}

function freePorts(count: number): number[] {
  const listeners = Array.from(
    { length: count },
    () => Deno.listen({ hostname: "127.0.0.1", port: 0 }),
  );
  const ports = listeners.map(({ addr }) => addr.port);
  for (const listener of listeners) listener.close();
  return ports;
}

async function bound(port: number): Promise<void> {
  for (let attempt = 0;; attempt++) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch (error) {
      if (attempt === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
