import { assertEquals, assertThrows } from "@std/assert";
import {
  boolean,
  ConfigError,
  type ConfigIssue,
  type ConfigOf,
  duration,
  integer,
  list,
  number,
  oneOf,
  type Option,
  parseConfig,
  parsed,
  section,
  size,
  string,
} from "../../src/core/config/mod.ts";

const SCHEMA = section({
  server: section({
    port: integer({ min: 1, max: 65535, default: 9000 }),
    idle_timeout: duration({ min: "1s", max: "1h", default: "30s" }),
    max_memory: size({ max: "8GiB", default: "64MiB" }),
    mode: oneOf(["tcp", "quic"], { default: "tcp" }),
    allow: list(string({ pattern: /[^:]+:\d+/ }), { default: [] }),
    tls: section({ cert: string() }).optional(),
  }),
  peers: list(
    section({ host: string(), weight: number({ min: 0, default: 1 }) }),
    {
      default: [],
      maxItems: 3,
    },
  ),
  verbose: boolean({ default: false }),
});

const DEFAULTS: ConfigOf<typeof SCHEMA> = {
  server: {
    port: 9000,
    idle_timeout: 30_000,
    max_memory: 64 * 2 ** 20,
    mode: "tcp",
    allow: [],
    tls: undefined,
  },
  peers: [],
  verbose: false,
};

function issuesOf(
  text: string,
  schema: Option<unknown> = SCHEMA,
  overrides: Record<string, string> = {},
): readonly ConfigIssue[] {
  return assertThrows(
    () => parseConfig(text, schema, { source: "htx.toml", overrides }),
    ConfigError,
  ).issues;
}

function messageOf(text: string, schema: Option<unknown> = SCHEMA): string {
  const issues = issuesOf(text, schema);
  assertEquals(issues.length, 1);
  return issues[0]!.message;
}

Deno.test("parseConfig() of an empty text gives the defaults", () => {
  assertEquals(parseConfig("", SCHEMA), DEFAULTS);
});

Deno.test("parseConfig() reads every kind of value", () => {
  const text = `
    verbose = true # comment
    [server]
    port = 443
    idle_timeout = "5m"
    max_memory = '1MB'
    mode = "quic"
    allow = [
      "a:1", # one
      "b:2",
    ]
    tls.cert = """
line"""
    [[peers]]
    host = "one"
    [[peers]]
    host = "two"
    weight = 0.5
  `;
  assertEquals(parseConfig(text, SCHEMA), {
    server: {
      port: 443,
      idle_timeout: 300_000,
      max_memory: 1e6,
      mode: "quic",
      allow: ["a:1", "b:2"],
      tls: { cert: "line" },
    },
    peers: [{ host: "one", weight: 1 }, { host: "two", weight: 0.5 }],
    verbose: true,
  });
});

Deno.test("the type of a configuration follows from its schema", () => {
  const config = parseConfig("", SCHEMA);
  const mode: "tcp" | "quic" = config.server.mode;
  const cert: string | undefined = config.server.tls?.cert;
  const weights: readonly number[] = config.peers.map((peer) => peer.weight);
  assertEquals([mode, cert, weights.length], ["tcp", undefined, 0]);
});

