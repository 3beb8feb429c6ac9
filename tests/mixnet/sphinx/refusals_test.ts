import { assert, assertEquals } from "@std/assert";
import { concat } from "../../../src/core/bytes/mod.ts";
import {
  type CryptoProvider,
  generateX25519,
  nobleProvider,
  nodeProvider,
} from "../../../src/core/crypto/mod.ts";
import {
  COMPACT,
  createPacket,
  SphinxError,
  unwrapPacket,
  type Unwrapped,
} from "../../../src/mixnet/mod.ts";
import { drawRoute } from "./_draw.ts";
import {
  forgedHeader,
  sealedHeader,
  type Slot,
  slotBytes,
} from "./_forged_header.ts";

const node = generateX25519(nodeProvider);
const privateKey = node.privateKey.expose();
const payload = new Uint8Array(COMPACT.payloadLength);

/** 2^255 − 19. */
const P = 2n ** 255n - 19n;

Deno.test("unwrapPacket() drops routing flags other than forward and final", () => {
  for (const flag of [0, 3, 0x81, 255]) assertEquals(said({ flag }), "flag");
  for (const flag of [1, 2]) assert(typeof said({ flag }) === "object");
});

Deno.test("unwrapPacket() drops every version but 259 and 260, whatever the flag", () => {
  for (const version of [0, 1, 257, 258, 261, 0x0103_00, 0x0101_03]) {
    for (const flag of [1, 2, 3]) {
      assertEquals(said({ version, flag }), "version");
    }
  }
});

Deno.test("unwrapPacket() takes delays to 2^53 - 1 ns and drops longer ones", () => {
  for (const delayNs of [0n, 1n, 2n ** 53n - 1n]) {
    const hop = said({ delayNs });
    assert(typeof hop === "object" && hop.kind === "forward");
    assertEquals(hop.delayNs, Number(delayNs));
  }
  for (const delayNs of [2n ** 53n, 2n ** 63n, 2n ** 64n - 1n]) {
    assertEquals(said({ delayNs }), "delay");
  }
});

for (const crypto of [nodeProvider, nobleProvider]) {
  Deno.test(`${crypto.name}: a header that anybody can make, under the zero secret of a weak point, is dropped`, () => {
    const zero = new Uint8Array(32);
    for (const u of weakPoints()) {
      for (const high of [0, 0x80]) {
        const alpha = littleEndian(u);
        alpha[31]! |= high;
        const header = sealedHeader(alpha, zero, slotBytes({}));
        assertEquals(outcome(crypto, header), "weak_point", alpha.toHex());
      }
    }
  });

  Deno.test(`${crypto.name}: a header whose point is not in its shortest form has the tag of the shortest`, () => {
    for (const u of [2n, 3n, 9n, 18n]) { // u + p is below 2^255
      const shared = crypto.x25519.sharedSecret(privateKey, littleEndian(u));
      const tags = [u, u + P, u + 2n ** 255n, u + P + 2n ** 255n].map(
        (form) => {
          const header = sealedHeader(
            littleEndian(form),
            shared,
            slotBytes({}),
          );
          const hop = outcome(crypto, header);
          assert(typeof hop === "object");
          return hop.replayTag.toHex();
        },
      );
      assertEquals(new Set(tags).size, 1);
    }
  });
}

Deno.test("the replay tag is that of the shared secret: the same however often, and whatever the payload", () => {
  const drawn = drawRoute(2);
  const [key] = drawn.privateKeys;
  const packet = createPacket(nodeProvider, COMPACT, drawn, payload.slice(500));
  const tag = (bytes: Uint8Array) =>
    unwrapPacket(nodeProvider, COMPACT, key!, bytes).replayTag.toHex();
  const changed = packet.with(1_000, packet[1_000]! ^ 1);
  assertEquals(
    new Set([tag(packet), tag(packet), tag(changed)]).size,
    1,
  );
});

Deno.test("unwrapPacket() touches no payload before the header is right", () => {
  let payloads = 0;
  const crypto: CryptoProvider = {
    ...nodeProvider,
    blake2bMac(...args) {
      payloads++;
      return nodeProvider.blake2bMac(...args);
    },
  };
  for (const slot of [{ flag: 0 }, { version: 258 }, { delayNs: 2n ** 60n }]) {
    const header = forgedHeader(node.publicKey, slotBytes(slot));
    assertEquals(typeof outcome(crypto, header), "string");
    const otherMac = header.with(32, header[32]! ^ 1);
    assertEquals(outcome(crypto, otherMac), "mac");
  }
  assertEquals(payloads, 0);
  outcome(crypto, forgedHeader(node.publicKey, slotBytes({})));
  assertEquals(payloads, 2);
});

function said(slot: Slot): string | Unwrapped {
  return outcome(nodeProvider, forgedHeader(node.publicKey, slotBytes(slot)));
}

/** What the node makes of a packet, or why it drops it. */
function outcome(
  crypto: CryptoProvider,
  header: Uint8Array,
): string | Unwrapped {
  try {
    return unwrapPacket(crypto, COMPACT, privateKey, concat(header, payload));
  } catch (error) {
    if (error instanceof SphinxError) return error.code;
    throw error;
  }
}

/** The points of order 1, 2, 4 and 8 of the curve and its twist, in every form below 2^255. */
function weakPoints(): bigint[] {
  const order8 = [
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
  ].map((hex) => BigInt(`0x${Uint8Array.fromHex(hex).reverse().toHex()}`));
  return [0n, 1n, P - 1n, P, P + 1n, ...order8];
}

function littleEndian(u: bigint): Uint8Array {
  return Uint8Array.fromHex(u.toString(16).padStart(64, "0")).reverse();
}
