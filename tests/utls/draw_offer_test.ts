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
  type Group,
  ja3,
  ja3n,
  ja4,
  type Offer,
  type OfferedPsk,
  type Profile,
  profileOf,
  profileVersions,
} from "../../src/utls/mod.ts";
import {
  type Capture,
  captures,
  flows,
  messageOf,
  pskOf,
} from "./_chrome_captures.ts";
import { profileWithout } from "./_profile_json.ts";
import { drawsOf, greaseOf, shareOf } from "./_scripted_draws.ts";

const NAME = "www.example.com";
const PSK: OfferedPsk = {
  identity: new Uint8Array(240).fill(7),
  obfuscatedTicketAge: 0x01020304,
  binderLength: 48,
};

/** The profile a captured build follows: without trials it may be that of an older family (tls.md, end of section 1). */
function profileOfBuild({ version, file }: Capture): Profile {
  if (version === 110 || version === 133) {
    return profileOf(version - 1 - version % 2);
  }
  return version === 152 && file.startsWith("headless_shell")
    ? profileWithout(152, "trustAnchors")
    : profileOf(version);
}

for (const capture of captures()) {
  const profile = profileOfBuild(capture);
  Deno.test(`drawOffer() makes the hellos of ${capture.file} byte for byte when it draws what was drawn`, () => {
    assert(capture.full.length >= 3 && capture.psk.length >= 2);
    for (const captured of [...capture.full, ...capture.psk]) {
      assertReproduced(profile, messageOf(captured));
    }
  });
}

Deno.test("drawOffer() makes the hellos of pages, WebSockets and IP addresses of Chromium 156 byte for byte", () => {
  const profile = profileOf(156);
  const all = flows();
  for (const kind of ["h2-normal", "wss", "ip-no-sni", "hrr-p384"]) {
    assert(all[kind]!.length >= 3);
    for (const { hellos } of all[kind]!) {
      assertReproduced(profile, messageOf(hellos[0]!));
    }
  }
});

function assertReproduced(profile: Profile, message: Uint8Array): void {
  const hello = decodeClientHello(message);
  const { psk, unbound } = pskOf(message) ?? {};
  const draws = drawsOf(profile, hello);
  using offer = drawOffer(profile, { ...draws, ...psk && { psk } });
  assertEquals(offer.message.toHex(), (unbound ?? message).toHex());
  assertEquals(offer.hello, decodeClientHello(unbound ?? message));
  assertEquals(offer.bindersLength, psk ? psk.binderLength + 3 : 0);
  assertEquals(draws.unused(), 0);
}

const SUITES = "8daaf6152771";
/** JA4 without the cipher part of full hello, then with a pre-shared key (tls.md section 1). */
const JA4: readonly (readonly [first: number, full: string, psk: string])[] = [
  [106, "t13d1516h2 e5627efa2ab1", "t13d1516h2 9b887d9acb53"],
  [119, "t13d1516h2 02713d6af862", "t13d1517h2 b0da82dd1658"],
  [133, "t13d1516h2 d8a2da3f94cd", "t13d1517h2 b6f405a00624"],
  [150, "t13d1516h2 806a8c22fdea", "t13d1517h2 a87ad97598a9"],
  [152, "t13d1517h2 cb7bf5808d99", "t13d1518h2 e2d80978ab2e"],
];

Deno.test("drawOffer() gives the published JA4 of every version, with and without a pre-shared key", () => {
  for (const version of profileVersions()) {
    const [_, full, psk] = JA4.findLast(([first]) => first <= version)!;
    for (
      const [expected, options] of [[full, {}], [psk, { psk: PSK }]] as const
    ) {
      const [a, c] = expected.split(" ");
      assertEquals(
        ja4Of(version, { serverName: `${NAME}.of.some.length`, ...options }),
        `${a}_${SUITES}_${c}`,
      );
    }
  }
});

Deno.test("drawOffer() gives the published JA4 of WebSockets and IP addresses of 156", () => {
  const websocket = { serverName: NAME, variant: "websocket" } as const;
  assertEquals(ja4Of(156, websocket), "t13d1516h1_8daaf6152771_5b37b36a67c0");
  assertEquals(
    ja4Of(156, { ...websocket, psk: PSK }),
    "t13d1517h1_8daaf6152771_c4a234726a38",
  );
  for (const serverName of ["192.0.2.7", "2001:db8::1", undefined]) {
    assertEquals(
      ja4Of(156, serverName === undefined ? {} : { serverName }),
      "t13i1516h2_8daaf6152771_cb7bf5808d99",
    );
  }
});