Deno.test("errors name file, line, path, what is allowed and what was got", () => {
  const cases: readonly [text: string, message: string][] = [
    [
      "[server]\n\nport = 70000",
      "3: server.port: want an integer in 1..65535, got 70000",
    ],
    ["server.port = 0", "1: server.port: want an integer in 1..65535, got 0"],
    [
      "server.port = 1.0",
      "1: server.port: want an integer in 1..65535, got 1.0",
    ],
    [
      'server.port = "80"',
      '1: server.port: want an integer in 1..65535, got "80"',
    ],
    [
      "server.port = [\n]",
      "1: server.port: want an integer in 1..65535, got an array",
    ],
    ["server = 5", "1: server: want a table, got 5"],
    ["verbose = 1", "1: verbose: want true or false, got 1"],
    ["verbose = inf", "1: verbose: want true or false, got Infinity"],
    ['server.mode = "udp"', '1: server.mode: want "tcp" or "quic", got "udp"'],
    [
      'server.mode = "__proto__"',
      '1: server.mode: want "tcp" or "quic", got "__proto__"',
    ],
    [
      "server.idle_timeout = 30",
      '1: server.idle_timeout: want a duration ("250ms", "10s", "5m", "2h") in 1s..1h, got 30',
    ],
    [
      'server.idle_timeout = "2h"',
      '1: server.idle_timeout: want a duration ("250ms", "10s", "5m", "2h") in 1s..1h, got "2h"',
    ],
    [
      'server.idle_timeout = "999ms"',
      '1: server.idle_timeout: want a duration ("250ms", "10s", "5m", "2h") in 1s..1h, got "999ms"',
    ],
    [
      'server.max_memory = "9GiB"',
      '1: server.max_memory: want a size ("512B", "64KiB", "1MB") of at most 8GiB, got "9GiB"',
    ],
    [
      "server.allow = 5",
      "1: server.allow: want a list of at most 1024, each a string like [^:]+:\\d+, got 5",
    ],
    [
      'server.allow = [\n"a:1",\n"b",\n]',
      '3: server.allow[1]: want a string like [^:]+:\\d+, got "b"',
    ],
    ["[server]\ntls = {}", "2: server.tls.cert: want a string, got nothing"],
    [
      "[[peers]]\nhost='x'\n[[peers]]\nweight=1",
      "3: peers[1].host: want a string, got nothing",
    ],
    [
      "peers = [{host='x'}, {host='y',\tweight=-1}]",
      "1: peers[1].weight: want a number of at least 0, got -1",
    ],
    [
      "[[peers]]\nhost='x'\nweight=nan",
      "3: peers[0].weight: want a number of at least 0, got NaN",
    ],
    [
      "peers = [{}, {}, {}, {}]",
      "1: peers: want a list of at most 3, each a table, got 4 items",
    ],
  ];
  for (const [text, message] of cases) {
    assertEquals(messageOf(text), `htx.toml:${message}`);
  }
});

Deno.test("lines are right after multi-line strings, arrays, comments and CRLF", () => {
  const text = [
    'a = """', // 1
    "two", //
    '"""',
    "b = [ # four",
    "  1,",
    "",
    "  'x', # seven",
    "]",
    "c = '''", // 9
    "'''",
    "[d.e]", // 11
    '"f" = 1', // 12
    "[[g]]",
    "[[g.h]]", // 14
    "i = 15",
  ];
  const bad = oneOf(["never"]);
  const schema = section({
    a: bad,
    b: list(integer()),
    c: bad,
    d: section({ e: section({ f: bad }) }),
    g: list(section({ h: list(section({ i: bad })) })),
  });
  for (const end of ["\n", "\r\n"]) {
    const found = issuesOf(text.join(end), schema);
    assertEquals(found.map(({ path, line }) => [path, line]), [
      ["a", 1],
      ["b[1]", 7],
      ["c", 9],
      ["d.e.f", 12],
      ["g[0].h[0].i", 15],
    ]);
  }
});

Deno.test("unknown keys are errors, with the nearest key if one is near", () => {
  const of = (text: string) => messageOf(text).replace("htx.toml:", "");
  assertEquals(
    of("server.prot = 1"),
    "1: server.prot: unknown key, did you mean port?",
  );
  assertEquals(
    of("[server]\n[server.idle_timeot]"),
    "2: server.idle_timeot: unknown key, did you mean idle_timeout?",
  );
  assertEquals(of("[other]\nx = 1"), "1: other: unknown key");
  assertEquals(of("'a b' = 1"), '1: "a b": unknown key');
  assertEquals(
    of(`${"k".repeat(1000)} = 1`),
    `1: "${"k".repeat(40)}"…: unknown key`,
  );
});

