/**
 * Where every packet of a network went, from what its processes reported.
 *
 * For each life of a node, from the start of its process to that of the next, and its steady peers, who have one life that lasts to the
 * end:
 *
 * ```text
 * in    written to it by them = read by it from them + unread
 * out   read by them from it  = written by it to them + unreported
 * ```
 *
 * Of a life that lasts to the end, when links have been at rest, both are 0, peer by peer. Of one that ended, `unread` is what was under
 * way to it or not reported any more: no more than was written after its last report, and some time before. Of one that ended by
 * SIGTERM `unreported` is 0; of one that was killed it is what it had at its last report, came later or began there. In all,
 *
 * ```text
 * written = read + unread - unreported
 * ```
 *
 * where peers that were killed themselves count too, so that the two are known by their bounds only.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { imbalance } from "../mixnet/node/_node_network.ts";
import { type LinkTally, sum } from "./_mixnet_link_tally.ts";
import type { Entry, Life } from "./_mixnet_life.ts";
import type { NodeReport } from "./_mixnet_node_process.ts";

/** Who has links, known by their keys, over all its lives. */
export interface Party {
  readonly name: string;
  /** Its link keys in hexadecimal. */
  readonly keys: readonly string[];
  readonly lives: readonly Life[];
}

/** What a life's equations left over. */
export interface Balance {
  readonly name: string;
  readonly end: Life["end"];
  /** Written to it by steady peers and not read, as far as it reported. */
  readonly unread: number;
  /** Read by steady peers from it beyond what it reported. */
  readonly unreported: number;
  /** Bounds of both, over all peers; 0 if it lasts to the end. */
  readonly mostUnread: number;
  readonly mostUnreported: number;
}

/** How long a packet that is written may take until it is counted as read, while the machine is busy. */
const TRANSIT_MS = 5_000;
/** Most loops that begin at a node between its last report and its end. */
const LOOPS = 20;

/** Checks the books of all lives of all `parties`. */
export function balancesOf(parties: readonly Party[]): Balance[] {
  const balances = parties.flatMap((party) => {
    const others = parties.filter((other) => other !== party);
    return party.lives.map((_, i) => balanceOf(party, i, others));
  });
  const last = parties.flatMap(({ lives }) =>
    lives.map(({ entries }) => entries.at(-1)!.links)
  );
  const missing = last.reduce(
    (count, { written, received }) => count + sum(written) - sum(received),
    0,
  );
  const most = (bound: "mostUnread" | "mostUnreported") =>
    balances.reduce((count, balance) => count + balance[bound], 0);
  assert(missing <= most("mostUnread"), `${missing}`);
  assert(missing >= -most("mostUnreported"), `${missing}`);
  return balances;
}

function balanceOf(
  { name, keys, lives }: Party,
  i: number,
  others: readonly Party[],
): Balance {
  const { startedAtMs, end, entries } = lives[i]!;
  const [fromMs, toMs] = [
    i === 0 ? 0 : startedAtMs,
    lives[i + 1]?.startedAtMs ?? Infinity,
  ];
  const own = entries.at(-1)!;
  const steady = others.filter(isSteady);
  const peers = steady.flatMap((other) => other.keys);
  const written = (by: readonly Party[], sinceMs: number) =>
    total(by, sinceMs, toMs, ({ written }) => over(written, keys));
  const got = total(
    steady,
    fromMs,
    toMs,
    ({ received }) => over(received, keys),
  );
  const unread = written(steady, fromMs) - over(own.links.received, peers);
  const unreported = got - over(own.links.written, peers);
  const mostUnread = end ? written(others, own.atMs - TRANSIT_MS) : 0;
  const mostUnreported = end === "killed"
    ? heldIn(own as NodeReport) + mostUnread + LOOPS
    : 0;
  const balance: Balance = {
    ...{ name, end, unread, unreported, mostUnread, mostUnreported },
  };
  const text = JSON.stringify(balance);
  assert(unread >= 0 && unread <= mostUnread, text);
  assert(unreported >= 0 && unreported <= mostUnreported, text);
  if (!end) assertEven(name, own.links, keys, fromMs, steady);
  return balance;
}

/** Checks that a life which lasts to the end has read what each steady peer wrote to it, and the other way round. */
function assertEven(
  name: string,
  own: LinkTally,
  keys: readonly string[],
  fromMs: number,
  steady: readonly Party[],
): void {
  for (const peer of steady) {
    const written = total(
      [peer],
      fromMs,
      Infinity,
      ({ written }) => over(written, keys),
    );
    assertEquals(
      over(own.received, peer.keys),
      written,
      `${peer.name} to ${name}`,
    );
    const received = total(
      [peer],
      fromMs,
      Infinity,
      ({ received }) => over(received, keys),
    );
    assertEquals(
      received,
      over(own.written, peer.keys),
      `${name} to ${peer.name}`,
    );
  }
}

function isSteady({ lives }: Party): boolean {
  return lives.length === 1 && !lives[0]!.end;
}

/** Checks what must hold in a node at every moment: each packet is in exactly one count. */
export function assertReport(report: NodeReport, name: string): void {
  const { counts, egress, links } = report;
  const text = `${name} ${JSON.stringify(report)}`;
  assertEquals(imbalance(counts), 0, text);
  const dropped = Object.values(egress.dropped).reduce((a, b) => a + b);
  assertEquals(
    counts.forwarded + counts.dropped.egress,
    egress.sent + egress.queued + dropped,
    text,
  );
  assertEquals(egress.sent, sum(links.written) + sum(links.lost), text);
  assertEquals([egress.unsolicited, report.refusedFrames], [0, 0], text);
}

/** Checks a node at rest: what it took came off a link, or is an acknowledgement that begins and is unwrapped here. */
export function assertAtRest(report: NodeReport, name: string): void {
  const { counts, links, acknowledged } = report;
  const text = `${name} ${JSON.stringify(report)}`;
  assertEquals(counts.received, sum(links.received) + acknowledged, text);
}

function heldIn({ counts, egress }: NodeReport): number {
  return counts.pooled + counts.unwrapping + egress.queued;
}

/** What all lives of `parties` counted between two times. */
function total(
  parties: readonly Party[],
  fromMs: number,
  toMs: number,
  column: (links: LinkTally) => number,
): number {
  const by = (entries: readonly Entry[], atMs: number) => {
    const entry = entries.findLast((each) => each.atMs <= atMs);
    return entry ? column(entry.links) : 0;
  };
  return parties.flatMap(({ lives }) => lives).reduce(
    (count, { entries }) => count + by(entries, toMs) - by(entries, fromMs),
    0,
  );
}

function over(
  column: Readonly<Record<string, number>>,
  keys: readonly string[],
): number {
  return keys.reduce((count, key) => count + (column[key] ?? 0), 0);
}
