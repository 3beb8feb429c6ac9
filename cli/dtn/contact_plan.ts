import { systemClock } from "../../src/core/async/mod.ts";
import { parseSize } from "../../src/core/config/mod.ts";
import {
  contactGraph,
  earliestArrival,
  type PlannedContact,
} from "../../src/dtn/mod.ts";
import { CliError } from "../_error.ts";
import { type Command, command } from "../_main.ts";
import { table } from "../_table.ts";
import { flagAs } from "./flag_as.ts";
import { readPlan, timeOf } from "./read_plan.ts";

const USAGE = `
Usage: betanet-dtn contact-plan <file>|- [flags]
       betanet-dtn contact-plan <file>|- --route --from <node> --to <node> [flags]

Checks a contact plan and prints it, or the route by which a bundle is there first. A line of a plan is

  contact <start> <end> <from> <to> <bytes per second> [<delay in seconds>]

with times of RFC 3339, or + and seconds after the epoch; one that starts with # is passed over.

  --epoch <time>   what times with + count from; now if absent
  --route          print the route of earliest arrival
  --from <node>    where the bundle is
  --to <node>      where it is to be
  --at <time>      when it is there; the epoch if absent
  --size <size>    its length, e.g. 64KiB; 0B, the default, looks at times alone

Exit code 1 if the file is no plan, with the line, or there is no route.

Examples:
  betanet-dtn contact-plan contacts.txt
  betanet-dtn contact-plan contacts.txt --route --from dtn://a/ --to dtn://d/ --at +60 --size 2MB
`;

/** Checks contact plans, and finds routes through them. */
export const contactPlan: Command = command({
  usage: USAGE,
  flags: {
    epoch: "string",
    route: "boolean",
    from: "string",
    to: "string",
    at: "string",
    size: "string",
  },
  operands: [1, 1],
  async run(flags, context) {
    const [path = "-"] = context.operands;
    const epochMs = flags.epoch === undefined
      ? systemClock.wallTime()
      : timeOf("epoch", flags.epoch, undefined);
    const plan = await readPlan(path, epochMs, context);
    if (!flags.route) {
      const wanted = [flags.from, flags.to, flags.at, flags.size];
      if (wanted.some((each) => each !== undefined)) {
        throw new CliError(
          "usage",
          "--from, --to, --at and --size want --route",
        );
      }
      for (const line of overlapsIn(plan)) context.note(line);
      return context.print(plan.map(shownContact), planTable(plan));
    }
    const { from, to } = flags;
    if (from === undefined || to === undefined) {
      throw new CliError("usage", "--route wants --from and --to");
    }
    const nowMs = flags.at === undefined
      ? epochMs
      : timeOf("at", flags.at, epochMs);
    const size = flagAs("size", flags.size ?? "0B", parseSize);
    const route = earliestArrival(contactGraph(plan), {
      from,
      to,
      size,
      nowMs,
    });
    if (!route) {
      throw new CliError(
        "failed",
        `No route from ${from} to ${to} for ${size} bytes at ${iso(nowMs)}`,
        { hint: unknownIn(plan, [from, to]) },
      );
    }
    const hops = hopsOf(route.contacts, size, nowMs);
    const arrival = iso(route.arrivalMs);
    const tookS = (route.arrivalMs - nowMs) / 1_000;
    context.print(
      { from, to, size, at: iso(nowMs), arrival, tookS, hops },
      `${
        table(
          ["from", "to", "leaves", "sent", "arrives", "volume"],
          hops.map((hop) => [
            ...[hop.from, hop.to, hop.leaves, hop.sent, hop.arrives],
            hop.volumeBytes,
          ]),
        )
      }\n\nthere at ${arrival}, after ${tookS} s and ${hops.length} hops`,
    );
  },
});

function planTable(plan: readonly PlannedContact[]): string {
  const nodes = new Set(plan.flatMap(({ from, to }) => [from, to]));
  const rows = plan.map((contact) => [
    ...[contact.from, contact.to, iso(contact.startMs), iso(contact.endMs)],
    ...[contact.bytesPerSecond, contact.delayMs / 1_000, volumeOf(contact)],
  ]);
  const head = ["from", "to", "start", "end", "bytes/s", "delay s", "volume"];
  return `${
    table(head, rows)
  }\n\n${plan.length} contacts of ${nodes.size} nodes`;
}

function shownContact(contact: PlannedContact) {
  const { from, to, startMs, endMs, bytesPerSecond, delayMs } = contact;
  return {
    ...{ from, to, start: iso(startMs), end: iso(endMs), bytesPerSecond },
    ...{ delayMs, volumeBytes: volumeOf(contact) },
  };
}

/** When a bundle leaves and arrives, hop by hop. */
function hopsOf(
  contacts: readonly PlannedContact[],
  size: number,
  nowMs: number,
) {
  let atMs = nowMs;
  return contacts.map((contact) => {
    const leavesMs = Math.max(atMs, contact.startMs);
    const sentMs = leavesMs + size / contact.bytesPerSecond * 1_000;
    atMs = sentMs + contact.delayMs;
    return {
      ...shownContact(contact),
      leaves: iso(leavesMs),
      sent: iso(sentMs),
      arrives: iso(atMs),
    };
  });
}

/** Contacts of one pair that overlap, of which routers use each as if the other were not. */
function overlapsIn(plan: readonly PlannedContact[]): string[] {
  const pairs = Map.groupBy(plan, ({ from, to }) => `${from} to ${to}`);
  return [...pairs].flatMap(([pair, contacts]) =>
    contacts.toSorted((a, b) => a.startMs - b.startMs)
      .flatMap((contact, i, all) => {
        const next = all[i + 1];
        return next && next.startMs < contact.endMs
          ? [`Contacts from ${pair} overlap at ${iso(next.startMs)}`]
          : [];
      })
  );
}

function unknownIn(
  plan: readonly PlannedContact[],
  nodes: readonly string[],
): string | undefined {
  const unknown = nodes.filter((node) =>
    !plan.some(({ from, to }) => from === node || to === node)
  );
  return unknown.length > 0
    ? `The plan does not know ${unknown.join(" and ")}.`
    : undefined;
}

function volumeOf({ startMs, endMs, bytesPerSecond }: PlannedContact): number {
  return Math.floor((endMs - startMs) / 1_000 * bytesPerSecond);
}

/** The last time that dates can tell. */
const MAX_TIME_MS = 8.64e15;

function iso(ms: number): string {
  return ms <= MAX_TIME_MS ? new Date(ms).toISOString() : "never";
}
