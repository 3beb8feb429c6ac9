import {
  type Bytes,
  decodeCbor,
  DecodeError,
  encodeCbor,
  utf8,
} from "../../core/bytes/mod.ts";
import { type Bundle, payloadOf } from "../bundle/bundle.ts";
import { bundleId } from "../bundle/bundle_id.ts";
import { encodeStored } from "../node/stored_bundle.ts";

/** What binary messages hold, as dtn7-rs names it: bundles, or payloads with what is said of them in CBOR or in JSON. */
export type SocketMode = "bundle" | "data" | "json";

/** A bundle that an application asks for. */
export interface SocketRequest {
  /** Whose it is to be. */
  readonly source: string;
  /** Where it goes. */
  readonly destination: string;
  /** Whether a report of its delivery is wanted. */
  readonly reportsDelivery: boolean;
  /** How long it is of use, in milliseconds. */
  readonly lifetimeMs: number;
  /** What it carries. */
  readonly payload: Uint8Array;
}

/**
 * Reads what an application sends, with the members of dtn7-rs's `WsSendData`: `src`, `dst`, `delivery_notification`, `lifetime` in
 * milliseconds, and `data`, which is base64 in JSON.
 *
 * @throws {DecodeError} If it is not that.
 */
export function decodeSocketRequest(
  bytes: Uint8Array,
  mode: Exclude<SocketMode, "bundle">,
): SocketRequest {
  const members = mode === "data" ? cborMembers(bytes) : jsonMembers(bytes);
  const source = members.get("src");
  const destination = members.get("dst");
  const reportsDelivery = members.get("delivery_notification") ?? false;
  const lifetimeMs = members.get("lifetime");
  const data = members.get("data");
  const payload = typeof data === "string" && mode === "json"
    ? base64Of(data)
    : data;
  if (
    typeof source !== "string" || typeof destination !== "string" ||
    typeof reportsDelivery !== "boolean" || typeof lifetimeMs !== "number" ||
    !(payload instanceof Uint8Array)
  ) {
    throw malformed("wants src, dst, delivery_notification, lifetime and data");
  }
  return { source, destination, reportsDelivery, lifetimeMs, payload };
}

/** Writes what an application is given: the bundle, or the members of dtn7-rs's `WsRecvData`. */
export function encodeForSocket(bundle: Bundle, mode: SocketMode): Bytes {
  if (mode === "bundle") return encodeStored(bundle);
  const { source, destination, creation, lifetimeMs } = bundle.primary;
  const data = payloadOf(bundle);
  const members = {
    bid: bundleId(bundle),
    src: `${source}`,
    dst: `${destination}`,
    cts: [Number(creation.timeMs), Number(creation.sequence)],
    lifetime: Number(lifetimeMs),
  };
  return mode === "data"
    ? encodeCbor({ ...members, data })
    : utf8(JSON.stringify({ ...members, data: data.toBase64() }));
}

function cborMembers(bytes: Uint8Array): ReadonlyMap<unknown, unknown> {
  const value = decodeCbor(bytes, { deterministic: false }, "request");
  if (value instanceof Map) return value;
  throw malformed("is no map");
}

function jsonMembers(bytes: Uint8Array): ReadonlyMap<unknown, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw malformed("is no JSON");
  }
  if (typeof value === "object" && value !== null) {
    return new Map(Object.entries(value));
  }
  throw malformed("is no object");
}

function base64Of(text: string): Uint8Array {
  try {
    return Uint8Array.fromBase64(text);
  } catch {
    throw malformed("has data that is no base64");
  }
}

function malformed(reason: string): DecodeError {
  return new DecodeError("request", reason);
}