Deno.test("keys of Object.prototype are unknown keys and change nothing", () => {
  for (
    const key of ["__proto__", "constructor", "toString", "hasOwnProperty"]
  ) {
    assertEquals(issuesOf(`${key}.polluted = 1`)[0]!.code, "unknown_key");
    assertEquals(
      issuesOf(`[server.${key}]\npolluted = 1`)[0]!.code,
      "unknown_key",
    );
    assertEquals(
      issuesOf("", SCHEMA, { [`server.${key}.x`]: "1" })[0]!.code,
      "unknown_key",
    );
  }
  assertEquals(Object.hasOwn(Object.prototype, "polluted"), false);
});

Deno.test("a required key that is absent is an error", () => {
  const schema = section({ name: string(), key: section({ id: integer() }) });
  assertEquals(issuesOf("", schema).map((issue) => issue.message), [
    "htx.toml: name: want a string, got nothing",
    "htx.toml:1: key.id: want an integer, got nothing",
  ]);
  assertEquals(issuesOf("", schema).map((issue) => issue.code), [
    "missing",
    "missing",
  ]);
});

Deno.test("syntax errors name their line and key, and quote nothing else", () => {
  const cases: readonly [text: string, message: string][] = [
    ["a = 1\nb = ", "2: b: want a value"],
    ["a = 1\na = 2", "2: a: key is defined twice"],
    ["[a]\n[b]\n[a]", "3: a: table is defined twice"],
    ["[a.b]\nc = 1\nc = 2", "3: a.b.c: key is defined twice"],
    ["[a]\n= 1", "2: a: want a key, without escapes"],
    ["a = 1\n[", "2: want a key, without escapes"],
    ["a = 1 b = 2", "1: a: want the end of the line"],
    [
      'a = 1\nb = """\n\n',
      "2: b: string is not closed, or has an escape that is not read",
    ],
    ...["\\U0001f600", "\\uD800", "\\ud83d\\ude00"].map((escape) =>
      [
        `a = "${escape}"`,
        "1: a: string is not closed, or has an escape that is not read",
      ] as [string, string]
    ),
    ["a = 1\nb = '\ud800'", "1: want well-formed Unicode"],
    ["\n\na = [1\n2]", "4: a[0]: want , or ]"],
    ["a = {b = 1", "1: a.b: want , or }"],
    ["a = {b = 1, =", "1: a: want a key, without escapes"],
    ["a = 1\na.b = 2", "2: a: key is defined twice"],
    ["a = {b = 1, b = 2}", "1: a.b: key is defined twice"],
    ["[[a]]\nb = [\n1]\n'b' = 2", "4: a[0].b: key is defined twice"],
    ["[[a]]\n[[a]]\nb = 1\nb = 1", "4: a[1].b: key is defined twice"],
    ["a = [1, {b = hello}]", "1: a[1].b: want a value: strings must be quoted"],
    ["[a]\n[[a]]", "2: a: key is defined twice"],
    ["[a.b]\n[a]", "2: a: want tables before those in them"],
    ["'a b' = 1\n'a b' = 1", '2: "a b": key is defined twice'],
    ["a = 1\n\nb = 0b12", "3: not TOML 1.0 as @std/toml reads it"],
    ["a = 1\nb = [1\n,\n2]", "3: not TOML 1.0 as @std/toml reads it"],
    ["a = -0x20000000000000", "1: not TOML 1.0 as @std/toml reads it"],
    ["a = 1979-05-27", "1: a: dates are not used here: write a string"],
    [
      "a = 1\nb = 1979-05-27T07:32:00Z",
      "2: b: dates are not used here: write a string",
    ],
    ["a = {b = 07:32:00}", "1: a.b: dates are not used here: write a string"],
    ["a = hello", "1: a: want a value: strings must be quoted"],
  ];
  for (const [text, message] of cases) {
    const [issue] = issuesOf(text);
    assertEquals([issue!.code, issue!.message], [
      "syntax",
      `htx.toml:${message}`,
    ]);
  }
});

