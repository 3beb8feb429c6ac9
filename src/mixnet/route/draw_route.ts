import { type Bytes, equal, utf8 } from "../../core/bytes/mod.ts";
import type { CryptoProvider } from "../../core/crypto/mod.ts";
import {
  drawExponentialUpTo,
  type Random,
  secureRandom,
  shuffle,
} from "../node/draw.ts";
import type { RouteHop } from "../sphinx/header.ts";

/** A node that a route may go through. */
export interface RouteNode {
  /** Its id, 32 bytes. */
  readonly identityKey: Uint8Array;
  /** 0 for gateways, 1 and up for mixes. */
  readonly layer: number;
  /** The autonomous system that it is in. */
  readonly asn: number;
  /** Its Sphinx keys by epoch. */
  readonly sphinxKeys: ReadonlyMap<number, Uint8Array>;
}

/** How many mixes a route has (BN11-7.1). */
export const PRIVACY_MODES = {
  /** Every layer, at least 3. */
  strict: 3,
  /** At least 2. */
  balanced: 2,
  /** 1: the sender asks for speed. */
  performance: 1,
} as const;

/** One of {@link PRIVACY_MODES}. */
export type PrivacyMode = keyof typeof PRIVACY_MODES;

/** What is known to everybody who checks a route. */
export interface RoutePlan {
  /** The nodes of the epoch's document, in its order. */
  readonly nodes: readonly RouteNode[];
  /** Whose Sphinx keys to use. */
  readonly epoch: number;
  /** The gateway where the packet enters, 32 bytes. */
  readonly from: Uint8Array;
  /** The gateway where it ends, 32 bytes. */
  readonly to: Uint8Array;
  /** How many mixes it goes through. */
  readonly mode: PrivacyMode;
  /** Mean of the delays, in milliseconds. */
  readonly meanDelayMs: number;
  /** Longest delay, in milliseconds; longer ones are drawn again. */
  readonly maxDelayMs: number;
}

/** A route that was drawn. */
export interface DrawnRoute {
  /** Entry gateway, mixes, exit gateway, with their delays; the last one's is 0, as it delivers at once. */
  readonly hops: readonly RouteHop[];
  /** The sum of the delays, in milliseconds. */
  readonly delaysMs: number;
}

const DRAWS = utf8("betanet-mix-draw-v1");
const NS_PER_MS = 1_000_000;

/**
 * The route that the VRF output `beta` stands for at its `attempt`th try (from 0): for each layer that it goes through
 * a mix, each with the same chance, and for each hop but the last an exponential delay, never zero.
 *
 * Balanced and performance routes skip layers, each choice of layers with the same chance.
 *
 * @returns `undefined` if there is no such route: a gateway or layer is missing or has no key for the epoch, or no mix
 * drawn lies outside the autonomous systems of both gateways (BN11-7.2-6), which another attempt may mend.
 */
export function drawRoute(
  crypto: CryptoProvider,
  beta: Uint8Array,
  attempt: number,
  plan: RoutePlan,
): DrawnRoute | undefined {
  const { nodes, epoch, from, to, mode } = plan;
  const usable = nodes.filter(({ sphinxKeys }) => sphinxKeys.has(epoch));
  const gateway = (id: Uint8Array) =>
    usable.find(({ identityKey, layer }) =>
      layer === 0 && equal(identityKey, id)
    );
  const [entry, exit] = [gateway(from), gateway(to)];
  if (!entry || !exit) return undefined;
  const random = drawsOf(crypto, beta, attempt);
  const mixes = drawMixes(random, usable, mode);
  const outside = ({ asn }: RouteNode) => asn !== entry.asn && asn !== exit.asn;
  if (!mixes?.some(outside)) return undefined;
  return withDelays(random, [entry, ...mixes, exit], plan);
}

function drawMixes(
  random: Random,
  nodes: readonly RouteNode[],
  mode: PrivacyMode,
): RouteNode[] | undefined {
  const layers = Map.groupBy(
    nodes.filter(({ layer }) => layer > 0),
    ({ layer }) => layer,
  );
  const numbers = [...layers.keys()].sort((a, b) => a - b);
  const count = mode === "strict" ? numbers.length : PRIVACY_MODES[mode];
  if (numbers.length < PRIVACY_MODES[mode]) return undefined;
  return shuffle(random, numbers).slice(0, count).sort((a, b) => a - b)
    .map((number) => {
      const layer = layers.get(number)!;
      return layer[Math.floor(random() * layer.length)]!;
    });
}

function withDelays(
  random: Random,
  nodes: readonly RouteNode[],
  { epoch, meanDelayMs, maxDelayMs }: RoutePlan,
): DrawnRoute {
  let delaysMs = 0;
  const hops = nodes.map(({ identityKey, sphinxKeys }, i): RouteHop => {
    let delayNs = 0;
    while (i < nodes.length - 1 && delayNs === 0) {
      const delayMs = drawExponentialUpTo(random, meanDelayMs, maxDelayMs);
      delayNs = Math.round(delayMs * NS_PER_MS);
    }
    delaysMs += delayNs / NS_PER_MS;
    return {
      address: identityKey,
      publicKey: sphinxKeys.get(epoch)!,
      delayNs,
    };
  });
  return { hops, delaysMs };
}

/** Uniform draws from SHA-512(tag ‖ beta ‖ attempt ‖ block) for block 0, 1, …: whoever has `beta` draws the same. */
function drawsOf(
  crypto: CryptoProvider,
  beta: Uint8Array,
  attempt: number,
): Random {
  let block = 0;
  return secureRandom({
    random(length: number): Bytes {
      const bytes = new Uint8Array(length);
      for (let at = 0; at < length; at += 64) {
        const number = new Uint8Array(8);
        const view = new DataView(number.buffer);
        view.setUint32(0, attempt);
        view.setUint32(4, block++);
        const hash = crypto.hash("sha512", DRAWS, beta, number);
        bytes.set(hash.subarray(0, length - at), at);
      }
      return bytes;
    },
  });
}