/** JA3N from the first version on, of a full hello (tls.md section 1). */
const JA3N: readonly (readonly [first: number, full: string])[] = [
  [106, "aa56c057ad164ec4fdcb7a5a283be9fc"],
  [119, "473f0e7c0b6a0f7b049072f4e683068b"],
  [124, "4c9ce26028c11d7544da00d3f7e4f45c"],
  [131, "dee19b855b658c6aa0f575eda2525e19"],
  [133, "8e19337e7524d2573be54efb2b0784c9"],
  [152, "bd4930bd9b000ee684830e44bab76fdf"],
];

Deno.test("drawOffer() gives the published JA3N of every version", () => {
  for (const version of profileVersions()) {
    const [_, expected] = JA3N.findLast(([first]) => first <= version)!;
    // A longer name keeps hellos of 119 to 123 clear of the padding.
    using offer = draw(version, { serverName: `${NAME}.of.some.length` });
    assertEquals(ja3n(offer.hello), expected, `${version}`);
  }
  using resumed = draw(156, { serverName: NAME, psk: PSK });
  assertEquals(ja3n(resumed.hello), "fc2a28e7510947164c2a939bf8fd762d");
});

Deno.test("drawOffer() gives the JA3 of the fixed order of 106", () => {
  using full = draw(106, { serverName: NAME });
  using resumed = draw(106, { serverName: NAME, psk: PSK });
  assertEquals(ja3(full.hello), "cd08e31494f9531f560d64c695473da9");
  assertEquals(ja3(resumed.hello), "598872011444709307b861ae817a4b60");
});

Deno.test("drawOffer() pads 119 to 123 to 512 bytes when the ECH payload is short, which gives their second JA4", () => {
  const seen = new Set<string>();
  for (let i = 0; i < 64; i++) {
    using offer = draw(121, { serverName: NAME });
    const padding = extensionOf(offer.hello, EXTENSION.padding);
    assertEquals(padding !== undefined, offer.message.length === 512);
    assertEquals(padding?.every((byte) => byte === 0) ?? true, true);
    seen.add(ja4(offer.hello));
  }
  assertEquals([...seen].sort(), [
    "t13d1516h2_8daaf6152771_02713d6af862",
    "t13d1517h2_8daaf6152771_b1ff8ab2d16f",
  ]);
});

Deno.test("drawOffer() pads messages of 256 to 511 bytes, by one byte at least, and no others", () => {
  const profile = profileWithout(106, "signatureAlgorithms");
  const draw = (...alpn: string[]) =>
    drawOffer(profile, { crypto: nodeProvider, keyShare: noShare, alpn });
  const rest = withoutPadding(draw("x")) - 1;
  const lengths = (length: number) => {
    const filler = length - rest;
    using offer = filler < 256
      ? draw("x".repeat(filler))
      : draw("x".repeat(99), "x".repeat(filler - 100));
    const padding = extensionOf(offer.hello, EXTENSION.padding);
    return [withoutPadding(offer), offer.message.length, padding?.length];
  };
  assertEquals(lengths(255), [255, 255, undefined]);
  assertEquals(lengths(256), [256, 512, 252]);
  assertEquals(lengths(507), [507, 512, 1]);
  assertEquals(lengths(508), [508, 513, 1]);
  assertEquals(lengths(511), [511, 516, 1]);
  assertEquals(lengths(512), [512, 512, undefined]);
});

function withoutPadding({ message, hello }: Offer): number {
  const padding = extensionOf(hello, EXTENSION.padding);
  return message.length - (padding ? 4 + padding.length : 0);
}

Deno.test("drawOffer() orders suites and seals ECH as a CPU without AES instructions when told so", () => {
  using offer = draw(156, { serverName: NAME, aesHardware: false });
  assertEquals(offer.hello.cipherSuites.slice(1, 6), [
    0x1303,
    0x1301,
    0x1302,
    0xcca9,
    0xcca8,
  ]);
  assertEquals(
    extensionOf(offer.hello, EXTENSION.encryptedClientHello)!.subarray(0, 5),
    Uint8Array.of(0, 0, 1, 0, 3),
  );
  assertEquals(ja4(offer.hello), "t13d1517h2_8daaf6152771_cb7bf5808d99");
});

