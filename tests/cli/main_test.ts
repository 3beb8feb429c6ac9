import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { CliError } from "../../cli/_error.ts";
import { suggest } from "../../cli/_flags.ts";
import {
  type Command,
  command,
  type Context,
  type Program,
  run,
} from "../../cli/_main.ts";
import { formatBytes, formatSeconds, Progress } from "../../cli/_progress.ts";
import { table } from "../../cli/_table.ts";
import { escapeControls } from "../../cli/_terminal.ts";
import config from "../../deno.json" with { type: "json" };
import { FakeTerminal } from "./_fake_terminal.ts";

const EXIT_CODES =
  "\nExit codes: 0 done, 1 failed, 2 wrong usage or configuration, 130 or 143 cut short by SIGINT or SIGTERM.\n";

Deno.test("run() passes flags and operands to the command", async () => {
  const got: unknown[] = [];
  const program = programOf(command({
    usage: "",
    flags: { port: "string", allow: "strings", eager: "boolean" },
    aliases: { p: "port" },
    operands: [1, 2],
    run: ({ port, allow, eager }, { operands }) => {
      got.push(port, allow, eager, operands);
      return Promise.resolve();
    },
  }));
  const args = ["do", "one", "-p", "9000", "--allow=a=b", "--allow", "c"];
  assertEquals(await runWith(program, [...args, "--", "--port"]), {
    code: 0,
    stdout: "",
    stderr: "",
  });
  assertEquals(got, ["9000", ["a=b", "c"], false, ["one", "--port"]]);
});

Deno.test("run() leaves flags undefined, false and empty when they are absent", async () => {
  const program = programOf(command({
    usage: "",
    flags: { port: "string", allow: "strings", eager: "boolean" },
    run: (flags) => {
      assertEquals(flags.port, undefined);
      assertEquals(flags.allow, []);
      assertEquals(flags.eager, false);
      return Promise.resolve();
    },
  }));
  assertEquals((await runWith(program, ["do"])).code, 0);
});

const BAD_USAGE: readonly (readonly [args: string[], stderr: string])[] = [
  [[], "error: No command given\nx: hint: x --help lists the commands.\n"],
  [["dop"], "error: Unknown command dop\nx: hint: Did you mean do?\n"],
  [["zzzzz"], "error: Unknown command zzzzz\nx: hint: x --help lists"],
  [["constructor"], "error: Unknown command constructor\n"],
  [["--json", "do"], "error: Unknown flag --json\nx: hint: Flags come after"],
  [
    ["do", "--prot", "1"],
    "error: Unknown flag --prot\nx: hint: Did you mean --port?\n",
  ],
  [["do", "--__proto__=1"], "error: Unknown flag --__proto__\n"],
  [["do", "-z"], "error: Unknown flag -z\n"],
  [["do", "--port"], "error: Flag --port wants a value\n"],
  [["do", "--port="], "error: Flag --port wants a value\n"],
  [["do", "--port", "--json"], "error: Flag --port wants a value\n"],
  [["do", "--allow", "a", "--allow"], "error: Flag --allow wants a value\n"],
  [["do", "--json=yes"], "error: Flag --json takes no value\n"],
  [["do", "operand"], "error: Want 0 operands, got 1\n"],
  [
    ["do", "--log-level", "inof"],
    "error: Flag --log-level wants debug, info, warn, error\nx: hint: Did you mean info?\n",
  ],
  [["do", "--log-format=xml"], "error: Flag --log-format wants text, json\n"],
];

for (const [args, stderr] of BAD_USAGE) {
  Deno.test(`run() exits 2 for "x ${args.join(" ")}"`, async () => {
    let ran = false;
    const program = programOf(command({
      usage: "",
      flags: { port: "string", allow: "strings" },
      run: () => {
        ran = true;
        return Promise.resolve();
      },
    }));
    const result = await runWith(program, args);
    assertEquals(result.code, 2);
    assertEquals(result.stdout, "");
    assertStringIncludes(result.stderr, `x: ${stderr}`);
    assertEquals(ran, false);
  });
}

