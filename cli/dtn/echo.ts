import { type DtnNode, Eid, payloadOf } from "../../src/dtn/mod.ts";

const SERVICE = 7;

/** Answers what comes for the endpoint `echo` of a node, or service 7, with its payload; but not what another echo says, or it would never end. */
export function answerEcho(node: DtnNode): void {
  const source = echoOf(node.nodeId);
  node.answer(source, (request) => {
    const { source: destination, lifetimeMs } = request.primary;
    if (destination.isNull || destination.equals(echoOf(destination))) {
      return undefined;
    }
    return {
      ...{ source, destination, payload: payloadOf(request) },
      lifetimeMs: Math.min(Number(lifetimeMs), Number.MAX_SAFE_INTEGER),
    };
  });
}

/** The echo of the node that an endpoint belongs to. */
function echoOf(endpoint: Eid): Eid {
  const nodeId = endpoint.nodeId();
  return nodeId.scheme === "ipn"
    ? Eid.ipn(nodeId.allocator, nodeId.nodeNumber, SERVICE)
    : Eid.parse(`${nodeId}echo`);
}
