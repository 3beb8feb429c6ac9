import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { CliError } from "../../cli/_error.ts";
import { run } from "../../cli/_main.ts";
import { program } from "../../cli/dtn.ts";
import { SCHEMA } from "../../cli/dtn/config.ts";
import { costOf, schedulerOf } from "../../cli/dtn/schedule_config.ts";
import { parseConfig } from "../../src/core/config/mod.ts";
import type { ScheduledBundle } from "../../src/dtn/mod.ts";
import { FakeTerminal } from "./_fake_terminal.ts";
import { makeFolder } from "./_htx_process.ts";
import { RunningProgram } from "./_run_mixnode.ts";

const LYAPUNOV = `
[schedule]
by = "lyapunov"
v = 1e6

[cost.tcpcl]
money_per_byte = 1
`;

async function ran(...args: readonly string[]) {
  const terminal = new FakeTerminal(args);
  const code = await run(program, terminal);
  return { code, stdout: terminal.out, stderr: terminal.err };
}

async function startNode(name: string, state: string, ...more: string[]) {
  const node = new RunningProgram(program, [
    ...["node", "--id", `dtn://${name}/`, "--state", state],
    ...["--plaintext", "*", "--app-port", "0", ...more],
  ]);
  const [, at, app] = await node.said(
    /at (\S+(?: and \S+)*), applications at http:\/\/127\.0\.0\.1:(\d+)/,
  );
  return {
    addresses: at!.split(" and "),
    app: ["--state", state, "--app-port", app!],
    async end() {
      await node.terminal.send("SIGTERM");
      assertEquals(await node.ended, 0);
    },
  };
}

Deno.test("betanet-dtn node holds bundles back on a layer that costs too much, and sends them over one that does not", async () => {
  await using folder = await makeFolder();
  const { path } = folder;
  const config = `${path}/dtn.toml`;
  await Deno.writeTextFile(config, LYAPUNOV);
  await Deno.writeTextFile(`${path}/letter`, "hello");
  const any = ["--listen", "tcpcl://127.0.0.1:0"];
  const two = await startNode(
    "two",
    `${path}/two`,
    ...any,
    "--listen",
    "mtcp://127.0.0.1:0",
  );
  const [tcpcl = "", mtcp = ""] = two.addresses;
  const start = (schedule: string, ...peers: string[]) =>
    startNode(
      "one",
      `${path}/one`,
      ...any,
      "--config",
      config,
      "--schedule",
      schedule,
      ...peers.flatMap((peer) => ["--peer", peer]),
    );

  const dear = await start("lyapunov", tcpcl);
  await ran("send", "dtn://two/in", `${path}/letter`, ...dear.app);
  const ping = await ran(
    "ping",
    "dtn://one/echo",
    "--count",
    "1",
    "--deadline",
    "1s",
    ...two.app,
  );
  assertEquals(ping.code, 1, "the answer is held back too");
  assertEquals(
    JSON.parse((await ran("query", "peers", "--json", ...dear.app)).stdout),
    ["dtn://two/"],
  );
  assertEquals((await ran("recv", "in", ...two.app)).stdout, "");
  await dear.end();

  const both = await start("lyapunov", tcpcl, `dtn://two/@${mtcp}`);
  const got = await ran("recv", "in", "--wait", "--count", "1", ...two.app);
  assertEquals([got.code, got.stdout], [0, "hello\n"], got.stderr);
  await both.end();
  await two.end();
});

Deno.test("[cost] and [schedule] say what schedulers are told, with defaults that cost nothing", () => {
  const config = parseConfig(
    `[cost.udp]
bytes_per_second = 5_000
latency = "250ms"
energy_per_byte = 0.5
money_per_byte = 1e-6
exposure = 0.4
reliability = 0.9`,
    SCHEMA,
  );
  assertEquals(costOf(config.cost, "udp://127.0.0.1:1"), {
    ...{ bytesPerSecond: 5_000, latencyMs: 250, energyPerByte: 0.5 },
    ...{ moneyPerByte: 1e-6, exposure: 0.4, reliability: 0.9 },
  });
  assertEquals(costOf(config.cost, "tcpcl://127.0.0.1:1"), {
    ...{ bytesPerSecond: Infinity, latencyMs: 0, energyPerByte: 0 },
    ...{ moneyPerByte: 0, exposure: 0, reliability: 1 },
  });
  assertEquals(costOf(config.cost, "mtcp://127.0.0.1:1").reliability, 0.99);
  assertThrows(() => costOf(config.cost, "tcp://127.0.0.1:1"), RangeError);
  assertEquals(schedulerOf(config.schedule).name, "fifo");
});

Deno.test("the example of docs/dtn.md is a configuration", async () => {
  const text = await Deno.readTextFile(
    new URL("../../docs/dtn.md", import.meta.url),
  );
  const [, example] = /```toml\n(\[schedule\][^`]*)```/.exec(text)!;
  const { schedule, cost } = parseConfig(example!, SCHEMA);
  assertEquals(schedulerOf(schedule).name, "lyapunov");
  assertEquals(costOf(cost, "tcpcl://127.0.0.1:1").moneyPerByte, 1e-6);
});

Deno.test("schedulerOf() gives drift plus penalty the V and the weights of the configuration", () => {
  const bundle: ScheduledBundle = {
    ...{ id: "a", destination: "dtn://z/in", size: 1_000 },
    priority: 1,
    ...{ receivedMs: 0, expiresMs: Infinity },
  };
  const contact = {
    ...{ peer: "b", bytesPerSecond: Infinity, latencyMs: 0, exposure: 0 },
    ...{ energyPerByte: 0.001, moneyPerByte: 0.002, reliability: 1 },
  };
  // 1 kB waits and is worth V times 4; it costs V times 3 + 2 × 0.25 + 0.
  const gain = (v: number, energy: number) => {
    const { schedule } = parseConfig(
      `[schedule]
by = "lyapunov"
v = ${v}
energy_weight = ${energy}
money_weight = 0.25
utilities = [1, 4, 9]
aging = 0`,
      SCHEMA,
    );
    const scheduler = schedulerOf(schedule);
    scheduler.add(bundle, "b");
    return scheduler.gain(contact, 0);
  };
  assertEquals([gain(0, 3), gain(2, 3), gain(2, 1)], [1, 2, 6]);
  const { schedule } = parseConfig(
    '[schedule]\nby = "lyapunov"\nutilities = [1]',
    SCHEMA,
  );
  assertThrows(() => schedulerOf(schedule), CliError, "schedule.utilities");
});

Deno.test("betanet-dtn node refuses schedules and costs that are none, with their line", async () => {
  await using folder = await makeFolder();
  const config = `${folder.path}/dtn.toml`;
  for (
    const [text, says] of [
      ['[schedule]\nby = "best"', "dtn.toml:2: schedule.by"],
      ["[cost.tcpcl]\nexposure = 2", "dtn.toml:2: cost.tcpcl.exposure"],
      ["[cost.pigeon]\nlatency = 1", "cost.pigeon"],
      ["[schedule]\nmoney_per_second = 0", "schedule.money_per_second"],
    ] as const
  ) {
    await Deno.writeTextFile(config, text);
    const refused = await ran(
      "node",
      "--config",
      config,
      "--state",
      folder.path,
    );
    assertEquals(refused.code, 2, refused.stderr);
    assertStringIncludes(refused.stderr, says);
  }
});
