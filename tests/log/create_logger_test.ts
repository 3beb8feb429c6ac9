import { assert, assertEquals, assertFalse } from "@std/assert";
import {
  createLogger,
  LOG_LEVELS,
  type LogLevel,
  type LogRecord,
  type PlainFields,
  silentLogger,
  withFields,
} from "../../src/core/log/mod.ts";

Deno.test("createLogger() drops what is below its level", () => {
  const logged = (level: LogLevel) => {
    const records: LogRecord[] = [];
    const log = createLogger({ level, sink: (record) => records.push(record) });
    for (const each of LOG_LEVELS) log[each](`a.${each}`);
    return records.map((record) => record.event);
  };
  assertEquals(logged("debug"), ["a.debug", "a.info", "a.warn", "a.error"]);
  assertEquals(logged("info"), ["a.info", "a.warn", "a.error"]);
  assertEquals(logged("warn"), ["a.warn", "a.error"]);
  assertEquals(logged("error"), ["a.error"]);
});

Deno.test("createLogger() logs from info on by the machine's clock by default", () => {
  const records: LogRecord[] = [];
  const log = createLogger({ sink: (record) => records.push(record) });
  const before = Date.now();
  log.debug("a.b");
  log.info("a.c");
  assertEquals(records.map((record) => record.event), ["a.c"]);
  assert(records[0]!.time >= before && records[0]!.time <= Date.now());
});

Deno.test("withFields() puts its fields first and lets an event override them", () => {
  const records: LogRecord[] = [];
  const log = createLogger({
    sink: (record) => records.push(record),
    clock: { wallTime: () => 5 },
  });
  withFields(withFields(log, { b: 1, a: 2 }), { c: 3 }).warn("x", {
    d: 4,
    a: 5,
  });
  log.warn("y");
  assertEquals(records, [
    { time: 5, level: "warn", event: "x", fields: { b: 1, a: 5, c: 3, d: 4 } },
    { time: 5, level: "warn", event: "y", fields: {} },
  ]);
  assertEquals(Object.keys(records[0]!.fields), ["b", "a", "c", "d"]);
});

Deno.test("createLogger() makes values plain", () => {
  assertEquals(
    plain({
      text: "t",
      int: 1,
      nan: NaN,
      big: 2n ** 70n,
      none: null,
      missing: undefined,
      yes: true,
      fn: () => 1,
      symbol: Symbol("s"),
      date: new Date(0),
      url: new URL("http://a/b"),
      list: [1, "2"],
      object: { a: { b: 1 } },
      instance: new Map([["key", "hidden"]]),
    }),
    {
      text: "t",
      int: 1,
      nan: "NaN",
      big: "1180591620717411303424",
      none: null,
      missing: "undefined",
      yes: true,
      fn: "[function]",
      symbol: "[symbol]",
      date: "1970-01-01T00:00:00.000Z",
      url: "http://a/b",
      list: [1, "2"],
      object: { a: { b: 1 } },
      instance: "[Map]",
    },
  );
});

Deno.test("createLogger() never shows bytes, secrets or hidden state", () => {
  class Json {
    key = "hidden";
    toJSON = () => "[secret]";
  }
  class Inspected {
    key = "hidden";
    [Symbol.for("Deno.customInspect")]() {
      return "[secret]";
    }
  }
  class NodeInspected {
    key = "hidden";
    [Symbol.for("nodejs.util.inspect.custom")]() {
      return "[secret]";
    }
  }
  class Bare {
    key = "hidden";
  }
  assertEquals(
    plain({
      bytes: new Uint8Array(32),
      buffer: new ArrayBuffer(5),
      json: new Json(),
      nested: { deep: [new Inspected(), new NodeInspected()] },
      bare: new Bare(),
    }),
    {
      bytes: "[32 bytes]",
      buffer: "[5 bytes]",
      json: "[secret]",
      nested: { deep: ["[secret]", "[secret]"] },
      bare: "[Bare]",
    },
  );
});

Deno.test("createLogger() gives errors without stacks, except at debug", () => {
  const cause = Object.assign(new RangeError("Too far"), { code: "far" });
  const error = new Error("Failed", { cause });
  assertEquals(plain({ error }), {
    error: {
      name: "Error",
      message: "Failed",
      cause: { name: "RangeError", code: "far", message: "Too far" },
    },
  });
  const { error: shown } = plain({ error }, "debug");
  assert(
    String((shown as PlainFields)["stack"]).includes("create_logger_test"),
  );
});

Deno.test("createLogger() bounds what a value may print", () => {
  const list = Array.from({ length: 20 }, (_, i) => i);
  const loop: Record<string, unknown> = {};
  loop["self"] = loop;
  const wide = Object.fromEntries(list.map((i) => [`k${i}`, i]));
  const fields = plain({ long: "x".repeat(300), list, loop, wide });
  assertEquals(fields["long"], `${"x".repeat(256)}[44 more]`);
  assertEquals(fields["list"], [...list.slice(0, 16), "[4 more]"]);
  assertEquals(fields["loop"], { self: { self: { self: "[...]" } } });
  assertEquals(Object.keys(fields["wide"]!).length, 17);
  assertEquals((fields["wide"] as PlainFields)["more"], 4);
  let error = new Error("0");
  for (let i = 1; i < 10; i++) error = new Error(`${i}`, { cause: error });
  assertFalse(JSON.stringify(plain({ error })).includes('"5"'));
});

Deno.test("createLogger() survives values that throw or pollute", () => {
  const hostile = JSON.parse('{"__proto__": {"polluted": 1}}');
  const thrower = {
    get a() {
      throw new Error("No");
    },
  };
  const toJSON = {
    toJSON() {
      throw new Error("No");
    },
  };
  const again = { toJSON: () => again };
  const fields = plain({ hostile, thrower, toJSON, again });
  assertEquals(
    JSON.stringify(fields),
    '{"hostile":{"__proto__":{"polluted":1}},"thrower":{"a":"[unprintable]"},' +
      '"toJSON":"[unprintable]","again":"[...]"}',
  );
});

Deno.test("silentLogger says nothing", () => {
  for (const level of LOG_LEVELS) {
    assertEquals(silentLogger[level]("x"), undefined);
  }
});

function plain(
  fields: Record<string, unknown>,
  level: LogLevel = "info",
): PlainFields {
  let got: PlainFields = {};
  createLogger({ level, sink: (record) => got = record.fields })
    .error("x", fields);
  return got;
}
