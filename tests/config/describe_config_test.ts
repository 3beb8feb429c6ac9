import { assertEquals } from "@std/assert";
import {
  boolean,
  describeConfig,
  duration,
  integer,
  list,
  number,
  oneOf,
  parseConfig,
  section,
  size,
  string,
} from "../../src/core/config/mod.ts";

const SCHEMA = section({
  verbose: boolean({ default: false, doc: "Log every frame" }),
  server: section({
    port: integer({ min: 1, max: 65535, default: 9000, doc: "TCP port" }),
    limits: section({ ratio: number({ default: 0.5 }) }),
    idle_timeout: duration({ default: "30s" }),
    max_memory: size({ default: "64MiB" }),
  }, { doc: "What we listen on" }),
  mode: oneOf(["tcp", "quic"], { default: "tcp" }),
  names: list(string(), { default: ["a\n", "b"] }),
  log_file: string().optional(),
  tls: section({ cert: string(), alpn: string({ default: "h2" }) }).optional(),
  peers: list(section({ host: string() }), { default: [] }),
});

Deno.test("describeConfig() explains every key, with tables after values", () => {
  assertEquals(
    describeConfig(SCHEMA),
    `# Log every frame
# true or false
verbose = false

# "tcp" or "quic"
mode = "tcp"

# a list of at most 1024, each a string
names = ["a\\n", "b"]

# a string; optional
# log_file =

# What we listen on
[server]

# TCP port
# an integer in 1..65535
port = 9000

# a duration ("250ms", "10s", "5m", "2h")
idle_timeout = "30s"

# a size ("512B", "64KiB", "1MB")
max_memory = "64MiB"

[server.limits]

# a number
ratio = 0.5

# [tls]

# a string; required
# cert =

# a string
# alpn = "h2"

# [[peers]]

# a string; required
# host =
`,
  );
});

Deno.test("describeConfig() parses back to the defaults", () => {
  const config = parseConfig(describeConfig(SCHEMA), SCHEMA);
  assertEquals(config, parseConfig("", SCHEMA));
  assertEquals(config.names, ["a\n", "b"]);
});

Deno.test("a default table in a list is written inline", () => {
  const schema = section({
    pairs: list(list(section({ a: integer(), b: string().optional() })), {
      default: [[{ a: 1, b: undefined }, { a: 2, b: "x" }]],
    }),
  });
  const text = describeConfig(schema);
  assertEquals(
    text.split("\n")[1],
    'pairs = [[{ a = 1 }, { a = 2, b = "x" }]]',
  );
  assertEquals(parseConfig("", schema).pairs.length, 1);
});
