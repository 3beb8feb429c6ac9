import {
  assert,
  assertEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import {
  type ClientHello,
  EXTENSION,
  isGrease,
  type LearnedHello,
  learnHelloRules,
  learnHttp2,
  learnProfile,
  parseProfile,
  profileFamilies,
  profileJson,
  profileOf,
  UtlsError,
} from "../../src/utls/mod.ts";
import { observedHellos, observedStart } from "./_observed_browser.ts";
import { type Fault, simulateHellos } from "./_simulated_browser.ts";
import { visibleRules } from "./_visible_rules.ts";

for (const profile of profileFamilies()) {
  Deno.test(`profileJson() writes what parseProfile() reads: ${profile.family}`, () => {
    assertEquals(
      parseProfile(JSON.parse(JSON.stringify(profileJson(profile)))),
      profile,
    );
  });

  Deno.test(`learnProfile() gives back the profile that hellos are drawn from: ${profile.family}`, () => {
    const learned = learnProfile(
      observedHellos(profile, profile.version),
      [observedStart(profile, 1), observedStart(profile, 2)],
      { build: `${profile.version}.0.1.2`, channel: "test" },
    );
    const { record, hello, http2, navigation } = learned;
    assertEquals(record, profile.record);
    assertEquals(http2, profile.http2);
    assertEquals(navigation, profile.navigation);
    assertEquals(hello, visibleRules(profile));
  });
}

Deno.test("learnProfile() says which extension it cannot explain", () => {
  refuses(
    "extension 27",
    (hello, i) =>
      edit(hello, EXTENSION.compressCertificate, (data) => data.with(2, i % 3)),
  );
});

Deno.test("learnHelloRules() refuses draws that are not even", () => {
  refuses(
    "place of extension",
    (hello, i) => i % 4 === 0 ? reordered(hello) : hello,
  );
  refuses("GREASE in cipher_suites", (hello, i) => ({
    ...hello,
    cipherSuites: hello.cipherSuites.with(0, i % 2 ? 0x0a0a : 0x1a1a),
  }));
});

Deno.test("learnHelloRules() refuses keys that come again", () => {
  const [{ hello: first }] = seen as [LearnedHello];
  const share = first.extensions!.find(({ type }) =>
    type === EXTENSION.keyShare
  )!;
  refuses(
    "hybrid ml_kem that comes again",
    (hello) =>
      edit(
        hello,
        EXTENSION.keyShare,
        (data) =>
          Uint8Array.from([
            ...data.subarray(0, 11),
            ...share.data.subarray(11),
          ]),
      ),
  );
});

Deno.test("learnHelloRules() refuses what a profile draws and the browser does not", () => {
  const [{ hello: first }] = seen as [LearnedHello];
  const ech = EXTENSION.encryptedClientHello;
  const of = (type: number) =>
    first.extensions!.find((each) => each.type === type)!.data;
  const set = (data: Uint8Array, part: Uint8Array, at: number) => {
    const copy = data.slice();
    copy.set(part, at);
    return copy;
  };
  const cases: Record<string, (hello: ClientHello) => ClientHello> = {
    "session_id that comes again": (hello) => ({
      ...hello,
      sessionId: first.sessionId,
    }),
    "random that comes again": (hello) => ({ ...hello, random: first.random }),
    "ech enc that comes again": (hello) =>
      edit(hello, ech, (data) => set(data, of(ech).slice(8, 40), 8)),
    "ech payload that comes again": (hello) =>
      edit(hello, ech, (data) => data.slice().fill(0, 42)),
    "ech enc that is no public key": (hello) =>
      edit(
        hello,
        ech,
        (data) => set(data, hello.random.map((byte) => byte ^ 0x55), 8),
      ),
    "ECH's config_id": (hello) => edit(hello, ech, (data) => data.with(5, 66)),
    "GREASE in config_id against cipher": (hello) =>
      edit(
        hello,
        ech,
        (data) =>
          data.with(5, hello.cipherSuites[0]! & 0xf0 | hello.random[0]! & 15),
      ),
    "GREASE in version against cipher": (hello) =>
      edit(
        hello,
        EXTENSION.supportedVersions,
        (data) => set(data, new Uint8Array(2).fill(hello.cipherSuites[0]!), 1),
      ),
    "GREASE in key_share and group": (hello) =>
      edit(
        hello,
        EXTENSION.keyShare,
        (data) =>
          set(data, new Uint8Array(2).fill(hello.random[0]! & 0xf0 | 0x0a), 2),
      ),
    "bits of session_id": (hello) => ({
      ...hello,
      sessionId: hello.sessionId.with(5, 7),
    }),
    "random like session_id": (hello) => ({
      ...hello,
      sessionId: hello.random.toReversed(),
    }),
  };
  for (const [what, change] of Object.entries(cases)) refuses(what, change);
});

Deno.test("learnHelloRules() refuses orders that are a little uneven everywhere, or of one parity", () => {
  const pages = (...faults: Fault[]) =>
    simulateHellos(800, 1, ...faults).map((hello, i): LearnedHello => ({
      kind: i < 8 ? "websocket" : "page",
      process: i % 2,
      aesHardware: true,
      recordVersion: 0x0301,
      hello,
    }));
  assertEquals(learnHelloRules(pages()).extensionOrder, "connection");
  for (const fault of ["biased shuffle", "even permutations"] as const) {
    const error = assertThrows(() => learnHelloRules(pages(fault)), UtlsError);
    assert(/order|place of extension/.test(error.message), error.message);
  }
});

Deno.test("learnHelloRules() takes a GREASE value that never changes for a constant", () => {
  const rules = learnHelloRules(seen.map((each) => ({
    ...each,
    hello: {
      ...each.hello,
      cipherSuites: each.hello.cipherSuites.with(0, 0x0a0a),
    },
  })));
  assertEquals(rules.cipherSuites[0], 0x0a0a);
});

Deno.test("learnHelloRules() wants pages, WebSockets and IP addresses", () => {
  for (const kind of ["page", "websocket"]) {
    const error = assertThrows(
      () => learnHelloRules(seen.filter((each) => each.kind !== kind)),
      UtlsError,
    );
    assertEquals(error.code, "capture");
    assertStringIncludes(error.message, kind);
  }
});

Deno.test("learnHelloRules() puts ChaCha20 first where no hello without AES instructions was seen", () => {
  const rules = learnHelloRules(seen.filter(({ aesHardware }) => aesHardware));
  const { hello } = profileOf(156);
  assertEquals(
    rules.cipherSuitesWithoutAesHardware,
    hello.cipherSuitesWithoutAesHardware,
  );
});

Deno.test("learnHttp2() refuses starts that differ, or are none", () => {
  const profile = profileOf(156);
  const start = observedStart(profile, 1);
  const other = observedStart(profileOf(106), 1);
  for (
    const starts of [[], [start, other], [start.slice(0, 1)], [start.slice(1)]]
  ) {
    assertEquals(
      assertThrows(() => learnHttp2(starts), UtlsError).code,
      "capture",
    );
  }
});

const seen = observedHellos(profileOf(156), 9);

/** Changes what was seen of 156, and expects to hear of it. */
function refuses(
  what: string,
  change: (hello: ClientHello, i: number) => ClientHello,
): void {
  const error = assertThrows(
    () =>
      learnHelloRules(seen.map((each, i) => ({
        ...each,
        hello: change(each.hello, i),
      }))),
    UtlsError,
  );
  assertEquals(error.code, "capture");
  assertStringIncludes(error.message, what);
}

function edit(
  hello: ClientHello,
  type: number,
  change: (data: Uint8Array) => Uint8Array,
): ClientHello {
  return {
    ...hello,
    extensions: hello.extensions!.map((each) =>
      each.type === type ? { type, data: change(each.data) } : each
    ),
  };
}

/** Sorted, GREASE left in place. */
function reordered(hello: ClientHello): ClientHello {
  const extensions = hello.extensions!;
  const moving = extensions.filter(({ type }) =>
    !isGrease(type) && type !== EXTENSION.preSharedKey
  ).sort((a, b) => a.type - b.type);
  return {
    ...hello,
    extensions: extensions.map((each) =>
      isGrease(each.type) || each.type === EXTENSION.preSharedKey
        ? each
        : moving.shift()!
    ),
  };
}
