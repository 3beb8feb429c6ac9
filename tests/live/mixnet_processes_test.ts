/**
 * A mixnet of processes on the loopback interface: three authorities, nine mixes, two gateways, and twenty clients here, as the programs
 * run them. Links lose 5 % of packets, nodes and an authority are killed, epochs pass. See `tests/scenario/_mixnet_accounts.ts` for what must add up.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { readKeys } from "../../cli/mixnode/keys.ts";
import { delay, systemClock } from "../../src/core/async/mod.ts";
import { encodeHex } from "../../src/core/bytes/mod.ts";
import { LineProcess, report } from "../scenario/_line_process.ts";
import {
  assertAtRest,
  assertReport,
  type Balance,
  balancesOf,
  type Party,
} from "../scenario/_mixnet_accounts.ts";
import { Correspondence } from "../scenario/_mixnet_correspondence.ts";
import type { FloodOptions } from "../scenario/_mixnet_flood_process.ts";
import { type Entry, type Life, until } from "../scenario/_mixnet_life.ts";
import { LossyLinks, sum } from "../scenario/_mixnet_link_tally.ts";
import type { NodeReport } from "../scenario/_mixnet_node_process.ts";
import {
  type Machine,
  MixnetProcesses,
} from "../scenario/_mixnet_processes.ts";

const LOSS = 0.05;
const PEER_RATE = 100;
const EPOCH_SECONDS = 20;
/** How long after the end of a process what it had written is surely read. */
const SETTLE_MS = 1_500;
const ENTRY_MS = 250;

/** A flood: packets that it wrote, those that its target had read when it ended, and how often that was read more slowly. */
interface Flood {
  readonly sent: number;
  readonly read: number;
  readonly elapsedMs: number;
  readonly slowed: number;
}

/** The network, the clients, and what was done to them. */
class Scenario implements AsyncDisposable {
  readonly links = new LossyLinks(LOSS);
  readonly network = new MixnetProcesses({
    epochSeconds: EPOCH_SECONDS,
    meanDelayMs: 20,
    authorities: 3,
    gateways: 2,
    mixes: 9,
    clients: 10,
    clientPacketsPerSecond: 1.5,
    clientLoopsPerSecond: 0.2,
    nodeLoopsPerSecond: 0.2,
    peerPacketsPerSecond: PEER_RATE,
    lossShare: LOSS,
  });
  /** What the clients' links say. */
  readonly entries: Entry[] = [];
  /** What sent noise in the name of a node. */
  readonly floods = new Map<Machine, Life>();
  readonly #touched = new Set<Machine>();
  readonly #startMs = performance.now();
  readonly #timer = setInterval(() => this.note(), ENTRY_MS);

  /** Writes down what the clients' links say. */
  note(): void {
    this.entries.push({ atMs: Date.now(), links: this.links.tally });
  }

  /** A mix that nothing was done to yet and that is reached by TCP; of that layer in this epoch, if one is given. */
  async fresh(layer?: number): Promise<Machine> {
    const find = () =>
      this.network.nodes.find((machine) =>
        machine.name.startsWith("m") && machine.address.startsWith("tcp:") &&
        !this.#touched.has(machine) &&
        (layer ?? this.layerOf(machine)) === this.layerOf(machine)
      );
    await until(() => find() !== undefined, () => `a mix of layer ${layer}`);
    const found = find()!;
    this.#touched.add(found);
    return found;
  }

  layerOf(machine: Machine): number | undefined {
    return this.network.life(machine).report?.layer;
  }

  /**
   * Ends a node with SIGKILL and starts it again. A packet that it takes before comes again, and once more afterwards: it knows it both
   * times.
   */
  async kill(machine: Machine): Promise<void> {
    const { network } = this;
    const prober = network.nodes.find((node) =>
      node !== machine && node.name.startsWith("m")
    )!;
    const probe = () =>
      network.life(prober).tell({ kind: "probe", to: machine.id });
    const isKnown = ({ counts }: NodeReport) => counts.dropped.replayed === 1;
    const life = network.life(machine);
    await probe();
    await probe();
    await life.until(isKnown, `${machine.name} knows its probe`);
    await life.kill();
    await network.reported(Date.now() + SETTLE_MS);
    const next = network.startNode(machine);
    await probe();
    await next.until(isKnown, `${machine.name} still knows its probe`);
    await next.until(({ layer }) => layer !== undefined, "it is listed");
    this.say(`${machine.name} was killed and is back`);
  }

  /** Prints what happened, and when. */
  say(text: string): void {
    report(`${seconds(performance.now() - this.#startMs)}: ${text}`);
  }

