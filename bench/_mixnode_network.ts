import { encodeHex } from "../src/core/bytes/mod.ts";
import {
  type CryptoProvider,
  generateX25519,
  type X25519KeyPair,
} from "../src/core/crypto/mod.ts";
import { sqliteStore } from "../src/core/storage/mod.ts";
import {
  type HttpServer,
  listenTcp,
  serveHttp,
  type TcpListener,
} from "../src/core/transport/mod.ts";
import {
  beaconSet,
  EpochKeys,
  joinDocument,
  makeDocument,
  type NetworkParameters,
  signDescriptor,
  signDocument,
  verifyDescriptor,
} from "../src/mixnet/mod.ts";
import { NODE_STORE } from "../cli/mixnode/describe.ts";
import { parametersOf, readMixnodeConfig } from "../cli/mixnode/settings.ts";

const MIXNODE = new URL("../cli/mixnode.ts", import.meta.url).pathname;

/** A hop as the packets need it. */
export interface BenchHop {
  readonly address: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly privateKey: Uint8Array;
}

/** A network of three nodes: one to measure, one before it that makes the load, and one behind it that takes what comes out. */
export interface BenchNetwork extends AsyncDisposable {
  /** Where `mixnode.toml` of the node is. */
  readonly configPath: string;
  readonly parameters: NetworkParameters;
  readonly epoch: number;
  /** Where the node will listen, and its link key. */
  readonly nodeAddress: string;
  readonly nodeLinkKey: Uint8Array;
  /** Where it will show its metrics. */
  readonly metricsUrl: string;
  readonly node: BenchHop;
  readonly sink: BenchHop;
  readonly sinkListener: TcpListener;
  readonly sinkLinkKeyPair: X25519KeyPair;
  readonly loadLinkKeyPair: X25519KeyPair;
}

/**
 * Founds the network in a temporary folder: keys and descriptor of the node come from `betanet-mixnode` itself, the document from an
 * authority here, which serves it.
 */
export async function foundNetwork(
  crypto: CryptoProvider,
  meanDelayMs: number,
): Promise<BenchNetwork> {
  const folder = await Deno.makeTempDir({ prefix: "betanet-mixnode-bench-" });
  const seed = crypto.random(32);
  const documents = new Map<string, Uint8Array<ArrayBuffer>>();
  const authority = serveHttp(
    ({ url, method }) => {
      if (method === "POST") return new Response(null, { status: 204 });
      const document = documents.get(new URL(url).pathname);
      return document
        ? new Response(document, {
          headers: { "content-length": String(document.length) },
        })
        : new Response(null, { status: 404 });
    },
    { hostname: "127.0.0.1", port: 0 },
  );
  const configPath = `${folder}/mixnode.toml`;
  const nodeAddress = `tcp://127.0.0.1:${freePort()}`;
  const statusPort = freePort();
  const authorityKey = crypto.ed25519.publicKey(seed);
  await Deno.writeTextFile(
    configPath,
    configText({
      authority: `${encodeHex(authorityKey)}@${
        authority.address.slice("http://".length)
      }`,
      ...{ folder, nodeAddress, statusPort, meanDelayMs },
    }),
  );
  await mixnode("keygen", "--state", folder);
  const { descriptor } = JSON.parse(
    await mixnode("describe", "--config", configPath, "--json"),
  );
  const nodeBytes = Uint8Array.fromBase64(descriptor, {
    alphabet: "base64url",
  });
  const { identityKey, linkKey, sphinxKeys } = verifyDescriptor(
    crypto,
    nodeBytes,
  );
  const parameters = parametersOf(readMixnodeConfig(configPath));
  const epoch = Math.min(...sphinxKeys.keys());
  const sinkListener = listenTcp("tcp://127.0.0.1:0");
  const [sink, load] = [sinkListener.address, nodeAddress].map((address) =>
    makeNode(crypto, parameters.network, epoch, address, parameters)
  ) as [MadeNode, MadeNode];
  const payload = makeDocument(crypto, {
    ...{ parameters, epoch, previousHash: new Uint8Array(0) },
    beacon: beaconSet(epoch, new Map([["drand", crypto.random(32)]])),
    descriptors: [nodeBytes, sink.bytes, load.bytes],
  });
  documents.set(
    `/document/${epoch}`,
    joinDocument(payload, [[
      authorityKey,
      signDocument(crypto, seed, payload),
    ]]),
  );
  return {
    ...{ configPath, parameters, epoch, nodeAddress, sinkListener },
    metricsUrl: `http://127.0.0.1:${statusPort}/metrics`,
    nodeLinkKey: linkKey,
    node: {
      address: identityKey,
      publicKey: sphinxKeys.get(epoch)!,
      privateKey: sphinxKeyIn(crypto, folder, epoch),
    },
    sink: sink.hop,
    sinkLinkKeyPair: sink.linkKeyPair,
    loadLinkKeyPair: load.linkKeyPair,
    [Symbol.asyncDispose]: () => close(authority, sinkListener, folder),
  };
}

async function close(
  authority: HttpServer,
  sink: TcpListener,
  folder: string,
): Promise<void> {
  sink.close();
  await authority[Symbol.asyncDispose]();
  await Deno.remove(folder, { recursive: true });
}

interface MadeNode {
  readonly bytes: Uint8Array;
  readonly hop: BenchHop;
  readonly linkKeyPair: X25519KeyPair;
}

function makeNode(
  crypto: CryptoProvider,
  network: string,
  epoch: number,
  address: string,
  { epochSeconds }: NetworkParameters,
): MadeNode {
  const seed = crypto.random(32);
  const linkKeyPair = generateX25519(crypto);
  const sphinx = generateX25519(crypto);
  const identityKey = crypto.ed25519.publicKey(seed);
  const bytes = signDescriptor(crypto, seed, {
    ...{ identityKey, network, role: "mix", addresses: [address] },
    linkKey: linkKeyPair.publicKey,
    sphinxKeys: new Map([[epoch, sphinx.publicKey]]),
    ...{ asn: 0, sequence: 1, expiresMs: (epoch + 2) * epochSeconds * 1_000 },
  });
  const { publicKey } = sphinx;
  const privateKey = sphinx.privateKey.expose().slice();
  return {
    bytes,
    linkKeyPair,
    hop: { address: identityKey, publicKey, privateKey },
  };
}

function configText(
  { authority, folder, nodeAddress, statusPort, meanDelayMs }: {
    readonly authority: string;
    readonly folder: string;
    readonly nodeAddress: string;
    readonly statusPort: number;
    readonly meanDelayMs: number;
  },
): string {
  return `
[network]
name = "bench"
authorities = ["${authority}"]
epoch = "1d"
layers = 1
mean_delay = "${meanDelayMs}ms"
max_delay = "1s"
node_loops_per_second = 0

[node]
listen = ["${nodeAddress}"]
state = "${folder}"

[node.status]
port = ${statusPort}
`;
}

/** The Sphinx key that the node has made: what comes out of it is known before it goes in. */
function sphinxKeyIn(
  crypto: CryptoProvider,
  folder: string,
  epoch: number,
): Uint8Array {
  using store = sqliteStore(`${folder}/${NODE_STORE}`);
  using keys = new EpochKeys({ crypto, store });
  keys.advance(epoch);
  return keys.keyFor(epoch)!.expose().slice();
}

async function mixnode(...args: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "-A", MIXNODE, ...args],
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

/** A port of this machine that nobody listens at. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
