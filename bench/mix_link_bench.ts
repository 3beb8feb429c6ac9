import { assertEquals } from "@std/assert";
import { generateX25519, nodeProvider } from "../src/core/crypto/mod.ts";
import { MemoryNetwork } from "../src/core/transport/mod.ts";
import { LinkCipher } from "../src/mixnet/link/link_cipher.ts";
import {
  decodeLinkFrame,
  encodeLinkFrame,
  linkBodyLength,
  linkFrameLength,
  type PacketFrame,
} from "../src/mixnet/link/link_frame.ts";
import { acceptLink, dialLink } from "../src/mixnet/link/dial_link.ts";
import { REGULAR } from "../src/mixnet/sphinx/geometry.ts";

const { packetLength } = REGULAR;
const FRAMES = 1_000;
const PACKETS: PacketFrame[] = Array.from({ length: FRAMES }, (_, epoch) => ({
  type: "packet",
  epoch,
  packet: nodeProvider.random(packetLength),
}));

const [seal, open] = [cipher(), cipher()];
const frame = new Uint8Array(linkFrameLength(packetLength));
const body = new Uint8Array(linkBodyLength(packetLength));
assertEquals(sealAndOpen(PACKETS[7]!), PACKETS[7]);
Deno.bench("seal and open a frame of 2,434 bytes", () => {
  sealAndOpen(PACKETS[0]!);
});

const link = await pair();
assertEquals(await link(), PACKETS);
Deno.bench("1,000 frames over a link in memory, both ends", async () => {
  await link();
});

function cipher(): LinkCipher {
  return new LinkCipher(nodeProvider, new Uint8Array(32));
}

function sealAndOpen(packet: PacketFrame): unknown {
  encodeLinkFrame(packet, frame.subarray(0, body.length));
  seal.seal(frame, body.length);
  open.open(frame, body);
  return decodeLinkFrame(body);
}

/** Sends {@link PACKETS} over a link, and gives what arrives. */
async function pair(): Promise<() => Promise<unknown[]>> {
  const network = new MemoryNetwork();
  const listener = await network.transport("b").listen("memory://b");
  const dialed = await network.transport("a").dial("memory://b");
  const { value } = await listener[Symbol.asyncIterator]().next();
  const staticKeyPair = generateX25519(nodeProvider);
  const options = { crypto: nodeProvider, network: "bench", packetLength };
  const [a, b] = await Promise.all([
    dialLink(dialed, {
      ...options,
      staticKeyPair: generateX25519(nodeProvider),
      remoteStaticKey: staticKeyPair.publicKey,
    }),
    acceptLink(value, { ...options, staticKeyPair }),
  ]);
  const arriving = b.frames();
  return async () => {
    const sending = a.send(PACKETS);
    const arrived: unknown[] = [];
    while (arrived.length < FRAMES) {
      arrived.push(...(await arriving.next()).value!);
    }
    await sending;
    return arrived;
  };
}
