import { Eid } from "../bundle/eid.ts";
import { BundleError } from "../bundle/error.ts";

/**
 * The endpoint that an application names: whole, or as its path at the node: `in` for `dtn://node/in`, `7` for `ipn:N.7`.
 *
 * @throws {BundleError} `eid` if it is none.
 */
export function endpointOf(text: string, nodeId: Eid): Eid {
  if (/^(dtn|ipn):/.test(text)) return Eid.parse(text);
  if (nodeId.scheme === "dtn") return Eid.parse(`${nodeId}${text}`);
  if (!/^[0-9]{1,10}$/.test(text)) {
    throw new BundleError("eid", "Want the number of a service");
  }
  return Eid.ipn(nodeId.allocator, nodeId.nodeNumber, Number(text));
}

/**
 * As {@link endpointOf}, of those of the node itself.
 *
 * @throws {BundleError} `eid` if it is none of them.
 */
export function ownEndpointOf(text: string, nodeId: Eid): Eid {
  const endpoint = endpointOf(text, nodeId);
  if (endpoint.nodeId().equals(nodeId)) return endpoint;
  throw new BundleError("eid", "Not an endpoint of this node");
}
