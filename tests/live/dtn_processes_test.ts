/**
 * Ten nodes of `betanet-dtn` as processes on the loopback interface. Contacts between them begin and are cut at random, some are killed
 * and start again on what they kept, the disk of one is full and the quota of another used up. In the end every bundle was delivered once,
 * has expired, or was refused when it was sent.
 *
 * @module
 */
import { assertEquals, assertGreater } from "@std/assert";
import { delay, systemClock } from "../../src/core/async/mod.ts";
import { makeFolder } from "../cli/_htx_process.ts";
import { DtnLedger } from "../scenario/_dtn_ledger.ts";
import type { Letter } from "../scenario/_dtn_letter.ts";
import { DtnMachine } from "../scenario/_dtn_processes.ts";
import { report } from "../scenario/_line_process.ts";

const NODES = 10;
const LETTERS = 5_000;
const STORM_MS = 40_000;
const STEP_MS = 100;
const LINKS = 9;
const KILL_EVERY_MS = 4_000;
const DOWN_MS = 1_500;
const PATIENCE_MS = 120_000;
const HOUR_MS = 3_600_000;
const MIB = 1_048_576;
/** The disk of one node, what else is on it, and what another may keep at first. */
const DISK = { bytes: 96 * MIB, ballastBytes: 88 * MIB };
const QUOTA = "2MiB";

Deno.test(`${NODES} nodes as processes, of which some are killed and one has a full disk: of ${LETTERS} bundles none is lost and none delivered twice`, async () => {
  await using scenario = await Scenario.start();
  const { ledger } = scenario;
  await scenario.storm();
  const full = scenario.disk.report?.counts.dropped.full ?? 0;
  const overQuota = scenario.quota.report?.counts.dropped.full ?? 0;
  await scenario.heal();
  const { fates, refusals, again, late, faults } = ledger;
  assertEquals(faults, []);
  assertEquals(ledger.size, LETTERS);
  assertEquals(fates.open, 0, JSON.stringify(ledger.open.slice(0, 10)));
  assertGreater(fates.delivered, LETTERS / 2);
  assertGreater(scenario.kills, 5);
  assertGreater(full, 0);
  assertGreater(overQuota, 0);
  const list = [...refusals].map(([why, count]) => `${count} ${why}`).join(
    ", ",
  );
  report(
    `${LETTERS} bundles, ${NODES} nodes, ${scenario.kills} SIGKILLs, ${scenario.links} contacts: ${fates.delivered} delivered, ${fates.expired} expired, ${fates.refused} refused (${list}); ${late} sent when their node was back, ${again} given again, ${full} and ${overQuota} refusals for want of disk and quota`,
  );
});

/** A contact that one of two nodes began. */
interface Link {
  readonly from: DtnMachine;
  readonly to: DtnMachine;
}

class Scenario implements AsyncDisposable {
  readonly ledger = new DtnLedger();
  readonly machines: DtnMachine[] = [];
  /** SIGKILLs so far. */
  kills = 0;
  /** Contacts so far. */
  links = 0;
  readonly #live = new Map<number, Link>();
  readonly #stack = new AsyncDisposableStack();
  readonly #startMs = performance.now();
  #stormMs = 0;

  static async start(): Promise<Scenario> {
    const scenario = new Scenario();
    await scenario.#start();
    return scenario;
  }

  /** The node whose disk is full. */
  get disk(): DtnMachine {
    return this.machines[0]!;
  }

  /** The node that may keep little. */
  get quota(): DtnMachine {
    return this.machines[1]!;
  }

  /** Letters are sent, contacts begin and are cut, nodes are killed. */
  async storm(): Promise<void> {
    this.#stormMs = performance.now();
    const steps = STORM_MS / STEP_MS;
    const restarts: Promise<void>[] = [];
    for (let step = 1; step <= steps; step++) {
      const due = Math.floor(LETTERS * step / steps);
      while (this.ledger.size < due) await this.#sendOne();
      if (step % 4 === 0) await this.#changeLinks();
      if (step % 10 === 0) await this.#report();
      if (step % (KILL_EVERY_MS / STEP_MS) === 0) restarts.push(this.#kill());
      await this.#until(step * STEP_MS);
    }
    await Promise.all(restarts);
    await this.#report();
    await delay(systemClock, 500);
    this.#say(`${JSON.stringify(this.ledger.fates)} after the storm`);
  }

  /** Everybody is up, has room and meets others, until every letter has its fate. */
  async heal(): Promise<void> {
    await this.disk.tell({ kind: "room" });
    await this.quota.kill();
    await this.quota.start({ "store.max_size": "1GiB" });
    const endMs = performance.now() + PATIENCE_MS;
    const { ledger } = this;
    while (ledger.fates.open > 0 && performance.now() < endMs) {
      for (const [i, from] of this.machines.entries()) {
        for (const step of [1, 3]) {
          const to = this.machines[(i + step) % NODES]!;
          if (!this.#isLinked(from, to)) await this.#link(from, to);
        }
      }
      await delay(systemClock, 500);
    }
    await this.#report();
    await delay(systemClock, 500);
    this.#say(`${JSON.stringify(ledger.fates)} at the end`);
    for (const machine of this.machines) await machine.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }

  async #start(): Promise<void> {
    const canMount = await unshares();
    if (!canMount) {
      this.#say("no tmpfs can be mounted: a quota stands in for a full disk");
    }
    for (let i = 0; i < NODES; i++) {
      const name = `n${i}`;
      const { path } = this.#stack.use(await makeFolder());
      const isDisk = i === 0 && canMount;
      const machine = this.#stack.use(
        new DtnMachine({
          name,
          options: {
            flags: {
              "node.id": `dtn://${name}/`,
              "node.listen": "tcpcl://127.0.0.1:0",
              "node.state": path,
              "node.plaintext": "*",
              ...i === 1 && { "store.max_size": QUOTA },
            },
            ...isDisk && { ballastBytes: DISK.ballastBytes },
          },
          ...isDisk && { launcher: onDiskAt(path) },
          ledger: this.ledger,
          onParted: (link) => this.#live.delete(link),
        }),
      );
      this.machines.push(machine);
      await machine.start();
    }
    this.#say("all are up");
  }

