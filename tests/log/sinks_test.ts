import { assertEquals, assertFalse } from "@std/assert";
import { jsonSink, type LogSink, textSink } from "../../src/core/log/mod.ts";

const HOSTILE = 'a\n2026 error fake\r\x1b[2J\x7f\x85\u2028\u202e\u{e0001}"\\\0';

function line(
  makeSink: (write: (line: string) => void) => LogSink,
  fields = {},
): string {
  const lines: string[] = [];
  const time = Date.UTC(2026, 0, 2, 3, 4, 5, 6);
  makeSink((line) => lines.push(line))({
    time,
    level: "info",
    event: "htx.opened",
    fields,
  });
  assertEquals(lines.length, 1);
  return lines[0]!;
}

Deno.test("textSink() writes time, level, event and fields in order", () => {
  assertEquals(
    line(textSink, {
      z: "127.0.0.1:9000",
      a: 1,
      text: "two words",
      o: { b: [] },
    }),
    "2026-01-02T03:04:05.006Z info  htx.opened " +
      'z=127.0.0.1:9000 a=1 text="two words" o={"b":[]}',
  );
});

Deno.test("jsonSink() writes time, level, event and fields in order", () => {
  assertEquals(
    line(jsonSink, { z: "two words", a: [1, null], level: "fake" }),
    '{"time":"2026-01-02T03:04:05.006Z","level":"info","event":"htx.opened",' +
      '"z":"two words","a":[1,null]}',
  );
});

Deno.test("textSink() and jsonSink() escape what could forge or hide a line", () => {
  for (const sink of [textSink, jsonSink]) {
    const written = line(sink, {
      hostile: HOSTILE,
      [HOSTILE]: 1,
      deep: [HOSTILE],
    });
    assertFalse(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(written));
  }
});

Deno.test("jsonSink() writes JSON that gives the values back", () => {
  const { time: _, ...rest } = JSON.parse(
    line(jsonSink, { hostile: HOSTILE, half: "\ud800" }),
  );
  assertEquals(rest, {
    level: "info",
    event: "htx.opened",
    hostile: HOSTILE,
    half: "\ud800",
  });
});

Deno.test("textSink() quotes empty values and those that look like fields", () => {
  assertEquals(
    line(textSink, { empty: "", forged: "x level=error" }).split("opened ")[1],
    'empty="" forged="x level=error"',
  );
});
