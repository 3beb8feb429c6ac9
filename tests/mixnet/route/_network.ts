import type { RouteNode, RoutePlan } from "../../../src/mixnet/mod.ts";

export const EPOCH = 487_548;
const ENTRY = id(0, 0);
const EXIT = id(0, 1);

/** A plan over `perLayer` mixes in each of `layers`, two gateways, each node in an autonomous system of its own. */
export function plan(
  changes: Partial<RoutePlan> = {},
  layers = 3,
  perLayer = 4,
): RoutePlan {
  return {
    nodes: nodes(layers, perLayer),
    epoch: EPOCH,
    from: ENTRY,
    to: EXIT,
    mode: "strict",
    meanDelayMs: 50,
    maxDelayMs: 500,
    ...changes,
  };
}

/** Two gateways, then the mixes layer by layer. */
export function nodes(layers: number, perLayer: number): RouteNode[] {
  const mixes = Array.from({ length: layers * perLayer }, (_, i) => {
    const layer = 1 + Math.floor(i / perLayer);
    return node(layer, i % perLayer, 100 + i);
  });
  return [node(0, 0, 1), node(0, 1, 2), ...mixes];
}

/** A node whose id and key are made of its layer and number. */
export function node(layer: number, number: number, asn: number): RouteNode {
  return {
    identityKey: id(layer, number),
    layer,
    asn,
    sphinxKeys: new Map([[EPOCH, id(layer, number).fill(9, 2)]]),
  };
}

function id(layer: number, number: number): Uint8Array {
  const bytes = new Uint8Array(32);
  bytes.set([layer, number]);
  return bytes;
}
