import { assert, assertEquals } from "@std/assert";
import { nodeProvider } from "../../src/core/crypto/mod.ts";
import {
  type ClientHello,
  compareHello,
  decodeClientHello,
  differencesFrom,
  drawOffer,
  EXTENSION,
  extensionOf,
  profileOf,
  profileVersions,
  retryOffer,
} from "../../src/utls/mod.ts";
import { generator, mutate } from "../htx/_mutation.ts";
import { captures, flows, messageOf } from "./_chrome_captures.ts";

/** Families that make the same hellos, the newest first; HTTP/2 or header fields differ. */
const ALIKE = [
  ["107-109", "106"],
  ["117-118", "112-116", "110-111"],
  ["141-149", "133-140"],
];

/** The family a captured build is of; without trials 110, 133 and 152 are not of their own. */
function familyOf(version: number): string {
  if (version === 110) return "107-109";
  return profileOf(version === 133 ? 132 : version).family;
}

for (const { file, version, full, psk } of captures()) {
  if (version === 152) continue;
  Deno.test(`compareHello() names the family of ${file} for all its hellos`, () => {
    const family = familyOf(version);
    const alike = ALIKE.find((names) => names.includes(family)) ?? [family];
    for (const captured of [...full, ...psk]) {
      const matches = compareHello(decodeClientHello(messageOf(captured)));
      const nearest = matches.slice(0, alike.length);
      assertEquals(nearest.map(({ profile }) => profile.family), alike);
      assertEquals(nearest.every(({ distance }) => distance === 0), true);
      assertEquals(
        matches.map(({ distance }) => distance),
        matches.map(({ distance }) => distance).sort((a, b) => a - b),
      );
    }
  });
}

Deno.test("compareHello() says that the captured 152 without trials lacks trust_anchors", () => {
  const { full } = captures().find(({ version }) => version === 152)!;
  const [best] = compareHello(decodeClientHello(messageOf(full[0]!)));
  assertEquals([best!.profile.family, best!.distance], ["154-156", 1]);
  assertEquals(best!.differences, [{
    part: "trustAnchors",
    expected: "present",
    found: "absent",
  }]);
});

Deno.test("compareHello() takes pages, WebSockets, IP addresses and both hellos of a retry for Chromium 156", () => {
  for (const connections of Object.values(flows())) {
    for (const { hellos } of connections) {
      for (const captured of hellos) {
        const hello = decodeClientHello(messageOf(captured));
        // One tls12-only hello resumes TLS 1.2 by a ticket, which profiles do not make.
        const tickets = extensionOf(hello, EXTENSION.sessionTicket)!.length;
        const differences = differencesFrom(profileOf(156), hello);
        assertEquals(
          differences.map(({ part }) => part),
          tickets > 0 ? ["sessionTicket"] : [],
        );
      }
    }
  }
});

Deno.test("differencesFrom() finds none in what the profile draws", () => {
  for (const version of profileVersions()) {
    for (const aesHardware of [true, false]) {
      const profile = profileOf(version);
      const crypto = nodeProvider;
      const offer = drawOffer(profile, {
        crypto,
        aesHardware,
        serverName: "www.example.com",
      });
      assertEquals(differencesFrom(profile, offer.hello), []);
      using retry = retryOffer(offer, {
        crypto,
        group: 0x0018,
        cookie: Uint8Array.of(1),
      });
      assertEquals(differencesFrom(profile, retry.hello), []);
    }
  }
});

type Change = (hello: ClientHello) => ClientHello;

