import { assertEquals, assertThrows } from "@std/assert";
import { AllowList } from "../../../src/htx/tunnel/allow_list.ts";
import { parseIp } from "../../../src/core/bytes/mod.ts";
import { classify } from "../../../src/htx/tunnel/network.ts";
import { parseTarget } from "../../../src/htx/tunnel/target.ts";

const PUBLIC = "93.184.215.14";
const PUBLIC6 = "2606:2800:220:1::1";

/** What `rules` admit for a target that resolves to `addresses` (itself if it is an address). */
function admitted(rules: string[], text: string, ...addresses: string[]) {
  const target = parseTarget(text)!;
  const list = new AllowList(rules);
  const found = list.admit(
    target,
    addresses.length > 0 ? addresses : [target.host],
  );
  if (found.length > 0) assertEquals(list.mayAdmit(target), true);
  return found.join(" ");
}

Deno.test("AllowList denies by default", () => {
  assertEquals(admitted([], "example.com:80", PUBLIC), "");
  assertEquals(admitted([], `${PUBLIC}:80`), "");
  assertEquals(new AllowList([]).mayAdmit({ host: "a", port: 1 }), false);
});

const TABLE: [
  rule: string,
  target: string,
  addresses: string[],
  want: string,
][] = [
  ["example.com:443", "example.com:443", [PUBLIC], PUBLIC],
  ["EXAMPLE.com.:443", "example.com:443", [PUBLIC], PUBLIC],
  ["example.com:443", "example.com:80", [PUBLIC], ""],
  ["example.com:443", "www.example.com:443", [PUBLIC], ""],
  ["example.com:443", `${PUBLIC}:443`, [], ""],
  ["*.example.com:443", "a.b.example.com:443", [PUBLIC], PUBLIC],
  ["*.example.com:443", "example.com:443", [PUBLIC], ""],
  ["*.example.com:443", "badexample.com:443", [PUBLIC], ""],
  ["*:80-90", "example.com:80", [PUBLIC], PUBLIC],
  ["*:80-90", "example.com:90", [PUBLIC], PUBLIC],
  ["*:80-90", "example.com:91", [PUBLIC], ""],
  ["*:*", "example.com:65535", [PUBLIC], PUBLIC],
  ["*:*", `${PUBLIC}:80`, [], PUBLIC],
  ["*:*", `[${PUBLIC6}]:80`, [], PUBLIC6],
  // Address rules hold for what a name resolves to.
  ["93.184.0.0/16:80", "example.com:80", [PUBLIC, "1.1.1.1"], PUBLIC],
  ["93.184.0.0/16:80", `${PUBLIC}:80`, [], PUBLIC],
  ["93.184.0.0/16:80", "93.185.0.1:80", [], ""],
  ["[2606:2800::/32]:80", `[${PUBLIC6}]:80`, [], PUBLIC6],
  ["0.0.0.0/0:80", `[${PUBLIC6}]:80`, [], ""],
  [`${PUBLIC}:80`, `[::ffff:${PUBLIC}]:80`, [], PUBLIC],
  // Private addresses need an exact name or an address rule.
  ["*:*", "rebind.example:80", ["127.0.0.1", PUBLIC, "10.0.0.1"], PUBLIC],
  ["*.example:*", "rebind.example:80", ["127.0.0.1"], ""],
  ["*:*", "127.0.0.1:80", [], ""],
  ["*:*", "[::1]:80", [], ""],
  ["*:*", "[::ffff:127.0.0.1]:80", [], ""],
  ["*:*", "localhost:80", ["127.0.0.1", "::1"], ""],
  ["localhost:8080", "localhost:8080", ["127.0.0.1", "::1"], "127.0.0.1 ::1"],
  ["localhost:8080", "localhost:8081", ["127.0.0.1"], ""],
  ["localhost:8080", "127.0.0.1:8080", [], ""],
  ["127.0.0.1:8080", "127.0.0.1:8080", [], "127.0.0.1"],
  ["127.0.0.1:8080", "localhost:8080", ["127.0.0.1", "::1"], "127.0.0.1"],
  ["10.0.0.0/8:*", "10.9.8.7:22", [], "10.9.8.7"],
  ["10.1.0.0/16:*", "intranet.example:22", ["10.1.2.3"], "10.1.2.3"],
  ["0.0.0.0/0:*", "10.9.8.7:22", [], ""],
  ["0.0.0.0/0:*", "8.8.8.8:22", [], "8.8.8.8"],
  ["8.0.0.0/5:*", "10.9.8.7:22", [], ""],
  ["[::/0]:*", "[::1]:22", [], ""],
  ["[fc00::/7]:*", "[fd00::1]:22", [], "fd00::1"],
  // Reserved ones need an address rule.
  ["meta.example:80", "meta.example:80", [
    "169.254.169.254",
    "0.0.0.0",
    "fe80::1",
  ], ""],
  [
    "meta.example:80",
    "meta.example:80",
    ["fd00:ec2::254", "100.100.100.200"],
    "",
  ],
  ["[fc00::/7]:*", "[fd00:ec2::254]:80", [], ""],
  ["169.254.169.254:80", "169.254.169.254:80", [], "169.254.169.254"],
  ["*:*", "[64:ff9b::7f00:1]:80", [], ""],
  ["*:*", "[2002:7f00:1::]:80", [], ""],
  // What a resolver returns is not trusted to be an address.
  ["*:*", "example.com:80", ["example.com", "0x7f.1", ""], ""],
];

