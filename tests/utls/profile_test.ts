import { assert, assertEquals, assertThrows } from "@std/assert";
import { nodeProvider } from "../../src/core/crypto/mod.ts";
import {
  decodeClientHello,
  drawOffer,
  extensionOf,
  parseProfile,
  profileOf,
  profileVersions,
  UtlsError,
} from "../../src/utls/mod.ts";
import { profileJson } from "./_profile_json.ts";
import { shareOf } from "./_scripted_draws.ts";

Deno.test("parseProfile() reads every shipped file", () => {
  for (const version of profileVersions()) {
    const profile = parseProfile(profileJson(version));
    assertEquals({ ...profile, version }, profileOf(version));
  }
});

// deno-lint-ignore no-explicit-any -- what is broken is of every type
type Break = (json: any) => void;

/** Each change of a valid profile, and what the refusal says. */
const REFUSED: readonly (readonly [message: string, change: Break])[] = [
  ["Expected an integer in 1 … 1, got 2 at schema", (p) => p.schema = 2],
  ["Missing at schema", (p) => delete p.schema],
  ["Unknown key at comment", (p) => p.comment = ""],
  ["Unknown key at hello.cyphers", (p) => p.hello.cyphers = []],
  ["Expected an object, got a list at hello", (p) => p.hello = []],
  ["Expected an object, got null at http2", (p) => p.http2 = null],
  [
    "Expected the first and the last version, got a list at versions",
    (p) => p.versions = [156],
  ],
  [
    "Expected an integer in 156 … 9999, got 154 at versions[1]",
    (p) => p.versions.reverse(),
  ],
  [
    'Expected "capture" or "table", got "guess" at source.kind',
    (p) => p.source.kind = "guess",
  ],
  [
    "Expected true or false, got 1 at source.aesHardware",
    (p) => p.source.aesHardware = 1,
  ],
  ["Expected a string, got 156 at source.build", (p) => p.source.build = 156],
  [
    "Expected at most 4096 characters at source.notes",
    (p) => p.source.notes = "x".repeat(4_097),
  ],
  [
    'Expected a list, got "none" at source.trials',
    (p) => p.source.trials = "none",
  ],
  [
    "Expected at most 256 entries, got 257 at source.trials",
    (p) => p.source.trials = Array(257).fill(""),
  ],
  [
    'Expected four hex digits, got "03" at record.hello',
    (p) => p.record.hello = "03",
  ],
  [
    "Expected an integer in 0 … 32, got 33 at hello.sessionIdBytes",
    (p) => p.hello.sessionIdBytes = 33,
  ],
  [
    "Expected an integer in 0 … 32, got 0.5 at hello.sessionIdBytes",
    (p) => p.hello.sessionIdBytes = 0.5,
  ],
  [
    'Expected "GREASE" or four lower-case hex digits, got "130X" at hello.cipherSuites[1]',
    (p) => p.hello.cipherSuites[1] = "130X",
  ],
  [
    "GREASE again at hello.cipherSuites[1]",
    (p) => p.hello.cipherSuites[1] = "GREASE",
  ],
  [
    "Expected the suites of cipherSuites in another order at hello.cipherSuitesWithoutAesHardware",
    (p) => p.hello.cipherSuitesWithoutAesHardware.pop(),
  ],
  [
    'Expected lower-case hexadecimal, got "0" at hello.compressionMethods',
    (p) => p.hello.compressionMethods = "0",
  ],
  [
    'Expected "connection" or "process" or "build", got "host" at hello.extensionOrder',
    (p) => p.hello.extensionOrder = "host",
  ],
  [
    'Expected true or false, got "yes" at hello.padding',
    (p) => p.hello.padding = "yes",
  ],
  [
    'Expected lower-case hexadecimal, got "zz" at hello.extensions[3].data',
    (p) => p.hello.extensions[3].data = "zz",
  ],
  [
    "Unknown key at hello.extensions[3].scope",
    (p) => p.hello.extensions[3].scope = "connection",
  ],
  [
    "Missing at hello.extensions[3].data",
    (p) => delete p.hello.extensions[3].data,
  ],
  [
    "Unexpected padding, which follows from other rules, at hello.extensions[3].name",
    (p) => p.hello.extensions[3].name = "padding",
  ],
  [
    "Unexpected preSharedKey, which follows from other rules, at hello.extensions[3].name",
    (p) => p.hello.extensions[3].name = "preSharedKey",
  ],
  [
    "Expected an integer in 0 … 65535, got 65536 at hello.extensions[3].type",
    (p) => p.hello.extensions[3] = { type: 65_536, data: "" },
  ],
  [
    "Extension 0 again at hello.extensions[3]",
    (p) => p.hello.extensions[3] = { name: "serverName" },
  ],
  ...[[0, "serverName"], [21, "padding"], [41, "preSharedKey"], [
    0x3a3a,
    "grease",
  ]].map(([type, name]): [string, Break] => [
    `Expected the name "${name}" for it, got ${type} at hello.extensions[3].type`,
    (p) => p.hello.extensions[3] = { type, data: "" },
  ]),
  [
    "Unexpected earlyData, which is never sent, at hello.extensions[3].name",
    (p) => p.hello.extensions[3].name = "earlyData",
  ],
  [
    'Expected "GREASE" for its values, got "0a0a" at hello.extensions[5].codes[0]',
    (p) => rule(p, "supportedGroups").codes[0] = "0a0a",
  ],
  [
    "Expected a code besides GREASE at hello.cipherSuites",
    (p) => p.hello.cipherSuites = [],
  ],
  [
    "Expected a code besides GREASE at hello.extensions[12].groups",
    (p) => rule(p, "keyShare").groups = ["GREASE"],
  ],
  [
    "Expected at most 127 versions with 0304, got a list at hello.extensions[14].codes",
    (p) => rule(p, "supportedVersions").codes.splice(1, 1),
  ],
  [
    "Expected at most 127 versions with 0304, got a list at hello.extensions[14].codes",
    (p) => rule(p, "supportedVersions").codes.push(...codes(125)),
  ],
  [
    'Expected 1 to 255 bytes, got "" at hello.compressionMethods',
    (p) => p.hello.compressionMethods = "",
  ],
  [
    `Expected 1 to 255 bytes, got "${
      "0".repeat(39)
    } at hello.compressionMethods`,
    (p) => p.hello.compressionMethods = "00".repeat(256),
  ],
  [
    'Expected 1 to 255 bytes, got "" at hello.extensions[18].ids[0]',
    (p) => rule(p, "trustAnchors").ids[0] = "",
  ],
  [
    `Expected 1 to 255 bytes, got "${
      "0".repeat(39)
    } at hello.extensions[18].ids[0]`,
    (p) => rule(p, "trustAnchors").ids[0] = "00".repeat(256),
  ],
  [
    "Expected at most 253 extensions at hello.extensions",
    (p) => p.hello.extensions.splice(3, 0, ...constants(234, 0)),
  ],
  [
    "Expected at most 12288 bytes of extensions, got 14172 at hello.extensions",
    (p) => p.hello.extensions.splice(3, 0, ...constants(6, 2_000)),
  ],
  [
    "Expected at most 12288 bytes of extensions, got 67672 at hello.extensions",
    (p) => rule(p, "alpn").page = Array(256).fill("a".repeat(255)),
  ],
  [
    "Expected GREASE first and last only, not at hello.extensions[3]",
    (p) => p.hello.extensions[3] = { name: "grease", data: "" },
  ],
  [
    "Expected supportedGroups, keyShare and supportedVersions at hello.extensions",
    (p) => drop(p, "supportedVersions"),
  ],
  [
    "Expected 11ec of keyShare in the order of supportedGroups at hello.extensions",
    (p) => rule(p, "supportedGroups").codes.splice(1, 1),
  ],
  [
    "Expected 11ec of keyShare in the order of supportedGroups at hello.extensions",
    (p) => rule(p, "keyShare").groups.reverse(),
  ],
  [
    "Unknown key exchange group in place 1 at hello.extensions[12].groups",
    (p) => rule(p, "keyShare").groups[1] = "0100",
  ],
  [
    'Expected 1 to 255 printable ASCII characters, got "" at hello.extensions[8].page[0]',
    (p) => rule(p, "alpn").page[0] = "",
  ],
  [
    "Expected an integer in 17 … 4096, got 16 at hello.extensions[2].payloadBytes[0]",
    (p) => rule(p, "encryptedClientHello").payloadBytes[0] = 16,
  ],
  [
    "Expected at least one length, got a list at hello.extensions[2].payloadBytes",
    (p) => rule(p, "encryptedClientHello").payloadBytes = [],
  ],
  [
    'Expected "connection" or "process" or "build", got "host" at hello.extensions[18].order',
    (p) => rule(p, "trustAnchors").order = "host",
  ],
  [
    "Setting 1 again at http2.settings[1][0]",
    (p) => p.http2.settings[1][0] = 1,
  ],
  [
    "Expected an identifier and a value, got a list at http2.settings[0]",
    (p) => p.http2.settings[0].push(0),
  ],
  [
    "Expected an integer in 1 … 2147483647, got 0 at http2.windowIncrement",
    (p) => p.http2.windowIncrement = 0,
  ],
  [
    "Expected an integer in 1 … 256, got 0 at http2.priority.weight",
    (p) => p.http2.priority.weight = 0,
  ],
  [
    "Expected :method, :authority, :scheme, :path, each once, at http2.pseudoOrder",
    (p) => p.http2.pseudoOrder[0] = ":path",
  ],
  [
    "Expected preface, settings, windowUpdate, headers, each once, at http2.firstRecords",
    (p) => p.http2.firstRecords.reverse(),
  ],
  [
    'Expected a lower-case field name, got "Accept" at navigation.fields[0][0]',
    (p) => p.navigation.fields[0][0] = "Accept",
  ],
  [
    'Expected printable ASCII characters, got "\\r\\n" at navigation.fields[0][1]',
    (p) => p.navigation.fields[0][1] = "\r\n",
  ],
  ["Expected an object, got 7 at the root", () => 7],
];