/** Faults of imitations seen in the wild (tls.md section 0), and what they are found as. */
const FAULTS: readonly (readonly [
  fault: string,
  version: number,
  parts: string[],
  Change,
])[] = [
  [
    "an old legacy_version",
    156,
    ["legacy_version"],
    (hello) => ({ ...hello, legacyVersion: 0x0301 }),
  ],
  [
    "no session id",
    156,
    ["legacy_session_id"],
    (hello) => ({ ...hello, sessionId: new Uint8Array(0) }),
  ],
  [
    "another suite",
    156,
    ["cipher_suites"],
    (hello) => ({ ...hello, cipherSuites: hello.cipherSuites.slice(0, -1) }),
  ],
  [
    "another compression",
    156,
    ["legacy_compression_methods"],
    (hello) => ({ ...hello, compressionMethods: Uint8Array.of(1, 0) }),
  ],
  [
    "ChaCha20 ECH behind AES suites",
    156,
    ["encryptedClientHello"],
    edit(EXTENSION.encryptedClientHello, (data) => data[4] = 3),
  ],
  [
    "an ECH key that is none",
    156,
    ["encryptedClientHello"],
    edit(EXTENSION.encryptedClientHello, (data) => data[39]! |= 0x80),
  ],
  [
    "an ECH payload of another length",
    156,
    ["encryptedClientHello"],
    (hello) => resize(hello, EXTENSION.encryptedClientHello),
  ],
  [
    "one X25519 key in two shares",
    156,
    ["keyShare"],
    edit(
      EXTENSION.keyShare,
      (data) => data.set(data.slice(-32), data.length - 68),
    ),
  ],
  [
    "key share GREASE of its own",
    156,
    ["keyShare"],
    edit(
      EXTENSION.keyShare,
      (data) => data.set([data[2]! ^ 0x10, data[3]! ^ 0x10], 2),
    ),
  ],
  [
    "random bytes for an ML-KEM key",
    156,
    ["keyShare"],
    edit(EXTENSION.keyShare, (data) => data.fill(0xff, 11, 11 + 1_184)),
  ],
  [
    "a key share of zeros",
    156,
    ["keyShare"],
    edit(EXTENSION.keyShare, (data) => data.fill(0, -32)),
  ],
  [
    "a key share GREASE byte that is not 0",
    156,
    ["keyShare"],
    edit(EXTENSION.keyShare, (data) => data[6] = 0x55),
  ],
  [
    "a retried key share that is no point",
    156,
    ["keyShare"],
    (hello) =>
      replace(hello, EXTENSION.keyShare, `004500170041${"00".repeat(65)}`),
  ],
  [
    "an ECH key of zeros",
    156,
    ["encryptedClientHello"],
    edit(EXTENSION.encryptedClientHello, (data) => data.fill(0, 8, 40)),
  ],
  [
    "a last GREASE extension with another byte",
    156,
    ["GREASE"],
    (hello) =>
      edited(hello, hello.extensions!.length - 1, { data: Uint8Array.of(1) }),
  ],
  [
    "a server name that does not decode",
    156,
    ["serverName"],
    (hello) => replace(hello, EXTENSION.serverName, "010203"),
  ],
  ...["192.0.2.1", "Example.com", "a b"].map((name): typeof FAULTS[number] => [
    `the server name ${name}`,
    156,
    ["serverName"],
    (hello) => replace(hello, EXTENSION.serverName, serverName(name)),
  ]),
  [
    "an empty cookie",
    156,
    ["cookie"],
    (hello) => added(hello, EXTENSION.cookie, "0000"),
  ],
  [
    "a pre-shared key that does not decode",
    156,
    ["preSharedKey"],
    (hello) => added(hello, EXTENSION.preSharedKey, "0909", 0),
  ],
  [
    "a pre-shared key without identity",
    156,
    ["preSharedKey"],
    (hello) => added(hello, EXTENSION.preSharedKey, "00000000", 0),
  ],
  [
    "a pre-shared key with a short binder",
    156,
    ["preSharedKey"],
    (hello) =>
      added(
        hello,
        EXTENSION.preSharedKey,
        "0007000107" + "00000000" + "00020101",
        0,
      ),
  ],
  [
    "no GREASE among signature algorithms",
    156,
    ["signatureAlgorithms"],
    edit(EXTENSION.signatureAlgorithms, (data) => data.set([4, 3], 2)),
  ],
  ["a signature algorithm list that does not decode", 156, [
    "signatureAlgorithms",
  ], edit(EXTENSION.signatureAlgorithms, (data) => data[1]! ^= 1)],
  [
    "the older ALPS",
    156,
    ["applicationSettings", "applicationSettingsOld"],
    retype(EXTENSION.applicationSettings, EXTENSION.applicationSettingsOld),
  ],
  [
    "ALPS without h2",
    156,
    ["applicationSettings"],
    (hello) => replace(hello, EXTENSION.alpn, "000908687474702f312e31"),
  ],
  [
    "h3 in ALPN",
    156,
    ["alpn"],
    (hello) =>
      replace(hello, EXTENSION.alpn, "000f02683308687474702f312e31026832"),
  ],
  [
    "one GREASE extension type twice",
    156,
    ["GREASE"],
    (hello) =>
      edited(hello, hello.extensions!.length - 1, {
        type: hello.extensions![0]!.type,
      }),
  ],
  [
    "an extension moved behind the last GREASE",
    156,
    ["order"],
    (hello) => ({
      ...hello,
      extensions: [
        ...hello.extensions!.toSpliced(1, 1),
        hello.extensions![1]!,
      ],
    }),
  ],
  [
    "an extension twice",
    156,
    ["order"],
    (hello) => ({
      ...hello,
      extensions: hello.extensions!.toSpliced(1, 0, hello.extensions![1]!),
    }),
  ],
  [
    "a permuted order of 106",
    106,
    ["order"],
    (hello) => ({ ...hello, extensions: swapped(hello.extensions!) }),
  ],
  [
    "no padding where due",
    106,
    ["padding"],
    (hello) => ({ ...hello, extensions: hello.extensions!.slice(0, -1) }),
  ],
  [
    "padding that is not zero",
    106,
    ["padding"],
    edit(EXTENSION.padding, (data) => data[5] = 1),
  ],
];

