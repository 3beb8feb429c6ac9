import { Reader } from "../core/bytes/mod.ts";
import type { CryptoProvider } from "../core/crypto/mod.ts";
import type { Priority, Setting } from "../http2/mod.ts";
import type { JsonPart } from "./json_part.ts";

/** What a browser sends at the start of an HTTP/2 connection. */
export interface Http2Habits {
  /** Its SETTINGS in the order sent. */
  readonly settings: readonly Setting[];
  /** Whether a setting with a GREASE identifier (draft-bishop-httpbis-grease) and a random value follows them. */
  readonly greaseSetting: boolean;
  /** Increment of the WINDOW_UPDATE of stream 0 that follows SETTINGS. */
  readonly windowIncrement: number;
  /** Priority in the HEADERS of a navigation. */
  readonly priority: Priority;
  /** The pseudo-header fields of a request in the order sent. */
  readonly pseudoOrder: readonly PseudoField[];
  /** How the first bytes of a connection share TLS records. */
  readonly firstRecords: readonly (readonly FirstPart[])[];
}

/** A pseudo-header field of a request. */
export type PseudoField = ":method" | ":authority" | ":scheme" | ":path";

const PSEUDO_FIELDS: readonly PseudoField[] = [
  ":method",
  ":authority",
  ":scheme",
  ":path",
];

/** A part of the first bytes on an HTTP/2 connection. */
export type FirstPart = "preface" | "settings" | "windowUpdate" | "headers";

const FIRST_PARTS: readonly FirstPart[] = [
  "preface",
  "settings",
  "windowUpdate",
  "headers",
];

/** The SETTINGS of one connection: those of `habits`, with a GREASE setting drawn where it has one. */
export function drawSettings(
  habits: Http2Habits,
  crypto: CryptoProvider,
): Setting[] {
  if (!habits.greaseSetting) return [...habits.settings];
  const draw = new Reader(crypto.random(6), "draw");
  const identifier = draw.u16() & 0xf0f0 | 0x0a0a;
  return [...habits.settings, [identifier, draw.u32()]];
}

/** Reads `http2` of a profile. */
export function parseHttp2Habits(part: JsonPart): Http2Habits {
  const fields = part.fields([
    "settings",
    "greaseSetting",
    "windowIncrement",
    "priority",
    "pseudoOrder",
    "firstRecords",
  ]);
  return {
    settings: parseSettings(fields.settings),
    greaseSetting: fields.greaseSetting.boolean(),
    windowIncrement: fields.windowIncrement.integer(1, 0x7fffffff),
    priority: parsePriority(fields.priority),
    pseudoOrder: permutationOf(fields.pseudoOrder, PSEUDO_FIELDS),
    firstRecords: parseRecords(fields.firstRecords),
  };
}

function parseSettings(part: JsonPart): Setting[] {
  const seen = new Set<number>();
  return part.list().map((entry) => {
    const [identifier, value, ...more] = entry.list();
    if (!identifier || !value || more.length > 0) {
      throw entry.unlike("an identifier and a value");
    }
    const id = identifier.integer(0, 0xffff);
    if (seen.has(id)) throw identifier.fault(`Setting ${id} again`);
    seen.add(id);
    return [id, value.integer(0, 0xffffffff)];
  });
}

function parsePriority(part: JsonPart): Priority {
  const { exclusive, dependency, weight } = part.fields([
    "exclusive",
    "dependency",
    "weight",
  ]);
  return {
    exclusive: exclusive.boolean(),
    dependency: dependency.integer(0, 0x7fffffff),
    weight: weight.integer(1, 256),
  };
}

function parseRecords(part: JsonPart): FirstPart[][] {
  const records = part.list().map((record) =>
    record.list().map((entry) => entry.oneOf(FIRST_PARTS))
  );
  if (records.flat().join() !== FIRST_PARTS.join()) {
    throw part.fault(`Expected ${FIRST_PARTS.join(", ")}, each once,`);
  }
  return records;
}

function permutationOf<T extends string>(
  part: JsonPart,
  all: readonly T[],
): T[] {
  const entries = part.list().map((entry) => entry.oneOf(all));
  if (entries.length !== all.length || new Set(entries).size !== all.length) {
    throw part.fault(`Expected ${all.join(", ")}, each once,`);
  }
  return entries;
}