  /** Ends `source` in order, and floods `target` in its name while `during` runs. */
  async flood(
    source: Machine,
    target: Machine,
    during: () => Promise<void>,
  ): Promise<Flood> {
    const { network } = this;
    await network.life(source).terminate();
    await network.reported(Date.now() + SETTLE_MS);
    const { linkKey } = readKeys(source.state, "node");
    const options: FloodOptions = {
      network: "processes",
      payloadLength: 1_700,
      epochSeconds: EPOCH_SECONDS,
      linkPrivateKey: encodeHex(linkKey.expose()),
      remoteStaticKey: target.linkKey,
      address: target.address,
    };
    const startedAtMs = Date.now();
    const before = received(target, source);
    await using process = new LineProcess(
      "../scenario/_mixnet_flood_process.ts",
      options,
    );
    const first = await process.line<Entry>();
    await during();
    const last = await process.ask<Entry>();
    const { slowed, atMs } = await network.life(target).until(
      (latest) => latest.atMs > last.atMs,
      `${target.name} reports`,
    );
    // What is in the sockets now is still read.
    this.floods.set(source, {
      ...{ startedAtMs, end: "terminated", entries: [first, last] },
    });
    return {
      sent: sum(last.links.written),
      read: received(target, source) - before,
      elapsedMs: atMs - startedAtMs,
      slowed,
    };
  }

  /** Lets every link lose everything from now on, and waits until nothing moves. */
  async rest(): Promise<void> {
    this.links.lossShare = 1;
    const { nodes } = this.network;
    const lives = nodes.map(({ lives }) => lives.at(-1)!)
      .filter(({ end }) => !end);
    for (const life of lives) await life.tell({ kind: "loss", share: 1 });
    let [before, now] = [-1, -2];
    while (before !== now) {
      before = now;
      await this.network.reported(Date.now() + SETTLE_MS);
      now = lives.reduce(
        (moved, { report }) =>
          moved + sum(report!.links.written) + report!.counts.received,
        sum(this.links.written),
      );
    }
    this.note();
  }

  /** Everybody who has links. */
  parties(letters: Correspondence): Party[] {
    const clients: Life = {
      startedAtMs: 0,
      end: undefined,
      entries: this.entries,
    };
    return [
      ...this.network.nodes.map((machine) => ({
        name: machine.name,
        keys: [machine.linkKey],
        lives: livesOf(machine, this.floods.get(machine)),
      })),
      { name: "clients", keys: letters.keys, lives: [clients] },
    ];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.network[Symbol.asyncDispose]();
  }
}

