import { type Bytes, equal } from "../../core/bytes/mod.ts";
import type { CryptoProvider } from "../../core/crypto/mod.ts";
import type { SphinxGeometry } from "../sphinx/geometry.ts";
import type { RouteHop } from "../sphinx/header.ts";
import { createPacket } from "../sphinx/packet.ts";
import { drawExponentialUpTo, type Random } from "./draw.ts";
import type { Loop } from "./node_loops.ts";

/** What a loop needs to know of a node. */
export interface LoopNode {
  /** Its id, 32 bytes. */
  readonly identityKey: Uint8Array;
  /** 0 for gateways, 1 and up for mixes. */
  readonly layer: number;
  /** Its Sphinx keys by epoch. */
  readonly sphinxKeys: ReadonlyMap<number, Uint8Array>;
}

/** Options of {@link makeLoop}. */
export interface LoopOptions {
  /** Primitives. */
  readonly crypto: CryptoProvider;
  /** Sizes of the packets. */
  readonly geometry: SphinxGeometry;
  /** Our id. */
  readonly id: Uint8Array;
  /** The epoch of the keys. */
  readonly epoch: number;
  /** All nodes of the network, ours among them. */
  readonly nodes: readonly LoopNode[];
  /** Mean of the delays, in milliseconds. */
  readonly meanDelayMs: number;
  /** Longest delay, in milliseconds. */
  readonly maxDelayMs: number;
  /** Chooses hops and delays. */
  readonly random: Random;
}

/** A loop and its packet. */
export interface MadeLoop extends Loop {
  /** The packet for the first hop. */
  readonly packet: Bytes;
  /** Id of the node that it goes to first, 32 bytes. */
  readonly firstHop: Bytes;
}

/** Hops before the one back to us, at most. */
const MAX_OTHERS = 4;
const EMPTY = new Uint8Array(0);

/**
 * Makes a loop through one node of each other layer, in the order in which traffic takes them, back to ourselves: gateways come
 * after the last layer of mixes and before the first. Its delays are those of clients' packets, and so is its form.
 *
 * @returns Nothing if no other node has a key for the epoch, or we have none there.
 */
export function makeLoop(options: LoopOptions): MadeLoop | undefined {
  const { crypto, geometry, id, nodes, random } = options;
  const own = nodes.find(({ identityKey }) => equal(identityKey, id));
  const others = own && chooseOthers(own, options);
  if (!own?.sphinxKeys.has(options.epoch) || !others?.length) return undefined;
  const route = [...others, own].map((node): RouteHop => ({
    address: node.identityKey,
    publicKey: node.sphinxKeys.get(options.epoch)!,
    delayNs: node === own ? 0 : drawDelayNs(options, random),
  }));
  const identifier = crypto.random(16);
  const packet = createPacket(
    crypto,
    geometry,
    { route, destination: id, identifier },
    EMPTY,
  );
  return {
    packet,
    firstHop: route[0]!.address.slice(),
    identifier,
    path: [id, ...route.map(({ address }) => address)],
    delaysMs: route.reduce((sum, { delayNs }) => sum + delayNs, 0) / 1e6,
  };
}

function chooseOthers(
  own: LoopNode,
  { nodes, epoch, random }: LoopOptions,
): LoopNode[] {
  const layers = 1 + nodes.reduce((max, { layer }) => Math.max(max, layer), 0);
  const chosen: LoopNode[] = [];
  for (let step = 1; step < layers && chosen.length < MAX_OTHERS; step++) {
    const layer = (own.layer + step) % layers;
    const able = nodes.filter((node) =>
      node.layer === layer && node.sphinxKeys.has(epoch)
    );
    const node = able[Math.floor(random() * able.length)];
    if (node) chosen.push(node);
  }
  return chosen;
}

/** At least 1 ns, since 0 asks the node to draw. */
function drawDelayNs(
  { meanDelayMs, maxDelayMs }: LoopOptions,
  random: Random,
): number {
  const ms = drawExponentialUpTo(random, meanDelayMs, maxDelayMs);
  return Math.max(1, Math.round(ms * 1e6));
}