Deno.test("drawOffer() offers the protocols of alpn, ALPS only with h2 among them, and no ALPN for none", () => {
  const offered = (alpn: string[]) => {
    using offer = draw(156, { serverName: NAME, alpn });
    return [EXTENSION.alpn, EXTENSION.applicationSettings].map((type) =>
      extensionOf(offer.hello, type)?.toHex()
    );
  };
  assertEquals(offered(["h2"]), ["0003026832", "0003026832"]);
  assertEquals(offered(["http/1.1"]), ["000908687474702f312e31", undefined]);
  assertEquals(offered([]), [undefined, undefined]);
});

Deno.test("drawOffer() sends the name as the host of a URL, and none for an address", () => {
  const sent = (serverName: string) => {
    using offer = draw(156, { serverName });
    return extensionOf(offer.hello, EXTENSION.serverName)?.toHex();
  };
  for (const name of ["example.com", "example.com.", "EXAMPLE.com"]) {
    assertEquals(sent(name), "000e00000b6578616d706c652e636f6d");
  }
  assertEquals(sent("[::1]"), undefined);
  assertThrows(() => sent("example.com:443"), TypeError);
});

Deno.test("drawOffer() keeps two different GREASE extensions when both seeds are the same", () => {
  const profile = profileOf(156);
  const crypto = {
    ...nodeProvider,
    random: (length: number) => new Uint8Array(length).fill(0x4f),
  };
  using offer = drawOffer(profile, { crypto, keyShare: noShare });
  const { firstExtension, lastExtension, cipher } = greaseOf(offer.hello);
  assertEquals([firstExtension, lastExtension, cipher], [
    0x4a4a,
    0x5a5a,
    0x4a4a,
  ]);
});

Deno.test("drawOffer() makes fresh, separate keys, whose private halves agree", () => {
  const crypto = nodeProvider;
  using offer = drawOffer(profileOf(156), { crypto, serverName: NAME });
  assertEquals(offer.keyShares.map(({ group }) => group), [
    GROUP.x25519MlKem768,
    GROUP.x25519,
  ]);
  const [hybrid, classic] = offer.keyShares;
  assertNotEquals(hybrid!.publicKey.subarray(1184), classic!.publicKey);
  const peer = crypto.random(32);
  assertEquals(
    classic!.sharedSecret(crypto.x25519.publicKey(peer)),
    crypto.x25519.sharedSecret(peer, classic!.publicKey),
  );
  const { ciphertext, sharedSecret } = crypto.mlKem768.encapsulate(
    hybrid!.publicKey.subarray(0, 1184),
  );
  const answer = new Uint8Array([
    ...ciphertext,
    ...crypto.x25519.publicKey(peer),
  ]);
  assertEquals(
    hybrid!.sharedSecret(answer),
    new Uint8Array([
      ...sharedSecret,
      ...crypto.x25519.sharedSecret(peer, hybrid!.publicKey.subarray(1184)),
    ]),
  );
});

Deno.test("drawOffer() wipes the key shares when it is disposed", () => {
  let wiped = 0;
  {
    using offer = drawOffer(profileOf(156), {
      crypto: nodeProvider,
      keyShare: (group) => ({
        ...shareOf(group, new Uint8Array(32)),
        [Symbol.dispose]: () => void wiped++,
      }),
    });
    assertEquals([offer.keyShares.length, wiped], [2, 0]);
  }
  assertEquals(wiped, 2);
});

function draw(
  version: number,
  options: Partial<Parameters<typeof drawOffer>[1]>,
) {
  return drawOffer(profileOf(version), {
    crypto: nodeProvider,
    keyShare: noShare,
    ...options,
  });
}

function ja4Of(
  version: number,
  options: Partial<Parameters<typeof drawOffer>[1]>,
): string {
  using offer = draw(version, options);
  return ja4(offer.hello);
}

function noShare(group: Group) {
  const length = group === GROUP.x25519 ? 32 : 1216;
  return shareOf(group, new Uint8Array(length));
}

Deno.test("drawOffer() wipes the key shares when the hello cannot be encoded", () => {
  let wiped = 0;
  const keyShare = (group: Group) => ({
    ...noShare(group),
    [Symbol.dispose]: () => void wiped++,
  });
  const psk = { ...PSK, identity: new Uint8Array(65_536) };
  assertThrows(() => draw(156, { keyShare, psk }), RangeError);
  assertEquals(wiped, 2);
});
