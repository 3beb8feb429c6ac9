import { type Bytes, concat, encodeHex, equal } from "../../core/bytes/mod.ts";
import type { CryptoProvider, Secret } from "../../core/crypto/mod.ts";
import { vrfHash, vrfProve, vrfPublicKey } from "../vrf/ecvrf.ts";
import { type DrawnRoute, drawRoute, type RoutePlan } from "./draw_route.ts";
import { HopSetMemory } from "./hop_set_memory.ts";
import { peerIdOf } from "./peer_id.ts";
import {
  MAX_ATTEMPTS,
  type PacketOrigin,
  routeAlpha,
  type RouteProof,
} from "./route_proof.ts";

/** A route, and what is needed to prove it later. */
export interface ProvableRoute extends DrawnRoute {
  /** Whose Sphinx keys it uses. */
  readonly epoch: number;
  /** The packet that it is for. */
  readonly origin: PacketOrigin;
  /** Which try it was. */
  readonly attempt: number;
}

/** Options of {@link RouteDrawer}. */
export interface RouteDrawerOptions {
  /** Primitives. */
  readonly crypto: CryptoProvider;
  /** The sender's VRF seed, 32 bytes. */
  readonly seed: Secret;
  /** How many other streams' nonces and counters it keeps; 1,024 by default. */
  readonly maxStreams?: number;
}

/** A pair of gateways in one epoch. */
interface Stream {
  readonly nonce: Bytes;
  counter: number;
}

/**
 * Draws routes and delays by the sender's VRF over the epoch's beacon (Betanet 1.1 §7.2): nobody else can predict them, and
 * the sender can prove them packet by packet.
 */
export class RouteDrawer {
  readonly #crypto: CryptoProvider;
  readonly #seed: Secret;
  readonly #maxStreams: number;
  readonly #source: Bytes;
  readonly #streams = new Map<string, Stream>();
  readonly #memory = new HopSetMemory();

  /** Begins with no stream and no set of hops used. */
  constructor({ crypto, seed, maxStreams = 1_024 }: RouteDrawerOptions) {
    this.#crypto = crypto;
    this.#seed = seed;
    this.#maxStreams = maxStreams;
    this.#source = peerIdOf(crypto, vrfPublicKey(crypto, seed.expose()));
  }

  /**
   * The next route of the stream between the gateways of `plan`.
   *
   * A set of hops that was used lately is passed over, and taken all the same after 64 tries: a small network has no
   * eight sets.
   *
   * @param beacon The value of the epoch's BeaconSet, 32 bytes.
   * @returns `undefined` if no try gave one: see {@link drawRoute}.
   */
  draw(beacon: Uint8Array, plan: RoutePlan): ProvableRoute | undefined {
    const { epoch, from, to } = plan;
    const pair = encodeHex(concat(from, to)) + epoch;
    const stream = this.#stream(pair);
    const origin: PacketOrigin = {
      epoch,
      source: this.#source,
      destination: peerIdOf(this.#crypto, to),
      streamNonce: stream.nonce,
      counter: stream.counter++,
    };
    const alpha = routeAlpha(this.#crypto, beacon, origin);
    const beta = vrfHash(this.#crypto, "ELL2", this.#seed.expose(), alpha);
    let found: ProvableRoute | undefined;
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const route = drawRoute(this.#crypto, beta, attempt, plan);
      if (!route) continue;
      found ??= { ...route, epoch, origin, attempt };
      if (!this.#memory.allows(pair, route.hops)) continue;
      found = { ...route, epoch, origin, attempt };
      break;
    }
    if (found) this.#memory.add(pair, found.hops);
    return found;
  }

  /** The proof of `route`, which this drew under `beacon`. */
  prove(beacon: Uint8Array, { origin, attempt }: ProvableRoute): RouteProof {
    if (!equal(origin.source, this.#source)) {
      throw new RangeError("The route is another sender's");
    }
    const seed = this.#seed.expose();
    const alpha = routeAlpha(this.#crypto, beacon, origin);
    return {
      ...origin,
      attempt,
      publicKey: vrfPublicKey(this.#crypto, seed),
      proof: vrfProve(this.#crypto, "ELL2", seed, alpha),
    };
  }

  #stream(pair: string): Stream {
    let stream = this.#streams.get(pair);
    if (!stream) {
      stream = { nonce: this.#crypto.random(16), counter: 0 };
      this.#streams.set(pair, stream);
    }
    if (this.#streams.size > this.#maxStreams) {
      const [oldest] = this.#streams.keys();
      this.#streams.delete(oldest!);
    }
    return stream;
  }
}