  async #sendOne(): Promise<void> {
    const [from, to] = this.#two(() => true);
    const number = this.ledger.size;
    const letter: Letter = {
      number,
      from: from!.name,
      to: to!.name,
      size: sizeOf(Math.random()),
      priority: Math.floor(3 * Math.random()) as Letter["priority"],
      createdMs: Date.now(),
      lifetimeMs: number % 8 === 0 ? 500 + 5_000 * Math.random() : HOUR_MS,
    };
    await from!.send({ ...letter, lifetimeMs: Math.ceil(letter.lifetimeMs) });
  }

  /** Cuts one contact and begins others. */
  async #changeLinks(): Promise<void> {
    const links = [...this.#live];
    const [id, link] = links[Math.floor(links.length * Math.random())] ?? [];
    if (id !== undefined) await link!.from.tell({ kind: "part", link: id });
    while (this.#live.size < LINKS) {
      const [from, to] = this.#two(({ isUp }) => isUp);
      if (!from || !to) return;
      await this.#link(from, to);
    }
  }

  async #link(from: DtnMachine, to: DtnMachine): Promise<void> {
    if (!from.isUp || !to.isUp) return;
    const link = this.links++;
    this.#live.set(link, { from, to });
    await from.tell({ kind: "meet", link, address: to.address });
  }

  #isLinked(from: DtnMachine, to: DtnMachine): boolean {
    return [...this.#live.values()].some((link) =>
      link.from === from && link.to === to
    );
  }

  /** Ends a node with SIGKILL, and starts it again a little later. */
  async #kill(): Promise<void> {
    const [machine] = this.#two((each) =>
      each.isUp && each !== this.disk && each !== this.quota
    );
    this.kills++;
    await machine!.kill();
    for (const [id, { from }] of this.#live) {
      if (from === machine) this.#live.delete(id);
    }
    await delay(systemClock, DOWN_MS * Math.random());
    await machine!.start();
  }

  /** Two different nodes of which `isFit` holds. */
  #two(isFit: (machine: DtnMachine) => boolean): DtnMachine[] {
    const fit = this.machines.filter(isFit);
    const [first] = fit.splice(Math.floor(fit.length * Math.random()), 1);
    const second = fit[Math.floor(fit.length * Math.random())];
    return first && second ? [first, second] : [];
  }

  async #report(): Promise<void> {
    for (const machine of this.machines) await machine.tell({ kind: "report" });
  }

  async #until(elapsedMs: number): Promise<void> {
    const leftMs = this.#stormMs + elapsedMs - performance.now();
    await delay(systemClock, Math.max(0, leftMs));
  }

  #say(text: string): void {
    const seconds = ((performance.now() - this.#startMs) / 1_000).toFixed(1);
    report(`${seconds} s: ${text}`);
  }
}

/** Most are small, few are large: 100 B to 300 kB. */
function sizeOf(share: number): number {
  return Math.round(100 * 3_000 ** (share ** 4));
}

/** Runs what follows with a disk of its own at `path`, which nobody else sees. */
function onDiskAt(path: string): string[] {
  const script =
    `mount -t tmpfs -o size=${DISK.bytes} tmpfs '${path}'; exec "$0" "$@"`;
  return [
    ...["unshare", "--user", "--map-root-user", "--mount"],
    ...["sh", "-ec", script],
  ];
}

async function unshares(): Promise<boolean> {
  const [command, ...args] = [...onDiskAt("/mnt"), "true"];
  try {
    const { success } = await new Deno.Command(command!, {
      args,
      stderr: "null",
    }).output();
    return success;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return false;
  }
}