Deno.test("run() prints help and version to stdout", async () => {
  const program = programOf(doing(() => {
    throw new Error("must not run");
  }));
  for (const args of [["--help"], ["-h"]]) {
    assertEquals(await runWith(program, args), {
      code: 0,
      stdout: `Usage: x do\n${EXIT_CODES}`,
      stderr: "",
    });
  }
  for (const args of [["do", "--help"], ["do", "--bad", "-h"]]) {
    const { stdout } = await runWith(program, args);
    assert(stdout.startsWith("Usage: x do [flags]\n\nFlags of every command:"));
    assert(stdout.endsWith(EXIT_CODES));
  }
  assertEquals(
    (await runWith(program, ["--version"])).stdout,
    `x ${config.version}\n`,
  );
});

Deno.test("run() exits 1 and prints the message when a command fails", async () => {
  const program = programOf(doing(() => {
    throw new Error("Cannot \x1b[31mopen it\nbecause");
  }));
  assertEquals(await runWith(program, ["do"]), {
    code: 1,
    stdout: "",
    stderr: "x: error: Cannot \x1b[31mopen it\n  because\n",
  });
});

Deno.test("run() prints the hint of a CliError", async () => {
  const program = programOf(doing(() => {
    throw new CliError("failed", "No key", { hint: "Make one." });
  }));
  assertEquals(await runWith(program, ["do"]), {
    code: 1,
    stdout: "",
    stderr: "x: error: No key\nx: hint: Make one.\n",
  });
});

Deno.test("run() prints what caused an error, four deep", async () => {
  let error = new Error("6");
  for (const n of [5, 4, 3, 2, 1]) error = new Error(`${n}`, { cause: error });
  const program = programOf(doing(() => Promise.reject(error)));
  assertEquals(
    (await runWith(program, ["do"])).stderr,
    "x: error: 1\nx: cause: 2\nx: cause: 3\nx: cause: 4\nx: cause: 5\n",
  );
});

Deno.test("run() with --json prints the value instead of the text", async () => {
  const program = programOf(
    doing((context) => context.print({ a: [1] }, "A 1")),
  );
  assertEquals((await runWith(program, ["do"])).stdout, "A 1\n");
  assertEquals(
    (await runWith(program, ["do", "--json"])).stdout,
    '{"a":[1]}\n',
  );
});

Deno.test("run() logs at the level and in the format asked for", async () => {
  const program = programOf(doing(({ log }) => {
    log.debug("a.detail");
    log.warn("a.warning", { count: 2 });
  }));
  const text = (await runWith(program, ["do"])).stderr;
  assertStringIncludes(text, "a.warning");
  assert(!text.includes("a.detail"));
  const args = ["do", "--log-format", "json", "--log-level", "debug"];
  const lines = (await runWith(program, args)).stderr.trim().split("\n");
  const events = lines.map((line) => JSON.parse(line));
  assertEquals(events.map(({ event }) => event), ["a.detail", "a.warning"]);
  assertEquals(events[1].count, 2);
});

Deno.test("run() with --quiet shows neither notes nor progress", async () => {
  const program = programOf(doing((context) => {
    context.note("a note");
    using progress = context.progress("copy", 10);
    progress.advance(10);
  }));
  assertStringIncludes((await runWith(program, ["do"])).stderr, "a note\ncopy");
  assertEquals((await runWith(program, ["do", "--quiet"])).stderr, "");
});

Deno.test("run() aborts the command's signal on SIGTERM and exits 0 once it has finished", async () => {
  const program = programOf(doing(async ({ signal }) => {
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
  }));
  const terminal = new FakeTerminal(["do"]);
  const done = run(program, terminal);
  await terminal.send("SIGTERM");
  assertEquals(await done, 0);
  assertEquals(terminal.listeners.size, 0);
});

Deno.test("run() exits 143 or 130 when the command throws the signal's reason", async () => {
  for (const [name, code] of [["SIGTERM", 143], ["SIGINT", 130]] as const) {
    const program = programOf(
      doing(({ signal }) =>
        new Promise((_, reject) =>
          signal.addEventListener("abort", () => reject(signal.reason))
        )
      ),
    );
    const terminal = new FakeTerminal(["do"]);
    const done = run(program, terminal);
    await terminal.send(name);
    assertEquals(await done, code);
    assert(!terminal.err.includes("error"));
  }
});

Deno.test("run() exits at once on a second signal", async () => {
  const drained = Promise.withResolvers<void>();
  const program = programOf(doing(() => drained.promise));
  const terminal = new FakeTerminal(["do"]);
  const done = run(program, terminal);
  await terminal.send("SIGTERM");
  assertEquals(terminal.exitCode, undefined);
  await terminal.send("SIGINT");
  assertEquals(terminal.exitCode, 130);
  drained.resolve();
  await done;
});

