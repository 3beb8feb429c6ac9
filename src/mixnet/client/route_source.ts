import type { RouteHop } from "../sphinx/header.ts";

/** What time it is, by both clocks. */
export interface Instant {
  /** Monotonic milliseconds: for what waits. */
  readonly nowMs: number;
  /** Milliseconds since 1970: for epochs, and for what outlives the process. */
  readonly wallMs: number;
}

/** A route with its delays drawn. */
export interface MixRoute {
  /** Whose Sphinx keys it uses. */
  readonly epoch: number;
  /** From the gateway where the packet enters to the one where it ends. */
  readonly hops: readonly RouteHop[];
  /** The sum of the delays that hops will keep a packet for, in milliseconds; the last hop's is no delay. */
  readonly delaysMs: number;
}

/** Where a client gets routes. */
export interface RouteSource {
  /**
   * A fresh route from gateway `from` through the mixes to gateway `to`, which may be the same.
   *
   * @returns `undefined` if there is none: no document for this time, or a gateway that is not in it.
   */
  route(
    wallMs: number,
    from: Uint8Array,
    to: Uint8Array,
  ): MixRoute | undefined;

  /** Ids, 32 bytes each, of the gateways that routes may end at now; none without a document for this time. */
  gateways(wallMs: number): readonly Uint8Array[];

  /**
   * Until when the nodes accept packets built for the epoch with these low 32 bits, in milliseconds since 1970.
   *
   * @param wallMs Now, which says which epoch is meant.
   */
  usableUntilMs(epoch: number, wallMs: number): number;
}
