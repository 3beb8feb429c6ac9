import { assertEquals, assertThrows } from "@std/assert";
import {
  formatDuration,
  formatSize,
  parseDuration,
  parseSize,
} from "../../src/core/config/mod.ts";

Deno.test("parseDuration() and formatDuration() agree", () => {
  const cases: readonly [text: string, ms: number][] = [
    ["0ms", 0],
    ["250ms", 250],
    ["1500ms", 1500],
    ["10s", 10_000],
    ["90s", 90_000],
    ["5m", 300_000],
    ["2h", 7_200_000],
    ["1d", 86_400_000],
  ];
  for (const [text, ms] of cases) {
    assertEquals(parseDuration(text), ms);
    assertEquals(formatDuration(ms), text);
  }
  assertEquals(parseDuration("60m"), parseDuration("1h"));
});

Deno.test("parseDuration() rejects other notations", () => {
  for (
    const text of [
      "",
      "10",
      "s",
      "1.5s",
      "-1s",
      "1 s",
      "1S",
      "1h30m",
      "1w",
      "9007199254740992ms",
      `${"9".repeat(400)}d`,
    ]
  ) {
    assertThrows(() => parseDuration(text), SyntaxError, "Want a duration");
  }
});

Deno.test("parseSize() and formatSize() agree", () => {
  const cases: readonly [text: string, bytes: number][] = [
    ["0B", 0],
    ["1000B", 1000],
    ["512B", 512],
    ["64KiB", 65_536],
    ["8GiB", 8 * 2 ** 30],
    ["1MB", 1e6],
    ["3TiB", 3 * 2 ** 40],
    ["5kB", 5000],
  ];
  for (const [text, bytes] of cases) {
    assertEquals(parseSize(text), bytes);
    if (text !== "1000B") assertEquals(formatSize(bytes), text);
  }
  assertEquals(formatSize(1000), "1kB");
  assertEquals(parseSize("5KB"), 5000);
});

Deno.test("parseSize() rejects other notations", () => {
  for (
    const text of [
      "",
      "10",
      "B",
      "1.5MB",
      "-1B",
      "1 MB",
      "1mb",
      "1kiB",
      "1PiB",
      "9007199254740992B",
      "9000TiBB",
    ]
  ) {
    assertThrows(() => parseSize(text), SyntaxError, "Want a size");
  }
});

Deno.test("formatDuration() and formatSize() reject what is no count", () => {
  for (const value of [-1, 0.5, NaN, Infinity]) {
    assertThrows(() => formatDuration(value), RangeError);
    assertThrows(() => formatSize(value), RangeError);
  }
});