for (const [message, change] of REFUSED) {
  Deno.test(`parseProfile() refuses: ${message}`, () => {
    const json = profileJson(156);
    const root = change(json) as unknown === 7 ? 7 : json;
    const error = assertThrows(() => parseProfile(root), UtlsError);
    assertEquals([error.code, error.message], ["profile", message]);
  });
}

Deno.test("parseProfile() takes an extension without a name by its number", () => {
  const json = profileJson(156);
  json.hello.extensions.splice(1, 0, { type: 0x12e0, data: "0102" });
  using offer = drawOffer(parseProfile(json), {
    crypto: nodeProvider,
    keyShare: (group) => shareOf(group, new Uint8Array(1)),
  });
  assertEquals(extensionOf(offer.hello, 0x12e0), Uint8Array.of(1, 2));
});

/** Extensions without a name. */
function constants(count: number, bytes: number) {
  return Array.from({ length: count }, (_, i) => ({
    type: 5_000 + i,
    data: "00".repeat(bytes),
  }));
}

/** Codes without a meaning. */
function codes(count: number): string[] {
  return Array.from({ length: count }, (_, i) => (0x1100 + i).toString(16));
}

Deno.test("drawOffer() can draw the longest profile that parseProfile() takes, in one record", () => {
  const json = profileJson(156);
  rule(json, "supportedVersions").codes.push(...codes(124));
  json.hello.compressionMethods = "00".repeat(255);
  json.hello.extensions.splice(3, 0, ...constants(4, 2_000));
  json.hello.extensions.splice(3, 0, { type: 6_000, data: "00".repeat(1_872) });
  using offer = drawOffer(parseProfile(json), {
    crypto: nodeProvider,
    serverName: `${"a.".repeat(126)}a`,
    psk: {
      identity: new Uint8Array(2_000),
      obfuscatedTicketAge: 0,
      binderLength: 48,
    },
  });
  assert(offer.message.length < 16_384);
  assertEquals(decodeClientHello(offer.message), offer.hello);
});

// deno-lint-ignore no-explicit-any -- a rule of any kind
function rule(json: any, name: string): any {
  return json.hello.extensions.find((rule: { name: string }) =>
    rule.name === name
  );
}

// deno-lint-ignore no-explicit-any -- a profile to break
function drop(json: any, name: string): void {
  json.hello.extensions.splice(
    json.hello.extensions.indexOf(rule(json, name)),
    1,
  );
}
