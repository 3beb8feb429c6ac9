import type { Address } from "../../core/transport/mod.ts";

/** Where bundles are pushed to. */
export interface PushPlace {
  /** What the transport dials or listens at. */
  readonly carrier: Address;
  /** What requests name as their host. */
  readonly host: string;
  /** The path that takes bundles: that of the address, and `/push` behind it, as dtn7-rs has it. */
  readonly path: string;
}

/**
 * The place that `address` names, such as `tcp://127.0.0.1:3000` or `tcp://127.0.0.1:3000/prefix`.
 *
 * @throws {TypeError} If it is no address.
 */
export function pushPlace(address: Address): PushPlace {
  const match = /^([a-z][a-z0-9]*:\/\/([A-Za-z0-9._:[\]-]+))(\/[\x21-\x7e]*)?$/
    .exec(
      address,
    );
  if (!match) throw new TypeError(`Want scheme://host:port: got "${address}"`);
  const [, carrier, host, prefix = ""] = match;
  return {
    carrier: carrier!,
    host: host!,
    path: `${prefix.replace(/\/$/, "")}/push`,
  };
}

/** The path of a request target, in origin form or absolute form (RFC 9112 §3.2). */
export function pathOfTarget(target: string): string {
  return target.replace(/^https?:\/\/[^/?]*/, "").replace(/\?.*$/, "");
}
