import type { Bytes } from "../core/bytes/mod.ts";
import { MAX_EXTENSIONS } from "./hello_parts.ts";
import {
  type Code,
  type CodesRule,
  type ExtensionRule,
  GREASE,
  parseCodes,
  parseExtensionRule,
  parseScope,
  type Scope,
} from "./extension_rule.ts";
import { longestExtensions } from "./extensions_length.ts";
import { type Http2Habits, parseHttp2Habits } from "./http2_habits.ts";
import { JsonPart } from "./json_part.ts";
import { type Navigation, parseNavigation } from "./navigation.ts";

/** How one family of browser builds starts connections: bytes that are constant, and the draw rule of each that is not. */
export interface Profile {
  /** The major versions it is of, e.g. `"154-156"`. */
  readonly family: string;
  /** The major version it speaks as. */
  readonly version: number;
  /** First and last major version of the family. */
  readonly versions: readonly [first: number, last: number];
  /** Where its facts are from. */
  readonly source: ProfileSource;
  /** Record versions of ClientHellos. */
  readonly record: RecordVersions;
  /** How its ClientHello is made. */
  readonly hello: HelloRules;
  /** How it opens HTTP/2. */
  readonly http2: Http2Habits;
  /** What it sends when a person opens a page. */
  readonly navigation: Navigation;
}

/** Provenance of a profile: the facts are of this build in this state, and of others as far as they behave like it. */
export interface ProfileSource {
  /** `capture`: every field was in captured bytes of the build; `table`: some are from published facts, see `notes`. */
  readonly kind: "capture" | "table";
  /** Full version of the build captured. */
  readonly build: string;
  /** Which distribution of it. */
  readonly channel: string;
  /** Field trials that the profile has and the browser's code alone has not, or the reverse. */
  readonly trials: readonly string[];
  /** Whether the CPU had AES instructions, which decide the order of cipher suites. */
  readonly aesHardware: boolean;
  /** What was not in the capture, and what else differs. */
  readonly notes: string;
}

/** `legacy_record_version` of the records that carry ClientHellos. */
export interface RecordVersions {
  /** Of the first. */
  readonly hello: number;
  /** Of the one after a HelloRetryRequest. */
  readonly retry: number;
}

/** How a ClientHello is made. */
export interface HelloRules {
  /** `legacy_version`. */
  readonly legacyVersion: number;
  /** Random bytes in `legacy_session_id`. */
  readonly sessionIdBytes: number;
  /** In the order sent where the CPU has AES instructions. */
  readonly cipherSuites: readonly Code[];
  /** In the order sent where it has not. */
  readonly cipherSuitesWithoutAesHardware: readonly Code[];
  /** `legacy_compression_methods`. */
  readonly compressionMethods: Bytes;
  /** For how long a uniform permutation of {@link extensions}, GREASE left in place, holds; `build`: as listed. */
  readonly extensionOrder: Scope;
  /** In the order of the browser's own table. */
  readonly extensions: readonly ExtensionRule[];
  /** Whether a message of 256 to 511 bytes is padded to 512 (RFC 7685), as BoringSSL did until 2026. */
  readonly padding: boolean;
}

/**
 * Checks and reads a profile.
 *
 * @param json What `JSON.parse` gave.
 * @throws {UtlsError} `profile` if it does not fit the schema (docs/utls.md) or contradicts itself; the message names the path.
 */
export function parseProfile(json: unknown): Profile {
  const root = new JsonPart(json);
  const { schema, versions, source, record, hello, http2, navigation } = root
    .fields([
      "schema",
      "versions",
      "source",
      "record",
      "hello",
      "http2",
      "navigation",
    ]);
  schema.integer(1, 1);
  const range = parseVersions(versions);
  return {
    family: range[0] === range[1] ? `${range[0]}` : range.join("-"),
    version: range[1],
    versions: range,
    source: parseSource(source),
    record: parseRecord(record),
    hello: parseHello(hello),
    http2: parseHttp2Habits(http2),
    navigation: parseNavigation(navigation),
  };
}

function parseVersions(part: JsonPart): [number, number] {
  const [first, last, ...more] = part.list();
  if (!first || !last || more.length > 0) {
    throw part.unlike("the first and the last version");
  }
  const start = first.integer(1, 9_999);
  return [start, last.integer(start, 9_999)];
}

