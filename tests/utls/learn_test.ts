import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
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
    "a key that comes again",
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