Deno.test("a mixnet of processes loses and doubles no message while nodes are killed, epochs pass and links lose packets", async () => {
  const startMs = performance.now();
  await using scenario = new Scenario();
  const { network } = scenario;
  await network.listed();
  await using letters = await Correspondence.open(network.clients);
  const connectedMs = performance.now();
  scenario.say("all are connected");
  const firstEpoch = network.life(network.nodes[0]!).report!.epoch;

  const over = new AbortController();
  const writing = letters.write(over.signal);
  await until(
    () => letters.letters.filter(({ tookMs }) => tookMs).length >= 10,
    () => "letters arrive",
  );
  scenario.say("letters arrive");
  await scenario.kill(await scenario.fresh(1));
  await network.killAuthority();
  await scenario.kill(await scenario.fresh(2));
  letters.asks = false; // what is lost of a reply takes up to half a minute to be asked for again
  network.restartAuthority();
  await scenario.kill(await scenario.fresh(3));
  await scenario.kill(network.nodes[0]!);

  const target = await scenario.fresh();
  const duringFlood: number[] = [];
  const flood = await scenario.flood(network.nodes[2]!, target, async () => {
    const sent = [0, 7, 13].map((from) => letters.send(from, 1));
    for (const { tookMs, failure } of await Promise.all(sent)) {
      assert(tookMs !== undefined, `${failure}`);
      duringFlood.push(tookMs);
    }
    await delay(systemClock, 2_000);
  });
  assert(flood.slowed > 0);
  const budget = 2 * PEER_RATE + PEER_RATE * flood.elapsedMs / 1_000;
  assert(flood.read <= budget + 2 * 26, `${flood.read} of ${budget}`);
  assert(flood.read < flood.sent, `${flood.read} of ${flood.sent}`);

  scenario.say(
    `a flood sent ${flood.sent} packets, of which ${flood.read} were read`,
  );

  // A fast machine is done with all this before three epochs have passed.
  const epochNow = () => network.life(network.nodes[0]!).report?.epoch ?? 0;
  await until(() => epochNow() >= firstEpoch + 3, () => `${epochNow()}`);
  over.abort();
  await writing;
  const { replies } = letters;
  await until(
    () => replies.taken + replies.failures.length === replies.given,
    () => JSON.stringify(replies),
  );
  const writtenMs = performance.now();
  scenario.say("all letters are acknowledged or answered");
  await scenario.rest();
  scenario.say("nothing moves");

  const balances = balancesOf(scenario.parties(letters));
  const running = network.nodes.filter(({ lives }) => !lives.at(-1)!.end);
  for (const machine of running) {
    assertAtRest(network.life(machine).report!, machine.name);
  }
  const lastEpoch = network.life(network.nodes[0]!).report!.epoch;
  assert(lastEpoch - firstEpoch >= 3, `${firstEpoch} to ${lastEpoch}`);
  await letters[Symbol.asyncDispose]();
  await Promise.all(
    running.map((machine) => network.life(machine).terminate()),
  );
  const totals = {
    written: sum(scenario.links.written) + flood.sent,
    lost: sum(scenario.links.lost),
    received: 0,
    replayed: 0,
    mac: 0,
  };
  for (const { name, lives } of network.nodes) {
    for (const { entries } of lives) {
      for (const entry of entries) assertReport(entry, name);
      const { counts, links } = entries.at(-1)!;
      totals.written += sum(links.written);
      totals.lost += sum(links.lost);
      totals.received += sum(links.received);
      totals.replayed += counts.dropped.replayed;
      totals.mac += counts.dropped.mac;
    }
  }
  assertEquals(totals.replayed, 2 * 4);
  // Noise has no MAC; what of it was read when its epoch's key was gone was not looked at.
  const { dropped } = target.lives.at(-1)!.report!.counts;
  assertEquals(totals.mac, dropped.mac);
  assert(dropped.mac <= flood.sent, `${dropped.mac}`);
  assert(dropped.mac + dropped.epoch >= flood.sent, JSON.stringify(dropped));
  assertLetters(letters);
  summarize();

  function summarize() {
    const { length } = letters.letters;
    const times = letters.letters.map(({ tookMs }) => tookMs!)
      .sort((a, b) => a - b);
    const count = (what: "retransmissions" | "realPackets") =>
      letters.stats.reduce((all, each) => all + each[what], 0);
    report(
      `${length} letters and ${replies.taken} replies, each once, in ${
        seconds(writtenMs - connectedMs)
      } and ${lastEpoch - firstEpoch + 1} epochs: median ${
        seconds(times[length >> 1]!)
      }, longest ${seconds(times.at(-1)!)}, longest of 3 during a flood ${
        seconds(Math.max(...duringFlood))
      }; ${count("retransmissions")} of ${
        count("realPackets")
      } packets sent again`,
    );
    report(
      `links: ${totals.written} packets written, ${totals.lost} others lost by links, ${totals.received} read; ${
        ofEnded(balances, "unread")
      } unread by and ${
        ofEnded(balances, "unreported")
      } unreported of lives that ended; ${totals.replayed} replays refused; flood: ${flood.read} of ${flood.sent} packets read within ${
        seconds(flood.elapsedMs)
      }, slowed ${flood.slowed} times; ${seconds(performance.now() - startMs)}`,
    );
  }
});

function assertLetters({ letters, replies, got }: Correspondence): void {
  const failures = letters.flatMap(({ failure }) => failure ?? []);
  assertEquals(failures, []);
  const wanted = got.map((_, i) =>
    letters.filter(({ to }) => to === i).map(({ hash }) => hash).sort()
  );
  assertEquals(got.map((hashes) => hashes.toSorted()), wanted);
  const requests = letters.filter(({ wantsReply }) => wantsReply);
  assert(requests.every(({ isAnswered }) => isAnswered));
  assertEquals(replies.failures, []);
  assertEquals([replies.given, replies.taken], [
    requests.length,
    requests.length,
  ]);
}

function livesOf({ lives }: Machine, flood: Life | undefined): Life[] {
  return [...lives, ...flood ? [flood] : []]
    .sort((a, b) => a.startedAtMs - b.startedAtMs);
}

/** Packets that `target` has read from whoever has the key of `source`. */
function received({ lives }: Machine, source: Machine): number {
  return lives.at(-1)!.report!.links.received[source.linkKey] ?? 0;
}

function ofEnded(
  balances: readonly Balance[],
  what: "unread" | "unreported",
): number {
  return balances.reduce((all, each) => all + (each.end ? each[what] : 0), 0);
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