function parseSource(part: JsonPart): ProfileSource {
  const { kind, build, channel, trials, aesHardware, notes } = part.fields([
    "kind",
    "build",
    "channel",
    "trials",
    "aesHardware",
    "notes",
  ]);
  return {
    kind: kind.oneOf(["capture", "table"]),
    build: build.string(),
    channel: channel.string(),
    trials: trials.list().map((trial) => trial.string()),
    aesHardware: aesHardware.boolean(),
    notes: notes.string(),
  };
}

function parseRecord(part: JsonPart): RecordVersions {
  const { hello, retry } = part.fields(["hello", "retry"]);
  return { hello: parseVersion(hello), retry: parseVersion(retry) };
}

function parseVersion(part: JsonPart): number {
  const bytes = part.hex();
  if (bytes.length !== 2) throw part.unlike("four hex digits");
  return bytes[0]! << 8 | bytes[1]!;
}

function parseHello(part: JsonPart): HelloRules {
  const fields = part.fields([
    "legacyVersion",
    "sessionIdBytes",
    "cipherSuites",
    "cipherSuitesWithoutAesHardware",
    "compressionMethods",
    "extensionOrder",
    "extensions",
    "padding",
  ]);
  const cipherSuites = parseCodes(fields.cipherSuites);
  const withoutAes = parseCodes(fields.cipherSuitesWithoutAesHardware);
  if ([...cipherSuites].sort().join() !== [...withoutAes].sort().join()) {
    throw fields.cipherSuitesWithoutAesHardware.fault(
      "Expected the suites of cipherSuites in another order",
    );
  }
  return {
    legacyVersion: parseVersion(fields.legacyVersion),
    sessionIdBytes: fields.sessionIdBytes.integer(0, 32),
    cipherSuites,
    cipherSuitesWithoutAesHardware: withoutAes,
    compressionMethods: parseCompressionMethods(fields.compressionMethods),
    extensionOrder: parseScope(fields.extensionOrder),
    extensions: parseExtensions(fields.extensions),
    padding: fields.padding.boolean(),
  };
}

function parseCompressionMethods(part: JsonPart): Bytes {
  const methods = part.hex();
  if (methods.length < 1 || methods.length > 255) {
    throw part.unlike("1 to 255 bytes");
  }
  return methods;
}

/** Most extensions of a profile: few enough that a hello with padding, key and cookie still decodes. */
const MAX_RULES = MAX_EXTENSIONS - 3;

/** Most bytes of extensions that a profile may make: with all else of a hello, tickets included, one record holds them. */
const MAX_EXTENSIONS_BYTES = 12_288;

function parseExtensions(part: JsonPart): ExtensionRule[] {
  const entries = part.list();
  if (entries.length > MAX_RULES) {
    throw part.fault(`Expected at most ${MAX_RULES} extensions`);
  }
  const rules = entries.map(parseExtensionRule);
  const seen = new Set<number>();
  for (const [at, rule] of rules.entries()) {
    const entry = entries[at]!;
    if (rule.rule === "grease") {
      if (at !== 0 && at !== rules.length - 1) {
        throw entry.fault("Expected GREASE first and last only, not");
      }
    } else if (seen.has(rule.type)) {
      throw entry.fault(`Extension ${rule.type} again`);
    } else seen.add(rule.type);
  }
  checkKeyShare(part, rules);
  const length = longestExtensions(rules);
  if (length > MAX_EXTENSIONS_BYTES) {
    throw part.fault(
      `Expected at most ${MAX_EXTENSIONS_BYTES} bytes of extensions, got ${length}`,
    );
  }
  return rules;
}

/** Key shares are of groups that the hello supports, in the same order (RFC 8446 §4.2.8). */
function checkKeyShare(part: JsonPart, rules: readonly ExtensionRule[]): void {
  const supported = rules.find((rule): rule is CodesRule =>
    rule.rule === "supportedGroups"
  );
  const shares = rules.find((rule) => rule.rule === "keyShare");
  const versions = rules.find((rule) => rule.rule === "supportedVersions");
  if (!supported || !shares || !versions) {
    throw part.fault(
      "Expected supportedGroups, keyShare and supportedVersions",
    );
  }
  let at = -1;
  for (const group of shares.groups) {
    const next = supported.codes.indexOf(group);
    if (next <= at) {
      throw part.fault(
        `Expected ${name(group)} of keyShare in the order of supportedGroups`,
      );
    }
    at = next;
  }
}

function name(code: Code): string {
  return code === GREASE ? code : code.toString(16).padStart(4, "0");
}
