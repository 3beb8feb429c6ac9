import { MAX_EXTENSIONS } from "../hello_parts.ts";
import { UtlsError } from "../error.ts";
import { GREASE_FIRST, GREASE_LATER, type Observation } from "./observation.ts";

/** Most rows of a corpus. */
export const MAX_CORPUS_ROWS = 100_000;

/** Longest `o`. */
const MAX_ORDER_LENGTH = 1_024;

/** Whether `types` can be those of one hello: no number twice, and not too many. */
function isOrder(types: readonly string[]): boolean {
  const numbers = types.filter((type) => type !== "G");
  return types.length <= MAX_EXTENSIONS &&
    new Set(numbers).size === numbers.length;
}

/** GREASE places in the order of a row's `g`. */
const PLACES = [
  "cipher",
  "group",
  "extension",
  "extension 2",
  "version",
  "sigalg",
];

/**
 * Reads a corpus of recorded hellos that kept what is drawn and nothing else: `{ rows: [{ o, e, c, g }, …] }`, where `o` is the
 * order of extensions as decimals and `G` for GREASE, joined by `-`, `e` the length of the ECH payload, `c` its config_id, and `g`
 * the upper hex digits of GREASE in the first cipher, group, extension, the last extension, version and signature algorithm.
 *
 * @throws {UtlsError} `capture` if `json` is not of that form, or has more than {@link MAX_CORPUS_ROWS} rows.
 */
export function parseCorpus(json: unknown): Observation[] {
  const rows = (json as { rows?: unknown } | null)?.rows;
  if (!Array.isArray(rows) || rows.length > MAX_CORPUS_ROWS) {
    throw new UtlsError(
      "capture",
      `Want a corpus with up to ${MAX_CORPUS_ROWS} rows`,
    );
  }
  return rows.map((row: unknown, i) => {
    const { o, e, c, g } = (row ?? {}) as Record<string, unknown>;
    const isRow = typeof o === "string" && o.length <= MAX_ORDER_LENGTH &&
      /^(G|\d{1,5})(-(G|\d{1,5}))*$/.test(o) && isOrder(o.split("-")) &&
      Number.isInteger(e) && Number.isInteger(c) &&
      typeof g === "string" && /^[\da-f]{6}$/.test(g);
    if (!isRow) {
      throw new UtlsError("capture", `Row ${i} of the corpus is malformed`);
    }
    let seen = false;
    return {
      order: o.split("-").map((type) => {
        if (type !== "G") return Number(type);
        const mark = seen ? GREASE_LATER : GREASE_FIRST;
        seen = true;
        return mark;
      }),
      grease: Object.fromEntries(
        PLACES.map((place, at) => [place, parseInt(g[at]!, 16)]),
      ),
      ech: { payloadLength: e as number, configId: c as number },
    };
  });
}
