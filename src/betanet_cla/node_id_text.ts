import { DecodeError } from "../core/bytes/mod.ts";
import { BundleError, Eid } from "../dtn/mod.ts";

/**
 * Whether `text` is the endpoint ID of a node, e.g. `dtn://node/` or `ipn:1.0`.
 *
 * @throws {BundleError} `eid` if it is no endpoint ID.
 */
export function namesNode(text: string): boolean {
  const eid = Eid.parse(text);
  return !eid.isNull && eid.nodeId().equals(eid);
}

/**
 * The node id that a peer wrote in UTF-8.
 *
 * @throws {DecodeError} If it is none, of a `what`.
 */
export function decodeNodeId(bytes: Uint8Array, what: string): string {
  try {
    const nodeId = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
      .decode(bytes);
    if (namesNode(nodeId)) return nodeId;
  } catch (error) {
    if (!(error instanceof BundleError || error instanceof TypeError)) {
      throw error;
    }
  }
  throw new DecodeError(what, "want the endpoint ID of a node");
}
