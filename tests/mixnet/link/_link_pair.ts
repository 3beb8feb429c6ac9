import { generateX25519, nodeProvider } from "../../../src/core/crypto/mod.ts";
import {
  type Connection,
  MemoryNetwork,
  type MemoryNetworkOptions,
} from "../../../src/core/transport/mod.ts";
import {
  acceptLink,
  type AcceptLinkOptions,
  dialLink,
  type DialLinkOptions,
} from "../../../src/mixnet/link/dial_link.ts";
import type { LinkFrame } from "../../../src/mixnet/link/link_frame.ts";
import type { MixLink } from "../../../src/mixnet/link/mix_link.ts";
import { COMPACT } from "../../../src/mixnet/sphinx/geometry.ts";

/** The link keys of two ends. */
export const DIALER = generateX25519(nodeProvider);
export const ACCEPTOR = generateX25519(nodeProvider);

const COMMON = {
  crypto: nodeProvider,
  network: "test",
  packetLength: COMPACT.packetLength,
};

/** What the dialing end needs. */
export const DIAL_OPTIONS: DialLinkOptions = {
  ...COMMON,
  staticKeyPair: DIALER,
  remoteStaticKey: ACCEPTOR.publicKey,
};

/** What the accepting end needs. */
export const ACCEPT_OPTIONS: AcceptLinkOptions = {
  ...COMMON,
  staticKeyPair: ACCEPTOR,
};

/** Two ends of one connection in memory. */
export async function connectionPair(
  options: MemoryNetworkOptions = {},
): Promise<[Connection, Connection]> {
  const network = new MemoryNetwork(options);
  const listener = await network.transport("b").listen("memory://b");
  const dialed = await network.transport("a").dial("memory://b");
  for await (const accepted of listener) {
    listener.close();
    return [dialed, accepted];
  }
  throw new Error("No connection");
}

/** Both ends of a link over two ends of a connection. */
export async function linkPair(
  [a, b]: readonly [Connection, Connection],
  dialer: Partial<DialLinkOptions> = {},
  acceptor: Partial<AcceptLinkOptions> = {},
): Promise<[MixLink, MixLink]> {
  return await Promise.all([
    dialLink(a, { ...DIAL_OPTIONS, ...dialer }),
    acceptLink(b, { ...ACCEPT_OPTIONS, ...acceptor }),
  ]);
}

/** A packet frame whose bytes all come from `n`. */
export function packetFrame(n: number): LinkFrame & { type: "packet" } {
  const packet = new Uint8Array(COMPACT.packetLength).fill(n);
  new DataView(packet.buffer).setUint32(0, n);
  return { type: "packet", epoch: n, packet };
}

/** The next `count` frames of `link`, which goes on. */
export async function take(
  frames: AsyncIterator<readonly LinkFrame[]>,
  count: number,
): Promise<LinkFrame[]> {
  const taken: LinkFrame[] = [];
  while (taken.length < count) {
    const { value, done } = await frames.next();
    if (done) break;
    taken.push(...value);
  }
  return taken;
}
