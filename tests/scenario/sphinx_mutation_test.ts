import { assert, assertEquals } from "@std/assert";
import { concat, equal } from "../../src/core/bytes/mod.ts";
import {
  type CryptoProvider,
  nodeProvider,
} from "../../src/core/crypto/mod.ts";
import {
  COMPACT,
  createPacket,
  createSurb,
  HEADER_LENGTH,
  recoverMessage,
  recoverReply,
  replyPacket,
  SphinxError,
  unwrapPacket,
} from "../../src/mixnet/mod.ts";
import { expandSharedSecret } from "../../src/mixnet/sphinx/key_expansion.ts";
import { generator, mutate } from "../htx/_mutation.ts";
import { drawRoute } from "../mixnet/sphinx/_draw.ts";
import { slotBytes } from "../mixnet/sphinx/_forged_header.ts";
import { report } from "./_line_process.ts";

const HEADERS = 880_000;
const FORGED = 100_000;
const WHOLE = 10_000;
const PAYLOADS = 10_000;

type Random = (below: number) => number;
type Counts = Map<string, number>;

/** A packet as it comes to one of its hops. */
interface Arrival {
  readonly packet: Uint8Array;
  readonly privateKey: Uint8Array;
}

Deno.test(`unwrapPacket() survives ${HEADERS} changed headers: those that are not the header in another form are dropped`, () => {
  const arrivals = [1, 2, 3, 4, 5].flatMap(arrivalsOf);
  const crypto = remembering(nodeProvider);
  const tags = arrivals.map((arrival) => unwrap(crypto, arrival).replayTag);
  const random = generator(31);
  run("changed headers", HEADERS, ["mac", "weak_point", "same"], (i) => {
    const which = i % arrivals.length;
    const arrival = arrivals[which]!;
    const packet = arrival.packet.slice();
    changeHeader(packet, random);
    const { replayTag } = unwrap(crypto, { ...arrival, packet });
    assertEquals(replayTag, tags[which]);
    packet[31]! ^= (packet[31]! ^ arrival.packet[31]!) & 0x80; // the bit of alpha that X25519 ignores
    assert(equal(packet, arrival.packet));
    return "same";
  });
});

Deno.test(`unwrapPacket() survives ${FORGED} headers of senders who keep no rule but the MAC`, () => {
  const { privateKeys, route } = drawRoute(1);
  const privateKey = privateKeys[0]!;
  const secret = nodeProvider.random(32);
  const alpha = nodeProvider.x25519.publicKey(secret);
  const { streamKey, macKey } = expandSharedSecret(
    nodeProvider,
    nodeProvider.x25519.sharedSecret(secret, route[0]!.publicKey),
  );
  const crypto = remembering(nodeProvider);
  const payload = nodeProvider.random(COMPACT.payloadLength);
  const random = generator(32);
  const expected = ["flag", "version", "delay", "forward", "final"];
  run("forged headers", FORGED, expected, () => {
    const plain = slotBytes({
      flag: random(4),
      version: random(3) ? 259 + random(3) : random(2 ** 24),
      delayNs: BigInt(random(2 ** 30)) << BigInt(random(35)),
    });
    const beta = crypto.aesCtr(streamKey, new Uint8Array(16), plain);
    const mac = crypto.hmac("sha256", macKey, beta).subarray(0, 16);
    const packet = concat(alpha, mac, beta, payload);
    const hop = unwrap(crypto, { privateKey, packet });
    if (hop.kind === "forward") {
      assertEquals(hop.packet.length, COMPACT.packetLength);
      assertEquals(hop.nextAddress, plain.subarray(4, 36));
    } else {
      assertEquals(hop.destination, plain.subarray(4, 36));
    }
    return hop.kind;
  });
});

Deno.test(`unwrapPacket() survives ${WHOLE} packets that are changed, cut and lengthened`, () => {
  const arrivals = arrivalsOf(3);
  const crypto = remembering(nodeProvider);
  const random = generator(33);
  const expected = ["length", "mac", "forward", "final"];
  run("changed packets", WHOLE, expected, (i) => {
    const { packet, privateKey } = arrivals[i % 3]!;
    const changed = mutate(packet, random);
    const hop = unwrap(crypto, { privateKey, packet: changed });
    const behindAlpha = [32, HEADER_LENGTH] as const;
    assert(
      equal(changed.subarray(...behindAlpha), packet.subarray(...behindAlpha)),
    );
    return hop.kind;
  });
});

