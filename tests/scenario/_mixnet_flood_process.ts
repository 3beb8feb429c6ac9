/**
 * A peer with a node's link key that sends noise as fast as the node takes it, until its standard input ends.
 *
 * @module
 */
import { decodeHex } from "../../src/core/bytes/mod.ts";
import { nodeProvider, x25519KeyPair } from "../../src/core/crypto/mod.ts";
import { dialTcp } from "../../src/core/transport/mod.ts";
import { dialLink, sphinxGeometry } from "../../src/mixnet/mod.ts";
import { asked, say } from "./_line_process.ts";
import { LossyLinks } from "./_mixnet_link_tally.ts";

/** What it is told; keys are hexadecimal. */
export interface FloodOptions {
  readonly network: string;
  readonly payloadLength: number;
  readonly epochSeconds: number;
  /** Of the node that it is. */
  readonly linkPrivateKey: string;
  /** Of the node that it floods. */
  readonly remoteStaticKey: string;
  readonly address: string;
}

const BATCH = 26;

const told: FloodOptions = JSON.parse(Deno.args[0]!);
const links = new LossyLinks(0);
const report = () => say({ atMs: Date.now(), links: links.tally });
const { packetLength } = sphinxGeometry(told.payloadLength);
const link = await dialLink(await dialTcp(told.address), {
  crypto: nodeProvider,
  network: told.network,
  packetLength,
  staticKeyPair: x25519KeyPair(nodeProvider, decodeHex(told.linkPrivateKey)),
  remoteStaticKey: decodeHex(told.remoteStaticKey),
});
const noise = Array.from({ length: BATCH }, () => ({
  type: "packet" as const,
  packet: nodeProvider.random(packetLength),
}));
report();
let isOver = false;
const waiting = asked().then(() => isOver = true);
while (!isOver) {
  const epoch = Math.floor(Date.now() / 1_000 / told.epochSeconds);
  await link.send(noise.map((frame) => ({ ...frame, epoch })));
}
await waiting;
link.close();
report();