Deno.test("several errors come together, at most 20 of them", () => {
  assertEquals(
    issuesOf("verbose = 1\nserver.port = 0\nx = 1").map(({ path }) => path),
    ["server.port", "verbose", "x"],
  );
  const text = Array.from({ length: 50 }, (_, i) => `k${i} = 1`).join("\n");
  const error = assertThrows(() => parseConfig(text, SCHEMA), ConfigError);
  assertEquals(error.issues.length, 20);
  assertEquals(error.message.split("\n").at(-1), "… and 30 more");
});

Deno.test("a secret is never shown", () => {
  const schema = section({
    key: string({ secret: true, pattern: /[0-9a-f]{4}/, want: "4 hex digits" }),
  });
  assertEquals(
    messageOf('key = "hunter2"', schema),
    "htx.toml:1: key: want 4 hex digits, got a string of 7 characters",
  );
  assertEquals(
    messageOf("key = 1234", schema),
    "htx.toml:1: key: want 4 hex digits, got another type",
  );
});

Deno.test("a long value is cut in the message", () => {
  const message = messageOf(`server.mode = "${"x".repeat(1000)}"`);
  assertEquals(message.endsWith(`got "${"x".repeat(40)}"…`), true);
});

Deno.test("parsed() gives what its function returns", () => {
  const schema = section({
    url: parsed({
      want: "a URL",
      parse: (text) => new URL(text),
      format: String,
    }),
  });
  assertEquals(parseConfig('url = "http://x:81/"', schema).url.port, "81");
  assertEquals(
    messageOf('url = "no"', schema),
    'htx.toml:1: url: want a URL, got "no"',
  );
});

Deno.test("overrides replace what the file says, by the same rules", () => {
  const config = parseConfig("[server]\nport = 1\nallow = ['a:1']", SCHEMA, {
    overrides: {
      "server.port": "9001",
      "server.allow": "b:2, c:3",
      "server.idle_timeout": "10s",
      "server.tls.cert": "file.pem",
      verbose: "true",
    },
  });
  assertEquals(config, {
    ...DEFAULTS,
    server: {
      ...DEFAULTS.server,
      port: 9001,
      allow: ["b:2", "c:3"],
      idle_timeout: 10_000,
      tls: { cert: "file.pem" },
    },
    verbose: true,
  });
  const none = parseConfig("server.allow = ['a:1']", SCHEMA, {
    overrides: { "server.allow": "" },
  });
  assertEquals(none.server.allow, []);
  const schema = section({ ratio: number() });
  assertEquals(
    parseConfig("", schema, { overrides: { ratio: "0.25" } }).ratio,
    0.25,
  );
});

Deno.test("errors in overrides say that they are there", () => {
  const of = (overrides: Record<string, string>) =>
    issuesOf("", SCHEMA, overrides).map((issue) => issue.message);
  assertEquals(of({ "server.port": "70000" }), [
    "override: server.port: want an integer in 1..65535, got 70000",
  ]);
  assertEquals(of({ "server.port": "x" }), [
    'override: server.port: want an integer in 1..65535, got "x"',
  ]);
  assertEquals(of({ "server.port": "1.5" }), [
    "override: server.port: want an integer in 1..65535, got 1.5",
  ]);
  assertEquals(of({ verbose: "yes" }), [
    'override: verbose: want true or false, got "yes"',
  ]);
  assertEquals(of({ "server.prot": "1" }), [
    "override: server.prot: unknown key, did you mean port?",
  ]);
  assertEquals(of({ "server.port.x": "1" }), [
    "override: server.port.x: unknown key",
  ]);
  assertEquals(of({ server: "1" }), [
    'override: server: want a table, got "1"',
  ]);
  assertEquals(
    issuesOf("server = 5", SCHEMA, { "server.port": "1" }).length,
    1,
  );
});

Deno.test("integers of up to 53 bits are not rounded", () => {
  const schema = section({ a: integer(), b: integer() });
  assertEquals(
    parseConfig("a = 9007199254740991\nb = -9_007199254740991", schema),
    { a: Number.MAX_SAFE_INTEGER, b: Number.MIN_SAFE_INTEGER },
  );
});