for (const [fault, version, parts, change] of FAULTS) {
  Deno.test(`differencesFrom() finds ${fault}`, () => {
    using offer = drawOffer(profileOf(version), {
      crypto: nodeProvider,
      serverName: "www.example.com",
    });
    const found = differencesFrom(profileOf(version), change(offer.hello));
    assertEquals(found.map(({ part }) => part), parts);
    for (const { expected, found: text } of found) assert(expected !== text);
  });
}

function edited(
  hello: ClientHello,
  at: number,
  change: Partial<NonNullable<ClientHello["extensions"]>[number]>,
): ClientHello {
  return {
    ...hello,
    extensions: hello.extensions!.with(at, {
      ...hello.extensions![at]!,
      ...change,
    }),
  };
}

function edit(type: number, change: (data: Uint8Array) => unknown): Change {
  return (hello) => {
    const at = hello.extensions!.findIndex((extension) =>
      extension.type === type
    );
    const data = hello.extensions![at]!.data.slice();
    change(data);
    return edited(hello, at, { data });
  };
}

function retype(from: number, to: number): Change {
  return (hello) =>
    edited(hello, hello.extensions!.findIndex(({ type }) => type === from), {
      type: to,
    });
}

function replace(hello: ClientHello, type: number, hex: string): ClientHello {
  return edited(
    hello,
    hello.extensions!.findIndex((extension) => extension.type === type),
    { data: Uint8Array.fromHex(hex) },
  );
}

/** A server_name of `name`, hex. */
function serverName(name: string): string {
  const bytes = new TextEncoder().encode(name);
  const { length } = bytes;
  return Uint8Array.of(0, length + 3, 0, 0, length, ...bytes).toHex();
}

/** An extension more, `fromEnd` places before the end. */
function added(
  hello: ClientHello,
  type: number,
  hex: string,
  fromEnd = 1,
): ClientHello {
  const { length } = hello.extensions!;
  const extension = { type, data: Uint8Array.fromHex(hex) };
  return {
    ...hello,
    extensions: hello.extensions!.toSpliced(length - fromEnd, 0, extension),
  };
}

/** One byte less of payload, lengths kept right. */
function resize(hello: ClientHello, type: number): ClientHello {
  const at = hello.extensions!.findIndex((extension) =>
    extension.type === type
  );
  const data = hello.extensions![at]!.data.slice(0, -1);
  data[41]!--;
  return edited(hello, at, { data });
}

function swapped<T>(list: readonly T[]): T[] {
  return list.with(2, list[3]!).with(3, list[2]!);
}

Deno.test("compareHello() takes hellos whose extensions are cut off or missing", () => {
  using offer = drawOffer(profileOf(156), { crypto: nodeProvider });
  const { extensions: all = [], ...bare } = offer.hello;
  assertEquals(compareHello(bare)[0]!.distance > 10, true);
  for (const [at, { data }] of all.entries()) {
    const hello = edited(offer.hello, at, { data: data.subarray(0, -1) });
    const distance = differencesFrom(profileOf(156), hello).length;
    assertEquals(distance > 0, data.length > 0);
  }
});

Deno.test("differencesFrom() takes any mutated extension", () => {
  const random = generator(156);
  using offer = drawOffer(profileOf(156), { crypto: nodeProvider });
  const { length } = offer.hello.extensions!;
  let different = 0;
  for (let i = 0; i < 4_000; i++) {
    const at = random(length);
    const data = mutate(offer.hello.extensions![at]!.data, random);
    const hello = edited(offer.hello, at, { data });
    different += differencesFrom(profileOf(156), hello).length > 0 ? 1 : 0;
  }
  assert(different > 2_000);
});
