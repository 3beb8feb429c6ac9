import { utf8 } from "../../src/core/bytes/mod.ts";
import { namespace, type Store } from "../../src/core/storage/mod.ts";
import {
  type Address,
  type CertificatePem,
  listen,
  type Listener,
  selfSigned,
  TransportError,
} from "../../src/core/transport/mod.ts";
import { CliError } from "../_error.ts";
import { derOf } from "../htx/record.ts";
import type { MixnodeConfig } from "./config.ts";
import { CERTIFICATE_NAME } from "./network.ts";

type NodeConfig = MixnodeConfig["node"];

/** How others reach a node, as its descriptor says. */
export interface Reached {
  /** Best first. */
  readonly addresses: readonly Address[];
  /** What its `quic:` addresses show, in DER, if it has any. */
  readonly certificate?: Uint8Array;
}

const NAMESPACE = "mixnode";
const CERTIFICATE = utf8("certificate");
const VALIDITY_MS = 3_650 * 86_400_000;

/**
 * Listens everywhere that `node.listen` says.
 *
 * @throws {CliError} `failed` if an address cannot be listened at.
 */
export async function openListeners(
  node: NodeConfig,
  store: Store,
): Promise<
  { readonly listeners: readonly Listener[]; readonly reached: Reached }
> {
  await using opened = new AsyncDisposableStack();
  const certificate = await certificateIn(node, store);
  const listeners: Listener[] = [];
  for (const address of node.listen) {
    const listener = await listen(address, {
      ...certificate && { quic: { certificate } },
    }).catch((cause) => cannotListen(address, cause));
    listeners.push(opened.use(listener));
  }
  opened.move();
  const listened = listeners.map(({ address }) => address);
  return { listeners, reached: reachedOf(node, listened, certificate) };
}

/** How others would reach the node that `node` describes. */
export async function wouldBeReached(
  node: NodeConfig,
  store: Store,
): Promise<Reached> {
  return reachedOf(node, node.listen, await certificateIn(node, store));
}

function reachedOf(
  { addresses }: NodeConfig,
  listened: readonly Address[],
  certificate: CertificatePem | undefined,
): Reached {
  return {
    addresses: addresses.length > 0 ? addresses : listened,
    ...certificate && { certificate: derOf(certificate.certPem) },
  };
}

/** The node's certificate, if QUIC is used: made once, so that what was published of it holds after a restart. */
async function certificateIn(
  { listen, addresses }: NodeConfig,
  store: Store,
): Promise<CertificatePem | undefined> {
  const usesQuic = [...listen, ...addresses].some((each) =>
    each.startsWith("quic:")
  );
  if (!usesQuic) return undefined;
  const kept = namespace(store, NAMESPACE);
  const known = kept.get(CERTIFICATE);
  if (known) return JSON.parse(new TextDecoder().decode(known));
  const made = await selfSigned({
    names: [CERTIFICATE_NAME],
    validityMs: VALIDITY_MS,
  });
  kept.set(CERTIFICATE, utf8(JSON.stringify(made)));
  return made;
}

function cannotListen(address: Address, cause: unknown): never {
  if (!(cause instanceof TransportError)) throw cause;
  throw new CliError("failed", `Cannot listen at ${address}`, {
    cause,
    hint: "Is another program listening there?",
  });
}
