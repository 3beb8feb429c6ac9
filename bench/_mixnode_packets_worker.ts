import { equal } from "../src/core/bytes/mod.ts";
import { silentLogger } from "../src/core/log/mod.ts";
import {
  createPacket,
  recoverMessage,
  sphinxGeometry,
  unwrapPacket,
} from "../src/mixnet/mod.ts";
import { openMixCrypto } from "../cli/mixnode/open_mix_crypto.ts";
import type { PacketChunk, PacketPlan } from "./_mixnode_packets.ts";

const CHECKED = 20;
const MESSAGE_LENGTH = 64;

const crypto = openMixCrypto("auto", silentLogger);
const scope = self as unknown as Worker;
scope.onmessage = ({ data }: MessageEvent<PacketPlan>) => {
  const chunk = makeChunk(data);
  const { packets, digests, delaysMs } = chunk;
  scope.postMessage(chunk, [packets.buffer, digests.buffer, delaysMs.buffer]);
};

/** Packets over the node to the sink, and what must come out of the node; the first are opened by the sink's key too. */
function makeChunk(plan: PacketPlan): PacketChunk {
  const { count, payloadLength, node, sink } = plan;
  const geometry = sphinxGeometry(payloadLength);
  const { packetLength } = geometry;
  const packets = new Uint8Array(count * packetLength);
  const digests = new Uint8Array(count * 32);
  const delaysMs = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const delayNs = drawDelayNs(plan);
    const message = crypto.random(MESSAGE_LENGTH);
    const packet = createPacket(crypto, geometry, {
      route: [{ ...node, delayNs }, { ...sink, delayNs: 0 }],
      destination: sink.publicKey,
      identifier: new Uint8Array(16),
    }, message);
    const next = unwrapPacket(crypto, geometry, node.privateKey, packet);
    if (next.kind !== "forward") throw new Error("A hop was lost");
    if (i < CHECKED) {
      const last = unwrapPacket(
        crypto,
        geometry,
        sink.privateKey,
        next.packet,
      );
      if (
        last.kind !== "final" || !equal(recoverMessage(last.payload), message)
      ) throw new Error("A packet does not carry its message");
    }
    packets.set(packet, i * packetLength);
    digests.set(crypto.hash("sha256", next.packet), i * 32);
    delaysMs[i] = delayNs / 1e6;
  }
  return { packets, digests, delaysMs };
}

function drawDelayNs({ meanDelayMs, maxDelayMs }: PacketPlan): number {
  for (;;) {
    const ms = -meanDelayMs * Math.log1p(-Math.random());
    if (ms <= maxDelayMs && ms > 0) return Math.ceil(ms * 1e6);
  }
}
