import { utf8 } from "../../src/core/bytes/mod.ts";
import { namespace, type Store } from "../../src/core/storage/mod.ts";
import {
  type Address,
  type CertificatePem,
  selfSigned,
} from "../../src/core/transport/mod.ts";
import type { ConnectionSource } from "../../src/mixnet/mod.ts";
import type { Context } from "../_main.ts";
import { derOf } from "../htx/record.ts";
import type { MixnodeConfig } from "./config.ts";
import { isHtx } from "../htx/htx_address.ts";
import { HtxIdentity } from "../htx/htx_identity.ts";
import { listenAt } from "../htx/listen_at.ts";
import { CERTIFICATE_NAME } from "./node_dialer.ts";
import { type HtxParts, openHtx } from "./open_htx.ts";

type NodeConfig = MixnodeConfig["node"];

/** How others reach a node, as its descriptor says. */
export interface Reached {
  /** Best first. */
  readonly addresses: readonly Address[];
  /** What its `quic:` addresses show, in DER, if it has any. */
  readonly certificate?: Uint8Array;
  /** By which its `htx:` addresses are reached, if it has any. */
  readonly peerRecord?: Uint8Array;
}

/** What listening works with. */
export interface ListenParts extends HtxParts {
  /** The folder of the state. */
  readonly folder: string;
}

/** Where a node listens. */
export interface OpenListeners extends AsyncDisposable {
  /** What comes there. */
  readonly sources: readonly ConnectionSource[];
  /** How others reach it now. */
  reached(): Reached;
}

const NAMESPACE = "mixnode";
const CERTIFICATE = utf8("certificate");
const VALIDITY_MS = 3_650 * 86_400_000;

/**
 * Listens everywhere that `node.listen` says.
 *
 * @throws {CliError} `failed` if an address cannot be listened at; as {@link openHtx}.
 */
export async function openListeners(
  node: NodeConfig,
  parts: ListenParts,
  context: Context,
): Promise<OpenListeners> {
  await using opened = new AsyncDisposableStack();
  const certificate = await certificateIn(node, parts.store);
  const identity = await htxIdentityOf(node, parts.folder, context);
  const door = identity && node.listen.some(isHtx)
    ? opened.use(await openHtx(node, identity, parts, context))
    : undefined;
  const sources: ConnectionSource[] = door ? [door.streams] : [];
  const behindHtx = door?.addresses.values();
  const listened: Address[] = [];
  for (const address of node.listen) {
    if (isHtx(address)) {
      listened.push(behindHtx!.next().value!);
      continue;
    }
    const listener = opened.use(
      await listenAt(address, certificate && { certificate }),
    );
    sources.push(listener);
    listened.push(listener.address);
  }
  const closing = opened.move();
  return {
    sources,
    reached: () => reachedOf(node, listened, certificate, identity),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

/** How others would reach the node that `node` describes. */
export async function wouldBeReached(
  node: NodeConfig,
  { folder, store }: Pick<ListenParts, "folder" | "store">,
  context: Context,
): Promise<Reached> {
  const certificate = await certificateIn(node, store);
  const identity = await htxIdentityOf(node, folder, context);
  return reachedOf(node, node.listen, certificate, identity);
}

function reachedOf(
  node: NodeConfig,
  listened: readonly Address[],
  certificate: CertificatePem | undefined,
  identity: HtxIdentity | undefined,
): Reached {
  const addresses = node.addresses.length > 0 ? node.addresses : listened;
  const peerRecord = identity?.record(addresses);
  return {
    addresses,
    ...certificate && { certificate: derOf(certificate.certPem) },
    ...peerRecord && { peerRecord },
  };
}

/** The keys of its `htx:` addresses, if it has any. */
async function htxIdentityOf(
  { listen, addresses, htx }: NodeConfig,
  folder: string,
  context: Context,
): Promise<HtxIdentity | undefined> {
  if (![...listen, ...addresses].some(isHtx)) return undefined;
  return await HtxIdentity.load(folder, htx, context);
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