Deno.test("integers beyond 53 bits are errors that name key and range", () => {
  const got = "got an integer beyond ±(2^53 - 1)";
  for (
    const digits of ["9007199254740992", "9007199254740993", "9".repeat(400)]
  ) {
    for (const value of [digits, `-${digits}`]) {
      assertEquals(
        messageOf(`[server]\nport = ${value}`),
        `htx.toml:2: server.port: want an integer in 1..65535, ${got}`,
      );
      assertEquals(
        messageOf(`[[peers]]\nhost = "a"\nweight = ${value}`),
        `htx.toml:3: peers[0].weight: want a number of at least 0, ${got}`,
      );
    }
    const overridden = issuesOf("", SCHEMA, { "server.port": digits });
    assertEquals(
      overridden.map(({ message }) => message),
      [`override: server.port: want an integer in 1..65535, ${got}`],
    );
  }
  assertEquals(
    messageOf("a = 0x20000000000000", section({ a: integer() })),
    `htx.toml:1: a: want an integer, ${got}`,
  );
});

Deno.test("a byte order mark is skipped", () => {
  assertEquals(
    parseConfig("\ufeff[server]\nport = 1", SCHEMA).server.port,
    1,
  );
  assertEquals(issuesOf("\ufeff\ufeffa = 1")[0]!.code, "syntax");
});

Deno.test("parseConfig() refuses a text beyond 2^16 characters", () => {
  parseConfig("#".repeat(2 ** 16), SCHEMA);
  const [issue] = issuesOf("#".repeat(2 ** 16 + 1));
  assertEquals([issue!.code, issue!.message], [
    "too_large",
    "htx.toml: want at most 65536 characters, got 65537",
  ]);
});

Deno.test("a table has at most 128 keys", () => {
  const keys = (count: number) =>
    Array.from({ length: count }, (_, i) => `k${i} = 1`);
  const fields = Object.fromEntries(
    keys(128).map((_, i) => [`k${i}`, integer()] as const),
  );
  const inner = section({ t: section(fields) });
  assertEquals(
    Object.keys(parseConfig(`[t]\n${keys(128).join("\n")}`, inner).t).length,
    128,
  );
  for (
    const [text, line] of [
      [`[t]\n${keys(129).join("\n")}`, 130],
      [`t = {${keys(129).join(", ")}}`, 1],
    ]
  ) {
    assertEquals(
      messageOf(`${text}`, inner),
      `htx.toml:${line}: t.k128: want at most 128 keys in a table`,
    );
  }
});

Deno.test("texts of any shape are read or refused in far below two seconds", () => {
  const max = 2 ** 16;
  const fill = (unit: string) => unit.repeat(Math.floor(max / unit.length));
  const lines = (lineOf: (i: number) => string) =>
    Array.from({ length: max / 8 }, (_, i) => lineOf(i)).join("").slice(0, max)
      .replace(/\n[^\n]*$/, "\n");
  const shapes = [
    fill("[").slice(0, max),
    fill("{a="),
    `a=${fill("[").slice(2)}`,
    `a=${fill("{a=").slice(2)}`,
    fill("a."),
    `a=${fill("1").slice(2)}`,
    `a=${fill("1_").slice(2)}`,
    `a="${fill("x").slice(4)}"`,
    `a="${fill("x").slice(3)}`,
    `a="""${fill("\\\n").slice(8)}"""`,
    `a="""${fill('""x').slice(8)}"""`,
    `a="""${fill('""x').slice(5)}`,
    `a='''${fill("x\n").slice(8)}'''`,
    `a="${fill("\\n").slice(4)}"`,
    fill("\n"),
    fill("[[a]]\n"),
    `a=[${fill("1,").slice(6)}]`,
    lines((i) => `k${i} = 1\n`),
    lines((i) => i % 129 === 0 ? `[t${i}]\n` : `k${i}=1\n`),
    lines((i) => `${i >> 7}.${i & 127}=1\n`),
  ];
  for (const text of shapes) {
    const start = performance.now();
    try {
      parseConfig(text, section({}));
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
    }
    assertEquals(performance.now() - start < 2000, true, text.slice(0, 20));
  }
});
