/** A time in which one node can send to another. */
export interface PlannedContact {
  /** Node id of who sends. */
  readonly from: string;
  /** Node id of who receives. */
  readonly to: string;
  /** From when on: wall time in milliseconds since 1970. */
  readonly startMs: number;
  /** Until when. */
  readonly endMs: number;
  /** How fast. */
  readonly bytesPerSecond: number;
  /** How long each byte is under way: the one-way light time, in milliseconds. */
  readonly delayMs: number;
}

const MAX_CONTACTS = 100_000;
const LINE = /^contact\s+(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s+(\S+)(?:\s+(\S+))?$/;
const TIME = /^\+[0-9]{1,12}(?:\.[0-9]{1,3})?$/;

/**
 * Reads a contact plan, a contact a line:
 *
 * ```text
 * contact <start> <end> <from> <to> <bytes per second> [<delay in seconds>]
 * ```
 *
 * Times are of RFC 3339, or `+` and seconds after `epochMs`. Empty lines and those that start with # are passed over.
 *
 * @throws {SyntaxError} That names the line.
 */
export function parseContactPlan(
  text: string,
  epochMs: number,
): PlannedContact[] {
  const contacts = text.split("\n").flatMap((raw, i) => {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) return [];
    const contact = contactOf(line, epochMs);
    if (contact) return [contact];
    throw new SyntaxError(
      `Line ${
        i + 1
      }: want contact, start, end, from, to, bytes per second and perhaps a delay`,
    );
  });
  if (contacts.length > MAX_CONTACTS) {
    throw new SyntaxError(`Want at most ${MAX_CONTACTS} contacts`);
  }
  return contacts;
}

/** Writes a plan as {@link parseContactPlan} reads it. */
export function formatContactPlan(contacts: readonly PlannedContact[]): string {
  return contacts.map((contact) => {
    const [start, end] = [contact.startMs, contact.endMs]
      .map((ms) => new Date(ms).toISOString());
    const { from, to, bytesPerSecond, delayMs } = contact;
    return `contact ${start} ${end} ${from} ${to} ${bytesPerSecond} ${
      delayMs / 1_000
    }\n`;
  }).join("");
}

function contactOf(line: string, epochMs: number): PlannedContact | undefined {
  const [, start, end, from, to, rate, delay = "0"] = LINE.exec(line) ?? [];
  if (start === undefined) return undefined;
  const contact: PlannedContact = {
    from: from!,
    to: to!,
    startMs: timeOf(start, epochMs),
    endMs: timeOf(end!, epochMs),
    bytesPerSecond: Number(rate),
    delayMs: Number(delay) * 1_000,
  };
  const { startMs, endMs, bytesPerSecond, delayMs } = contact;
  const isGood = startMs < endMs && bytesPerSecond > 0 && delayMs >= 0 &&
    [bytesPerSecond, delayMs].every(Number.isFinite);
  return isGood ? contact : undefined;
}

function timeOf(text: string, epochMs: number): number {
  return TIME.test(text)
    ? epochMs + Number(text.slice(1)) * 1_000
    : Date.parse(text);
}
