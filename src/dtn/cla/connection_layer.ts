import { type Clock, Deadline, systemClock } from "../../core/async/mod.ts";
import {
  type DialOptions,
  tcp,
  type Transport,
} from "../../core/transport/mod.ts";
import { contactErrorOf } from "./contact_error.ts";
import type { Contact } from "./convergence_layer.ts";
import { Window, type WindowOptions } from "./window.ts";

/** Options that all layers over connections have. */
export interface ConnectionLayerOptions {
  /** What carries the connections, default TCP without Nagle's algorithm. */
  readonly transport?: Transport;
  /** Default {@link systemClock}. */
  readonly clock?: Clock;
  /** Most contacts that others opened; further ones are turned away. Default 1,024. */
  readonly maxContacts?: number;
  /** Bundles of one contact that may be under way to the peer until their outcome is known, default 1,024 and 64 MiB. */
  readonly sending?: WindowOptions;
  /** Bundles of one contact that may wait for the node, default 1,024 and 64 MiB; beyond, nothing more is read. */
  readonly receiving?: WindowOptions;
  /** Bytes of bundles, whole or in part, that all contacts hold together for the node; further ones find no room. Default 256 MiB. */
  readonly maxHeldBytes?: number;
  /** Limit from connecting until bundles may be sent in milliseconds, default 10 s. */
  readonly openTimeoutMs?: number;
  /** A peer with which nothing moves for so long while it has something to read, or is in the middle of a bundle, is left, in milliseconds, default 60 s. */
  readonly stallTimeoutMs?: number;
}

/** Defaults of {@link ConnectionLayerOptions}. */
export const CONNECTION_LAYER_DEFAULTS: Required<ConnectionLayerOptions> = {
  transport: tcp,
  clock: systemClock,
  maxContacts: 1_024,
  sending: { maxCount: 1_024, maxBytes: 67_108_864 },
  receiving: { maxCount: 1_024, maxBytes: 67_108_864 },
  maxHeldBytes: 268_435_456,
  openTimeoutMs: 10_000,
  stallTimeoutMs: 60_000,
};

/** Places for contacts that others open, each taken with 0 bytes. */
export function placesFor(
  { maxContacts }: Pick<Required<ConnectionLayerOptions>, "maxContacts">,
): Window {
  return new Window({ maxCount: maxContacts, maxBytes: 0 });
}

/**
 * Opens a contact within `openTimeoutMs`.
 *
 * @throws {ContactError} What `errorOf` makes of a failure.
 * @throws The reason of the signal.
 */
export async function openWithin(
  { clock, openTimeoutMs }: Pick<
    Required<ConnectionLayerOptions>,
    "clock" | "openTimeoutMs"
  >,
  { signal }: DialOptions,
  open: (signal: AbortSignal) => Promise<Contact>,
  errorOf: (cause: unknown) => Error = contactErrorOf,
): Promise<Contact> {
  signal?.throwIfAborted();
  using deadline = new Deadline(clock, openTimeoutMs, { signal });
  try {
    return await open(deadline.signal);
  } catch (error) {
    signal?.throwIfAborted();
    throw errorOf(error);
  }
}
