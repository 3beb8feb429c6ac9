import { DecodeError } from "../../core/bytes/mod.ts";
import { type Bundle, encodeBundle, payloadOf } from "../bundle/bundle.ts";
import { BUNDLE_FLAG } from "../bundle/bundle_flags.ts";
import { bundleId } from "../bundle/bundle_id.ts";
import { createBundle } from "../bundle/create_bundle.ts";
import { Eid } from "../bundle/eid.ts";
import type { CreationTimestamp } from "../bundle/primary_block.ts";
import type { RouterMessage } from "../routing/router.ts";
import type { BundleSecurity } from "./bundle_security.ts";
import { DtnNodeError } from "./error.ts";
import type { Forwarder } from "./forwarder.ts";
import type { NodeContext } from "./node_context.ts";

const LIFETIME_MS = 60_000;

/** What the routers of neighbours say to each other: bundles between two nodes, neither stored nor sent again. */
export class RouterTalk {
  readonly #context: NodeContext;
  readonly #security: BundleSecurity;
  readonly #forwarder: Forwarder;
  readonly #nextTimestamp: () => CreationTimestamp;

  /** Speaks to the neighbours of `forwarder`. */
  constructor(
    context: NodeContext,
    security: BundleSecurity,
    forwarder: Forwarder,
    nextTimestamp: () => CreationTimestamp,
  ) {
    this.#context = context;
    this.#security = security;
    this.#forwarder = forwarder;
    this.#nextTimestamp = nextTimestamp;
  }

  /** The first contact with a neighbour has begun. */
  contactBegan(peer: string): void {
    const { options: { router }, clock } = this.#context;
    this.#tell(router.contactBegan(peer, clock.wallTime()));
  }

  /** The last contact with a neighbour has ended. */
  contactEnded(peer: string): void {
    const { options: { router }, clock } = this.#context;
    router.contactEnded(peer, clock.wallTime());
  }

  /** Whether `bundle` is for our router. */
  isFor({ primary }: Bundle): boolean {
    const { nodeId, options: { router } } = this.#context;
    return primary.destination.equals(routingEndpoint(nodeId, router.name));
  }

  /** Gives `bundle` of the neighbour `from` to our router, if it is that neighbour's own. */
  hear(bundle: Bundle, from: string | undefined): void {
    const { options: { router }, clock, counts } = this.#context;
    const { source, fragment } = bundle.primary;
    if (from === undefined || `${source}` !== from || fragment) {
      counts.dropped.routing++;
      return;
    }
    try {
      const now = clock.wallTime();
      this.#tell(router.received(from, payloadOf(bundle), now));
      this.#forwarder.scanSoon();
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      counts.dropped.routing++;
    }
  }

  #tell(messages: readonly RouterMessage[]): void {
    const { nodeId, options: { router }, counts } = this.#context;
    for (const { to, bytes } of messages) {
      if (!this.#forwarder.hasPeer(to)) continue;
      const bundle = createBundle({
        source: nodeId,
        destination: routingEndpoint(Eid.parse(to), router.name),
        creation: this.#nextTimestamp(),
        lifetimeMs: LIFETIME_MS,
        flags: BUNDLE_FLAG.mustNotFragment,
        payload: bytes,
      });
      counts.created++;
      const sent = this.#protected(bundle);
      if (!sent) continue;
      const isSent = this.#forwarder.tell(
        to,
        bundleId(sent),
        encodeBundle(sent),
      );
      if (!isSent) counts.dropped.routing_full++;
    }
  }

  #protected(bundle: Bundle): Bundle | undefined {
    try {
      return this.#security.protect(bundle);
    } catch (error) {
      if (!(error instanceof DtnNodeError)) throw error;
      this.#context.log.debug("dtn.no_routing", { code: error.code });
    }
  }
}

/** Where the routers of neighbours speak with each other. */
function routingEndpoint(nodeId: Eid, router: string): Eid {
  return nodeId.scheme === "ipn"
    ? Eid.ipn(nodeId.allocator, nodeId.nodeNumber, 64_999)
    : Eid.parse(`${nodeId}routing/${router}`);
}