for (const [rule, target, addresses, want] of TABLE) {
  Deno.test(`AllowList ${rule} admits ${want || "nothing"} for ${target} ${addresses}`, () => {
    assertEquals(admitted([rule], target, ...addresses), want);
  });
}

Deno.test("AllowList adds up its rules", () => {
  const rules = ["a.example:80", "10.0.0.0/8:80"];
  assertEquals(
    admitted(rules, "a.example:80", "10.0.0.1", PUBLIC),
    `10.0.0.1 ${PUBLIC}`,
  );
  assertEquals(admitted(rules, "b.example:80", "10.0.0.1", PUBLIC), "10.0.0.1");
});

Deno.test("AllowList.mayAdmit() spares a lookup only when no answer could help", () => {
  const target = parseTarget("a.example:80")!;
  assertEquals(new AllowList(["b.example:80"]).mayAdmit(target), false);
  assertEquals(new AllowList(["10.0.0.0/8:443"]).mayAdmit(target), false);
  assertEquals(new AllowList(["10.0.0.0/8:80"]).mayAdmit(target), true);
});

Deno.test("AllowList refuses malformed rules and names them", () => {
  for (
    const rule of [
      "",
      "example.com",
      "example.com:",
      "example.com:0",
      "example.com:65536",
      "example.com:90-80",
      "example.com:80-",
      "example.com:80,81",
      "example.com:http",
      " example.com:80",
      "exa*mple.com:80",
      "*.*.com:80",
      "*example.com:80",
      "*.127.0.0.1:80",
      "::1:80",
      "[127.0.0.1]:80",
      "[example.com]:80",
      "[::1%lo]:80",
      "10.0.0.1/8:80",
      "10.0.0.0/33:80",
      "10.0.0.0/08:80",
      "10.0.0.0/:80",
      "[2001:db8::1/32]:80",
      "[2001:db8::/129]:80",
      "[::ffff:10.0.0.0/104]:80",
      "127.1:80",
      "0x7f000001:80",
      "0177.0.0.1:80",
      "http://example.com:80",
    ]
  ) {
    assertThrows(() => new AllowList([rule]), TypeError, `"${rule}"`);
  }
});

Deno.test("classify() knows the special blocks and their edges", () => {
  const kinds: [string, string][] = [
    ["9.255.255.255", "public"],
    ["10.0.0.0", "private"],
    ["11.0.0.0", "public"],
    ["100.63.255.255", "public"],
    ["100.64.0.0", "private"],
    ["100.128.0.0", "public"],
    ["127.255.255.255", "private"],
    ["169.253.255.255", "public"],
    ["169.254.169.254", "reserved"],
    ["172.15.255.255", "public"],
    ["172.31.255.255", "private"],
    ["172.32.0.0", "public"],
    ["192.168.0.1", "private"],
    ["223.255.255.255", "public"],
    ["224.0.0.1", "reserved"],
    ["255.255.255.255", "reserved"],
    ["0.0.0.0", "reserved"],
    ["::", "reserved"],
    ["::1", "private"],
    ["::2", "reserved"],
    ["::7f00:1", "reserved"],
    ["64:ff9b::1", "reserved"],
    ["1fff::", "reserved"],
    ["2000::", "public"],
    ["2001:0:1::", "reserved"],
    ["2001:200::", "public"],
    ["3ffe:ffff::", "public"],
    ["4000::", "reserved"],
    ["fd12::1", "private"],
    ["fe80::1", "reserved"],
    ["ff02::1", "reserved"],
  ];
  for (const [text, kind] of kinds) {
    assertEquals(classify(parseIp(text)!), kind, text);
  }
});