Deno.test(`recoverMessage() and recoverReply() take none of ${PAYLOADS} payloads that were changed on their way`, () => {
  const drawn = drawRoute(2);
  const message = nodeProvider.random(900);
  const { surb, recovery } = createSurb(nodeProvider, drawn);
  const crypto = remembering(nodeProvider);
  const packets = [
    createPacket(crypto, COMPACT, drawn, message),
    replyPacket(crypto, COMPACT, surb, message).packet,
  ];
  const recovers = [
    recoverMessage,
    (payload: Uint8Array) => recoverReply(crypto, recovery, payload),
  ];
  const travel = (packet: Uint8Array, change?: (packet: Uint8Array) => void) =>
    drawn.privateKeys.reduce((bytes, privateKey) => {
      const hop = unwrap(crypto, { packet: bytes, privateKey });
      if (hop.kind === "final") return hop.payload;
      change?.(hop.packet);
      return hop.packet;
    }, packet);
  for (const [i, packet] of packets.entries()) {
    assertEquals(recovers[i]!(travel(packet)), message);
  }
  const random = generator(34);
  run("changed payloads", PAYLOADS, ["payload"], (i) => {
    const flip = (packet: Uint8Array) => {
      const at = HEADER_LENGTH + random(COMPACT.payloadLength);
      packet[at]! ^= 1 << random(8);
    };
    const which = random(2);
    const packet = packets[which]!.slice();
    if (i % 2) flip(packet);
    const payload = travel(packet, i % 2 ? undefined : flip);
    return recovers[which]!(payload).toHex();
  });
});

/** Counts what `attempt` comes to; nothing but what is expected comes, and all of that does. */
function run(
  what: string,
  total: number,
  expected: readonly string[],
  attempt: (i: number) => string,
): void {
  const counts: Counts = new Map(expected.map((outcome) => [outcome, 0]));
  const startedAtMs = performance.now();
  for (let i = 0; i < total; i++) {
    const outcome = outcomeOf(() => attempt(i));
    counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  }
  const seconds = ((performance.now() - startedAtMs) / 1_000).toFixed(1);
  const list = [...counts].map(([outcome, n]) => `${outcome} ${n}`).join(", ");
  report(`${total} ${what} in ${seconds} s: ${list}`);
  assertEquals([...counts.keys()], expected);
  for (const [outcome, n] of counts) assert(n > 0, outcome);
}

function outcomeOf(attempt: () => string): string {
  try {
    return attempt();
  } catch (error) {
    if (error instanceof SphinxError) return error.code;
    throw error;
  }
}

function unwrap(crypto: CryptoProvider, { packet, privateKey }: Arrival) {
  return unwrapPacket(crypto, COMPACT, privateKey, packet);
}

/** A packet at each hop of a route of `hops`. */
function arrivalsOf(hops: number): Arrival[] {
  const drawn = drawRoute(hops);
  let packet: Uint8Array = createPacket(
    nodeProvider,
    COMPACT,
    drawn,
    nodeProvider.random(1_000),
  );
  return drawn.privateKeys.map((privateKey) => {
    const arrival = { packet, privateKey };
    const hop = unwrap(nodeProvider, arrival);
    if (hop.kind === "forward") packet = hop.packet;
    return arrival;
  });
}

/** One change of MAC or beta; once in 64, of alpha. */
function changeHeader(packet: Uint8Array, random: Random): void {
  const inAlpha = random(64) === 0;
  const at = inAlpha ? random(32) : 32 + random(HEADER_LENGTH - 32);
  switch (random(4)) {
    case 0:
      packet[at] = packet[at]! + 1 + random(255);
      break;
    case 1: {
      const end = inAlpha ? 32 : HEADER_LENGTH;
      packet.fill(random(2) * 255, random(4) ? at : 0, end);
      break;
    }
    default:
      packet[at]! ^= 1 << random(8);
  }
}

/**
 * `crypto` that computes the first 64 X25519 secrets and HKDFs once: a change behind alpha leaves them as they are, and they are
 * most of the work.
 */
function remembering(crypto: CryptoProvider): CryptoProvider {
  const secrets = new Map<string, Uint8Array>();
  const expansions = new Map<string, Uint8Array>();
  const once = (
    known: Map<string, Uint8Array>,
    key: string,
    compute: () => Uint8Array,
  ) => {
    const result = known.get(key) ?? compute();
    if (known.size < 64) known.set(key, result);
    return result.slice();
  };
  return {
    ...crypto,
    hkdf: (name, ikm, salt, info, length) =>
      once(
        expansions,
        `${length} ${ikm.toHex()}`,
        () => crypto.hkdf(name, ikm, salt, info, length),
      ),
    x25519: {
      ...crypto.x25519,
      sharedSecret: (privateKey, publicKey) =>
        once(
          secrets,
          privateKey.toHex() + publicKey.toHex(),
          () => crypto.x25519.sharedSecret(privateKey, publicKey),
        ),
    },
  };
}
