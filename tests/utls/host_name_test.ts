import { assertEquals, assertThrows } from "@std/assert";
import { hostName, serverNameFor } from "../../src/utls/mod.ts";

Deno.test("hostName() gives names in lower case and A-labels, and addresses without brackets and zone", () => {
  for (
    const [host, expected] of [
      ["WWW.Example.COM", "www.example.com"],
      ["b\u00fccher.example", "xn--bcher-kva.example"],
      ["example\u3002com.", "example.com"],
      ["_srv.a-b.example", "_srv.a-b.example"],
      ["localhost", "localhost"],
      ["192.0.2.1", "192.0.2.1"],
      ["0x7f.1", "127.0.0.1"],
      ["[2001:DB8:0:0::1]", "2001:db8::1"],
      ["fe80::1%eth0", "fe80::1"],
      ["a".repeat(63) + ".example", "a".repeat(63) + ".example"],
    ] as const
  ) assertEquals(hostName(host), expected);
});

Deno.test("serverNameFor() gives no name for an address, in whatever notation", () => {
  for (const host of ["192.0.2.1", "2130706433", "[::1]", "fe80::1%eth0"]) {
    assertEquals(serverNameFor(host), undefined);
  }
  assertEquals(serverNameFor("Example.com."), "example.com");
});

Deno.test("hostName() refuses what is no host", () => {
  for (
    const host of [
      "",
      ".",
      "a b",
      " a",
      "a\tb",
      "a\0b",
      "a..b",
      ".a",
      "example.com..",
      "example.com:443",
      "https://x.y",
      "x.y/",
      "user@x.y",
      "x.y?z",
      "x.y#z",
      "a%62.example",
      "[example.com",
      "[x%y]",
      "1.2.3.4.5",
      "a*.example",
      "a".repeat(64),
      "a.".repeat(126) + "aa",
      "x".repeat(300),
    ]
  ) assertThrows(() => hostName(host), TypeError, "Expected a host name");
});
