import type { Bytes } from "../../core/bytes/mod.ts";

/** What a router sees of a bundle. */
export interface RoutedBundle {
  /** Its name, as `bundleId` gives it. */
  readonly id: string;
  /** Endpoint that made it. */
  readonly source: string;
  /** Endpoint that it is for. */
  readonly destination: string;
  /** Node id of that endpoint. */
  readonly destinationNode: string;
  /** Length of the encoded bundle, in bytes. */
  readonly size: number;
  /** When it is of no use any more: wall time in milliseconds since 1970. */
  readonly expiresMs: number;
  /** The neighbour that gave it; absent if it was made here. */
  readonly from?: string;
  /** How many copies of it that neighbour let us make, this one included; see {@link NextHop.copies}. */
  readonly copies?: number;
}

/** A neighbour that is to get a bundle. */
export interface NextHop {
  /** Its node id. */
  readonly peer: string;
  /** How many copies it may make of it; said in a block of the bundle. */
  readonly copies?: number;
}

/** What a router says of a bundle. */
export interface RouteDecision {
  /** Who is to get it now, of the neighbours in contact, best first; nobody: it waits. */
  readonly to: readonly NextHop[];
  /** Whether our copy stays when one of them has it. */
  readonly keeps: boolean;
}

/** What routers say to each other. */
export interface RouterMessage {
  /** Node id of the neighbour that it is for. */
  readonly to: string;
  /** What it says. */
  readonly bytes: Bytes;
}

/**
 * Decides who gets a bundle. It does no IO: times are wall times in milliseconds since 1970, what outlives the process is in the store
 * that it was given.
 */
export interface Router {
  /** What configurations call it. */
  readonly name: string;
  /** A neighbour is in contact from now on; gives what to tell it. */
  contactBegan(peer: string, nowMs: number): readonly RouterMessage[];
  /** It is not any more. */
  contactEnded(peer: string, nowMs: number): void;
  /**
   * Takes what the router of a neighbour said; gives what to answer.
   *
   * @throws {DecodeError} If it is malformed.
   */
  received(
    from: string,
    message: Uint8Array,
    nowMs: number,
  ): readonly RouterMessage[];
  /** Who of `peers`, the neighbours in contact, is to get `bundle` now. */
  route(
    bundle: RoutedBundle,
    peers: readonly string[],
    nowMs: number,
  ): RouteDecision;
  /** A neighbour has `bundle`. */
  sent(bundle: RoutedBundle, hop: NextHop, nowMs: number): void;
  /**
   * A neighbour that {@link route} named did not get `bundle`; it may be named again.
   *
   * @param mayHaveIt Whether it may have it all the same, as the contact ended before it said so.
   */
  failed(
    bundle: RoutedBundle,
    hop: NextHop,
    nowMs: number,
    mayHaveIt?: boolean,
  ): void;
  /** A bundle is not here any more. */
  removed(id: string): void;
  /** When, after `nowMs`, {@link route} may decide otherwise by itself; absent where it never does. */
  readonly changesAt?: (nowMs: number) => number | undefined;
}

/** Nobody, for now. */
export const WAIT: RouteDecision = { to: [], keeps: true };

/** The neighbour that `bundle` is for, if it is in contact, and nobody else then. */
export function direct(
  { destinationNode }: RoutedBundle,
  peers: readonly string[],
): RouteDecision | undefined {
  return peers.includes(destinationNode)
    ? { to: [{ peer: destinationNode }], keeps: false }
    : undefined;
}
