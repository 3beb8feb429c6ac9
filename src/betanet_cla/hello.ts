/**
 * What either side of a contact says first, on the control stream (profile section 13).
 *
 * ```text
 * offset  length
 *      0       1  version, 2
 *      1       4  bundles that the peer may have under way to us, at least 1
 *      5       8  bytes of them together, at least 1; a larger bundle is sent alone
 *     13       8  bytes of the largest bundle that we take, at least 1
 *     21       1  whether we take bundles by datagram: 0 or 1
 *     22       2  n, length of our node id, 1 to 1,023
 *     24       n  our node id: a dtn: or ipn: endpoint ID in UTF-8 that names a node
 * ```
 *
 * Integers are big-endian, and at most 2^53 − 1. Nothing follows.
 *
 * @module
 */
import {
  type Bytes,
  DecodeError,
  Reader,
  utf8,
  Writer,
} from "../core/bytes/mod.ts";
import { BundleError, type WindowOptions } from "../dtn/mod.ts";
import { decodeNodeId, namesNode } from "./node_id_text.ts";

/** What a side says of itself. */
export interface Hello {
  /** Its node id, e.g. `dtn://node/`. */
  readonly nodeId: string;
  /** What the peer may have under way to it. */
  readonly receiving: WindowOptions;
  /** Bytes of the largest bundle that it takes. */
  readonly maxBundleBytes: number;
  /** Whether it takes bundles by datagram. */
  readonly takesDatagrams: boolean;
}

/** The one version there is. */
const VERSION = 2;
const FIXED_LENGTH = 24;
const MAX_NODE_ID_LENGTH = 1_023;

/** Bytes of the longest hello. */
export const MAX_HELLO_LENGTH: number = FIXED_LENGTH + MAX_NODE_ID_LENGTH;

const WHAT = "betanet-cla hello";

/**
 * Encodes a hello.
 *
 * @throws {RangeError} If a number is not a whole one in its range, or the node id too long.
 * @throws {BundleError} `eid` if the node id is none.
 */
export function encodeHello(hello: Hello): Bytes {
  const { receiving, maxBundleBytes } = hello;
  const nodeId = utf8(hello.nodeId);
  if (!namesNode(hello.nodeId)) {
    throw new BundleError("eid", "Want the endpoint ID of a node");
  }
  if (nodeId.length > MAX_NODE_ID_LENGTH) {
    throw new RangeError(
      `A node id has at most ${MAX_NODE_ID_LENGTH} bytes: got ${nodeId.length}`,
    );
  }
  return new Writer(FIXED_LENGTH + nodeId.length)
    .u8(VERSION)
    .u32(checked("maxCount", receiving.maxCount))
    .u64(BigInt(checked("maxBytes", receiving.maxBytes)))
    .u64(BigInt(checked("maxBundleBytes", maxBundleBytes)))
    .u8(hello.takesDatagrams ? 1 : 0)
    .u16(nodeId.length)
    .put(nodeId)
    .finish();
}

/**
 * The hello that `bytes` are, `undefined` if more are needed.
 *
 * @throws {DecodeError} If they are the start of none, or go on behind it.
 */
export function decodeHello(bytes: Uint8Array): Hello | undefined {
  const reader = new Reader(bytes, WHAT);
  if (bytes.length > 0 && reader.u8() !== VERSION) {
    throw new DecodeError(WHAT, `want version ${VERSION}`);
  }
  if (bytes.length < FIXED_LENGTH) return undefined;
  const maxCount = positive(reader.u32());
  const maxBytes = positive(Number(reader.u64()));
  const maxBundleBytes = positive(Number(reader.u64()));
  const takesDatagrams = flag(reader.u8());
  const length = reader.u16();
  if (length === 0 || length > MAX_NODE_ID_LENGTH) {
    throw new DecodeError(WHAT, `node id of ${length} bytes`);
  }
  if (reader.remaining < length) return undefined;
  const nodeId = decodeNodeId(reader.take(length), WHAT);
  reader.end();
  const receiving = { maxCount, maxBytes };
  return { nodeId, receiving, maxBundleBytes, takesDatagrams };
}

function checked(name: string, value: number): number {
  if (!(Number.isSafeInteger(value) && value > 0)) {
    throw new RangeError(`Want a whole ${name} > 0: got ${value}`);
  }
  return value;
}

function positive(value: number): number {
  if (!(Number.isSafeInteger(value) && value > 0)) {
    throw new DecodeError(WHAT, "a bound is out of its range");
  }
  return value;
}

function flag(value: number): boolean {
  if (value > 1) throw new DecodeError(WHAT, "want 0 or 1");
  return value === 1;
}
