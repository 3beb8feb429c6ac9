import {
  assert,
  assertEquals,
  assertNotEquals,
  assertThrows,
} from "@std/assert";
import { nodeProvider } from "../../src/core/crypto/mod.ts";
import {
  decodeClientHello,
  drawOffer,
  EXTENSION,
  extensionOf,
  GROUP,
  isGrease,
  type Offer,
  profileOf,
  retryOffer,
} from "../../src/utls/mod.ts";
import { keySharesOf } from "../../src/utls/extension_data.ts";
import { flows, messageOf, pskOf } from "./_chrome_captures.ts";
import { profileWithout } from "./_profile_json.ts";
import { drawsOf, shareOf } from "./_scripted_draws.ts";

const crypto = nodeProvider;

Deno.test("retryOffer() makes the second hellos of Chromium 156 byte for byte, resumption included", () => {
  const retried = flows()["hrr-p384"]!.filter(({ hellos }) =>
    hellos.length === 2
  );
  assertEquals(
    retried.map(({ hellos }) => pskOf(messageOf(hellos[1]!)) !== undefined),
    [false, false, true],
  );
  for (const { hellos, client_records_type_ver_len: records } of retried) {
    const [first, second] = hellos.map(messageOf);
    const offer = reproduce(first!);
    const { psk, unbound } = pskOf(second!) ?? {};
    const key = new Map(keySharesOf(decodeClientHello(second!))).get(
      GROUP.p384,
    )!;
    using retry = retryOffer(offer, {
      crypto,
      group: GROUP.p384,
      keyShare: (group) => shareOf(group, key),
      ...psk && { psk },
    });
    assertEquals(retry.message.toHex(), (unbound ?? second!).toHex());
    const { record } = profileOf(156);
    assertEquals(
      records.filter(([type]) => type === 22).map(([_, version]) =>
        parseInt(version, 16)
      ),
      [record.hello, record.retry],
    );
  }
});

function reproduce(message: Uint8Array): Offer {
  const profile = profileOf(156);
  const { psk } = pskOf(message) ?? {};
  const draws = drawsOf(profile, decodeClientHello(message));
  return drawOffer(profile, { ...draws, ...psk && { psk } });
}

Deno.test("retryOffer() echoes the cookie at the place the permutation gave it", () => {
  const places = new Set<number>();
  for (let i = 0; i < 100; i++) {
    const offer = drawOffer(profileOf(156), {
      crypto,
      keyShare: tinyShare,
      serverName: "a.example",
    });
    const cookie = Uint8Array.of(1, 2, 3);
    using retry = retryOffer(offer, { crypto, cookie });
    assertEquals(
      extensionOf(retry.hello, EXTENSION.cookie),
      Uint8Array.of(0, 3, 1, 2, 3),
    );
    const types = retry.hello.extensions!.map(({ type }) => type);
    places.add(types.indexOf(EXTENSION.cookie));
    assertEquals(
      types.filter((type) => type !== EXTENSION.cookie),
      offer.hello.extensions!.map(({ type }) => type),
    );
  }
  assertEquals(places.has(0) || places.has(19), false);
  assert(places.size > 12);
});

Deno.test("retryOffer() puts the cookie of 106 between supported_versions and compress_certificate", () => {
  const offer = drawOffer(profileOf(106), { crypto, serverName: "a.example" });
  using retry = retryOffer(offer, {
    crypto,
    group: GROUP.p256,
    cookie: Uint8Array.of(1),
  });
  const types = retry.hello.extensions!.map(({ type }) => type);
  assertEquals(types.slice(-5, -1), [43, 44, 27, 17513]);
});

Deno.test("retryOffer() keeps all but the key share, without padding, and offers a real key", () => {
  const offer = drawOffer(profileOf(106), {
    crypto,
    serverName: "www.example.com",
  });
  assertEquals(offer.message.length, 512);
  using retry = retryOffer(offer, { crypto, group: GROUP.p256 });
  const kept = ({ extensions = [] }: Offer["hello"]) =>
    extensions.filter(({ type }) =>
      type !== EXTENSION.keyShare && type !== EXTENSION.padding
    );
  assertEquals(kept(retry.hello), kept(offer.hello));
  assertEquals({ ...retry.hello, extensions: [] }, {
    ...offer.hello,
    extensions: [],
  });
  assertEquals(extensionOf(retry.hello, EXTENSION.padding), undefined);
  assertEquals(keySharesOf(retry.hello).map(([group]) => group), [GROUP.p256]);
  const [share] = retry.keyShares;
  const peer = crypto.p256.generateKeyPair();
  assertEquals(
    share!.sharedSecret(peer.publicKey),
    crypto.p256.sharedSecret(peer.privateKey, share!.publicKey),
  );
});

Deno.test("retryOffer() keeps the key shares when only a cookie is asked for, and drops the pre-shared key unless given", () => {
  const psk = {
    identity: Uint8Array.of(9),
    obfuscatedTicketAge: 1,
    binderLength: 32,
  };
  const offer = drawOffer(profileOf(156), { crypto, keyShare: tinyShare, psk });
  const cookie = Uint8Array.of(1);
  {
    using retry = retryOffer(offer, { crypto, cookie });
    assertEquals(retry.keyShares, offer.keyShares);
    assert(keySharesOf(retry.hello).map(([group]) => group).some(isGrease));
    assertEquals([
      extensionOf(retry.hello, EXTENSION.preSharedKey),
      retry.bindersLength,
    ], [undefined, 0]);
  }
  using retry = retryOffer(offer, {
    crypto,
    cookie,
    psk: { ...psk, obfuscatedTicketAge: 2 },
  });
  assertNotEquals(
    extensionOf(retry.hello, EXTENSION.preSharedKey),
    extensionOf(offer.hello, EXTENSION.preSharedKey),
  );
  assertEquals(retry.bindersLength, 35);
});

Deno.test("retryOffer() puts a cookie before a pre-shared key if the offer names no place for it", () => {
  const psk = {
    identity: Uint8Array.of(9),
    obfuscatedTicketAge: 1,
    binderLength: 32,
  };
  const offer = drawOffer(profileWithout(156, "cookie"), {
    crypto,
    keyShare: tinyShare,
  });
  using retry = retryOffer(offer, { crypto, cookie: Uint8Array.of(1), psk });
  assertEquals(retry.hello.extensions!.slice(-2).map(({ type }) => type), [
    44,
    41,
  ]);
});

Deno.test("retryOffer() wipes the first key shares when it makes another", () => {
  let wiped = 0;
  const offer = drawOffer(profileOf(156), {
    crypto,
    keyShare: (group) => ({
      ...tinyShare(group),
      [Symbol.dispose]: () => void wiped++,
    }),
  });
  using _retry = retryOffer(offer, { crypto, group: GROUP.p384 });
  assertEquals(wiped, 2);
});

Deno.test("retryOffer() refuses a cookie that its length field cannot say", () => {
  const offer = drawOffer(profileOf(156), { crypto, keyShare: tinyShare });
  assertThrows(
    () => retryOffer(offer, { crypto, cookie: new Uint8Array(65_536) }),
    RangeError,
  );
});

function tinyShare(group: typeof GROUP[keyof typeof GROUP]) {
  return shareOf(group, Uint8Array.of(1));
}