Deno.test("run() finds the commands of a program within a program", async () => {
  const inner = programOf(doing((context) => context.print(0, "inner")));
  const outer: Program = {
    name: "y",
    usage: "Usage: y x do",
    commands: { x: () => Promise.resolve(inner) },
  };
  assertEquals((await runWith(outer, ["x", "do"])).stdout, "inner\n");
  assertEquals(
    (await runWith(outer, ["x", "-h"])).stdout,
    `Usage: x do\n${EXIT_CODES}`,
  );
  assertEquals(
    (await runWith(outer, ["x", "no"])).stderr.slice(0, 9),
    "x: error:",
  );
});

Deno.test("suggest() answers only with a near word", () => {
  assertEquals(suggest("serer", ["server", "proxy"]), "Did you mean server?");
  assertEquals(suggest("x", ["server", "proxy"]), undefined);
  assertEquals(suggest("s".repeat(1_000_000), ["server"]), undefined);
});

Deno.test("escapeControls() leaves nothing that drives a terminal", () => {
  assertEquals(
    escapeControls("a\x1b[2J\r\x07\x9b\u202eb\tc\nd \u00e9"),
    "a\\x1b[2J\\x0d\\x07\\x9b\\u202eb\tc\nd \u00e9",
  );
});

Deno.test("table() aligns text left and numbers right", () => {
  assertEquals(
    table(["name", "bytes"], [["a", 5], ["longer", 1234]]),
    "name    bytes\na           5\nlonger   1234",
  );
  assertEquals(table(["name", "bytes"], []), "name  bytes");
});

Deno.test("Progress redraws a line on a terminal, at most every 100 ms", () => {
  const terminal = new FakeTerminal([], true);
  const time = { ms: 0 };
  {
    using progress = progressAt(time, terminal, 4096);
    progress.advance(1024);
    assertEquals(terminal.statuses, []);
    time.ms = 1000;
    progress.advance(1024);
    progress.advance(2048);
    time.ms = 1001;
  }
  assertEquals(terminal.statuses, [
    "copy  [#####-----]   50%  2.0 KiB of 4.0 KiB  2.0 KiB/s  1.0 s left",
    "",
  ]);
  assertEquals(
    terminal.err,
    "copy  100%  4.0 KiB of 4.0 KiB  4.0 KiB/s  in 1.0 s\n",
  );
});

Deno.test("Progress writes a line every 5 s elsewhere", () => {
  const terminal = new FakeTerminal([]);
  const time = { ms: 0 };
  const progress = progressAt(time, terminal);
  for (time.ms = 1000; time.ms <= 11_000; time.ms += 1000) {
    progress.advance(1024);
  }
  assertEquals(terminal.err.split("\n"), [
    "copy  5.0 KiB  1.0 KiB/s  in 5.0 s",
    "copy  10.0 KiB  1.0 KiB/s  in 0:10",
    "",
  ]);
  assertEquals(terminal.statuses, []);
});

Deno.test("formatBytes() and formatSeconds() choose the unit", () => {
  assertEquals(
    [0, 1023, 1024, 1.5 * 2 ** 20, 8 * 2 ** 30, 3 * 2 ** 40].map(formatBytes),
    ["0 B", "1023 B", "1.0 KiB", "1.5 MiB", "8.0 GiB", "3.0 TiB"],
  );
  assertEquals([0.44, 9.96, 65, 7384].map(formatSeconds), [
    "0.4 s",
    "0:10",
    "1:05",
    "2:03:04",
  ]);
});

function progressAt(
  time: { readonly ms: number },
  terminal: FakeTerminal,
  totalBytes?: number,
): Progress {
  const clock = {
    now: () => time.ms,
    wallTime: () => time.ms,
    setTimeout: () => () => {},
  };
  return new Progress({
    label: "copy",
    totalBytes,
    quiet: false,
    terminal,
    clock,
  });
}

function doing(run: (context: Context) => unknown): Command {
  return command({
    usage: "\nUsage: x do [flags]\n",
    flags: {},
    run: async (_flags, context) => void await run(context),
  });
}

function programOf(only: Command): Program {
  return { name: "x", usage: "\nUsage: x do\n", commands: { do: only } };
}

async function runWith(program: Program, args: string[]) {
  const terminal = new FakeTerminal(args);
  const code = await run(program, terminal);
  return { code, stdout: terminal.out, stderr: terminal.err };
}
