import {
  type ClientHello,
  encodeClientHello,
  extensionOf,
} from "./client_hello.ts";
import {
  codesText,
  compareExtension,
  comparePsk,
  type Comparison,
} from "./compare_extension.ts";
import { EXTENSION } from "./extension.ts";
import { GREASE } from "./extension_rule.ts";
import { isGrease } from "./grease.ts";
import type { HelloRules, Profile } from "./profile.ts";
import { profileFamilies } from "./profile_of.ts";
import { extensionName } from "./registry_names.ts";

/** One part of a hello that a profile does not make so. */
export interface Difference {
  /** The field, or the extension by name. */
  readonly part: string;
  /** What the profile sends; random parts by kind and length. */
  readonly expected: string;
  /** What the hello has. */
  readonly found: string;
}

/** How near a hello is to what a profile draws. */
export interface Match {
  /** The profile, of the newest version of its family. */
  readonly profile: Profile;
  /** In how many parts the hello differs from all that the profile makes; 0 if it may be of this browser. */
  readonly distance: number;
  /** The parts. */
  readonly differences: readonly Difference[];
}

/**
 * Which browser `hello` is of and how far off: every family of {@link profileFamilies}, nearest first; of
 * equals, those that leave less of the order to chance come first, then the newer.
 *
 * What the connection is for makes no difference: full or resumed, page, WebSocket or IP address, with or without AES
 * instructions, after a HelloRetryRequest. One hello cannot show whether draws repeat or are biased.
 */
export function compareHello(hello: ClientHello): Match[] {
  return profileFamilies().reverse().map((profile) => {
    const differences = differencesFrom(profile, hello);
    return { profile, distance: differences.length, differences };
  }).sort((a, b) =>
    a.distance - b.distance || freedom(a.profile) - freedom(b.profile)
  );
}

/** How many orders the profile draws: a fixed order that fits is hardly a draw. */
function freedom({ hello: { extensions, extensionOrder } }: Profile): number {
  const scopes = [
    extensionOrder,
    ...extensions.map((rule) =>
      rule.rule === "trustAnchors" ? rule.order : "build"
    ),
  ];
  return scopes.filter((scope) => scope !== "build").length;
}

/** The parts of `hello` that `profile` does not make so. */
export function differencesFrom(
  { hello: rules }: Profile,
  hello: ClientHello,
): Difference[] {
  const parts: Record<string, Comparison> = {
    legacy_version: [`${rules.legacyVersion}`, `${hello.legacyVersion}`],
    legacy_session_id: [
      `${rules.sessionIdBytes} bytes`,
      `${hello.sessionId.length} bytes`,
    ],
    cipher_suites: compareSuites(rules, hello),
    legacy_compression_methods: [
      rules.compressionMethods.toHex(),
      hello.compressionMethods.toHex(),
    ],
    [GREASE]: compareGrease(rules, hello),
    order: compareOrder(rules, hello),
    padding: comparePadding(rules, hello),
    preSharedKey: comparePsk(hello),
    ...compareExtensions(rules, hello),
  };
  return Object.entries(parts)
    .filter(([_, [expected, found]]) => expected !== found)
    .map(([part, [expected, found]]) => ({ part, expected, found }));
}

function compareSuites(
  { cipherSuites, cipherSuitesWithoutAesHardware }: HelloRules,
  hello: ClientHello,
): Comparison {
  const found = codesText(hello.cipherSuites);
  const without = codesText(cipherSuitesWithoutAesHardware);
  return [found === without ? without : codesText(cipherSuites), found];
}

/** The extensions of GREASE types: how many, their bytes, and that no two are of one type. */
function compareGrease(
  { extensions }: HelloRules,
  hello: ClientHello,
): Comparison {
  const grease = (hello.extensions ?? []).filter(({ type }) => isGrease(type));
  const types = new Set(grease.map(({ type }) => type));
  const text = (all: readonly { data: Uint8Array }[]) =>
    all.map(({ data }) => data.toHex() || "empty").join(", ") || "none";
  return [
    text(extensions.filter((rule) => rule.rule === "grease")),
    text(grease) + (types.size < grease.length ? " of one type" : ""),
  ];
}

/** The order of those extensions that both have. */
function compareOrder(
  { extensions: rules, extensionOrder }: HelloRules,
  hello: ClientHello,
): Comparison {
  const found = (hello.extensions ?? []).map(({ type }) => type);
  const own = rules.flatMap((rule) => rule.rule === "grease" ? [] : rule.type);
  const known = new Set(found.filter((type) => own.includes(type)));
  const [first, last] = found.filter(isGrease);
  const expected = [
    first,
    ...extensionOrder === "build"
      ? own.filter((type) => found.includes(type))
      : known,
    last,
    ...DERIVED.filter((type) => found.includes(type)),
  ];
  const text = (types: readonly (number | undefined)[]) =>
    types.filter((type) => type !== undefined)
      .map((type) => isGrease(type) ? GREASE : type).join(" ");
  return [
    text(expected),
    text(found.filter((type) => expected.includes(type))),
  ];
}

/** Extensions that follow from the others, in their order at the end. */
const DERIVED: readonly number[] = [EXTENSION.padding, EXTENSION.preSharedKey];

/** Padding to 512 bytes, which a hello after a HelloRetryRequest has not. */
function comparePadding(rules: HelloRules, hello: ClientHello): Comparison {
  const padding = extensionOf(hello, EXTENSION.padding);
  const added = padding ? 4 + padding.length : 0;
  const length = encodeClientHello(hello).length - added;
  const due = rules.padding && length > 255 && length < 512 && !isRetry(hello);
  const fault = padding?.some((byte) => byte !== 0) ? ", not zero" : "";
  return [
    due ? `${Math.max(1, 512 - 4 - length)} bytes` : "absent",
    padding ? `${padding.length} bytes${fault}` : "absent",
  ];
}

/** Whether `hello` is the second one: it has a cookie, or its key shares do not start with GREASE. */
function isRetry(hello: ClientHello): boolean {
  const [, , high = 0, low = 0] = extensionOf(hello, EXTENSION.keyShare) ?? [];
  return extensionOf(hello, EXTENSION.cookie) !== undefined ||
    !isGrease(high << 8 | low);
}

/** Each extension that either has, but for GREASE and those that follow from others. */
function compareExtensions(
  { extensions, cipherSuitesWithoutAesHardware }: HelloRules,
  hello: ClientHello,
): Record<string, Comparison> {
  const aesHardware = codesText(hello.cipherSuites) !==
    codesText(cipherSuitesWithoutAesHardware);
  const rest = new Map(
    (hello.extensions ?? [])
      .filter(({ type }) => !isGrease(type) && !DERIVED.includes(type))
      .map(({ type, data }) => [type, data]),
  );
  const parts: Record<string, Comparison> = {};
  for (const rule of extensions) {
    if (rule.rule === "grease") continue;
    const data = rest.get(rule.type);
    rest.delete(rule.type);
    parts[extensionName(rule.type)] = compareExtension(
      rule,
      data,
      hello,
      aesHardware,
    );
  }
  for (const [type, data] of rest) {
    parts[extensionName(type)] = ["absent", `${data.length} bytes`];
  }
  return parts;
}
