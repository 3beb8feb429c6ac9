import { encodeHex, equal } from "../../src/core/bytes/mod.ts";
import type { Logger } from "../../src/core/log/mod.ts";
import {
  dialLink,
  type DialLinkOptions,
  type directory,
  DirectoryError,
  type DirectoryNode,
  type MixLink,
} from "../../src/mixnet/mod.ts";
import type { NodeDialer } from "./node_dialer.ts";

/** Which gateway {@link gatewayDial} reaches. */
export interface GatewayDialOptions {
  /** Knows its addresses. */
  readonly directory: directory.DirectoryClient;
  /** Its id, 32 bytes. */
  readonly gatewayId: Uint8Array;
  /** Connects to it. */
  readonly dialer: Pick<NodeDialer, "dial">;
  /** Where it says why it could not be reached. */
  readonly log: Logger;
}

/** What makes links to a client's gateway, at the first of its addresses that answers. */
export function gatewayDial(
  { directory, gatewayId, dialer, log }: GatewayDialOptions,
  options: Omit<DialLinkOptions, "remoteStaticKey" | "signal">,
): (signal: AbortSignal) => Promise<MixLink> {
  return async (signal) => {
    let failure: unknown;
    const gateway = gatewayIn(directory, gatewayId);
    for (const address of gateway?.addresses ?? []) {
      try {
        const connection = await dialer.dial(address, signal, gateway!);
        return await dialLink(connection, {
          ...options,
          signal,
          remoteStaticKey: gateway!.linkKey,
        });
      } catch (error) {
        signal.throwIfAborted();
        log.warn("client.gateway_unreachable", { address, error });
        failure = error;
      }
    }
    if (gateway) throw failure;
    log.warn("client.no_gateway", { id: encodeHex(gatewayId) });
    throw new DirectoryError("unreachable", "No document names our gateway");
  };
}

function gatewayIn(
  directory: directory.DirectoryClient,
  id: Uint8Array,
): DirectoryNode | undefined {
  const now = directory.epoch;
  for (const epoch of [now, now + 1, now - 1]) {
    const found = directory.document(epoch)?.nodes.find(
      ({ identityKey, layer }) => layer === 0 && equal(identityKey, id),
    );
    if (found) return found;
  }
}
