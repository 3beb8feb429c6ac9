import { assert, assertEquals, assertThrows } from "@std/assert";
import { concat, DecodeError, decodeHex } from "../../src/core/bytes/mod.ts";
import { nodeProvider } from "../../src/core/crypto/mod.ts";
import {
  type FoundHello,
  hellosIn,
  isCapture,
  ja4,
} from "../../src/utls/mod.ts";
import { generator, mutate } from "../htx/_mutation.ts";
import { captures } from "./_chrome_captures.ts";
import { foxioCapture, foxioCaptures, goldens } from "./_foxio.ts";
import {
  ipv4,
  LINK,
  pcap,
  pcapng,
  pcapngOfSimplePackets,
  SEEN_AT_MS,
  tcpPacket,
} from "./_packets.ts";

const record = decodeHex(captures()[0]!.full[0]!.record);
const packet = tcpPacket({ sequence: 1, payload: record });

function only(found: Iterable<FoundHello>): FoundHello {
  const all = [...found];
  assertEquals(all.length, 1);
  return all[0]!;
}

/** JA4 of every ClientHello by who sent it. */
function ja4BySender(capture: Uint8Array): Map<string, string[]> {
  const hellos = [...hellosIn(capture)].filter((each) =>
    each.from === "client"
  );
  const groups = Map.groupBy(
    hellos,
    ({ source }) => `${source.address} ${source.port}`,
  );
  return new Map(
    [...groups].map(([sender, found]) => [
      sender,
      found.map(({ hello, transport }) => ja4(hello, transport)),
    ]),
  );
}

Deno.test("hellosIn() gives every golden of FoxIO's captures but the disputed one", () => {
  let compared = 0;
  for (const [name, { python = [], rust = [] }] of Object.entries(goldens())) {
    const found = ja4BySender(foxioCapture(name));
    const undisputed = (text: string) =>
      name === "tls-non-ascii-alpn.pcapng"
        ? text.replace("t13d151699_", "t13d1516bd_")
        : text;
    for (const { source, ja4 } of python) {
      assertEquals(found.get(source), ja4.map(undisputed), name);
      compared += ja4.length;
    }
    for (const { source, ja4 } of rust) {
      assertEquals(found.get(source)?.[0], undisputed(ja4), name);
      compared++;
    }
  }
  assert(compared > 230, `compared ${compared}`);
});

Deno.test("hellosIn() finds no hello in captures without one, and says what it left", () => {
  for (
    const name of ["dtls-udp.notest.cap", "http1-with-cookies.pcapng"]
  ) assertEquals([...hellosIn(foxioCapture(name))], []);
  const other = pcap([ipv4(1, record), packet.subarray(0, 30)]);
  const found = hellosIn(other);
  assertEquals([...found], []);
  assertEquals([...found.drops], [["protocol", 1], ["malformed", 1]]);
});

for (const little of [true, false]) {
  for (const nanoseconds of [true, false]) {
    const order = little ? "little" : "big";
    const unit = nanoseconds ? "nanoseconds" : "microseconds";
    Deno.test(`hellosIn() reads pcap and pcapng in ${order}-endian order with ${unit}`, () => {
      for (const write of [pcap, pcapng]) {
        const file = write([packet], { little, nanoseconds });
        assert(isCapture(file));
        const { timestampMs, ...found } = only(hellosIn(file));
        assert(Math.abs(timestampMs! - SEEN_AT_MS) < 0.01, `${timestampMs}`);
        assertEquals(found.message, record.subarray(5) as typeof found.message);
        assertEquals(found.packet, 1);
        assertEquals(found.transport, "tcp");
        assertEquals(found.source, { address: "192.0.2.1", port: 50_000 });
        assertEquals(found.destination, { address: "198.51.100.1", port: 443 });
      }
    });
  }
}

Deno.test("hellosIn() reads pcapng's simple packets and several sections", () => {
  const simple = pcapngOfSimplePackets([packet]);
  assertEquals(only(hellosIn(simple)).timestampMs, undefined);
  const again = tcpPacket({ sequence: 1, payload: record, sourcePort: 7 });
  const both = concat(simple, pcapng([again], { little: false }));
  assertEquals([...hellosIn(both)].map((found) => found.packet), [1, 2]);
});

Deno.test("hellosIn() reads pcapng's obsolete packets", () => {
  const interfaces = pcapng([]);
  const packets = pcapng([packet]).subarray(interfaces.length);
  const obsolete = packets.slice();
  obsolete[0] = 2;
  obsolete.set([0, 0, 9, 9], 8); // interface, drops
  const { timestampMs } = only(hellosIn(concat(interfaces, obsolete)));
  assertEquals(timestampMs, SEEN_AT_MS);
});

Deno.test("hellosIn() reads every link type through its headers", () => {
  const mac = new Uint8Array(12);
  const vlan = decodeHex("88a80001810000020800");
  const ipv6 = concat(
    decodeHex("6000000000000040"),
    new Uint8Array(15),
    Uint8Array.of(1),
    new Uint8Array(15),
    Uint8Array.of(2),
    decodeHex("3c00000000000000"), // hop by hop, then destination options
    decodeHex("3300000000000000"), // then authentication
    decodeHex("060400000000000000000000000000000000000000000000"),
    packet.subarray(20),
  );
  new DataView(ipv6.buffer).setUint16(4, ipv6.length - 40);
  ipv6[6] = 0;
  const cooked = concat(new Uint8Array(14), decodeHex("0800"));
  const cooked2 = concat(decodeHex("0800"), new Uint8Array(18));
  for (
    const [linkType, bytes] of [
      [LINK.ethernet, concat(mac, decodeHex("0800"), packet)],
      [LINK.ethernet, concat(mac, vlan, packet)],
      [LINK.ethernet, concat(mac, decodeHex("86dd"), ipv6)],
      [0, concat(decodeHex("02000000"), packet)],
      [108, concat(decodeHex("00000018"), ipv6)],
      [12, packet],
      [14, packet],
      [LINK.rawIp, ipv6],
      [228, packet],
      [229, ipv6],
      [113, concat(cooked, packet)],
      [276, concat(cooked2, packet)],
    ] as const
  ) {
    const found = only(hellosIn(pcap([bytes], { linkType })));
    const isV6 = found.source.address.includes(":");
    assertEquals(found.source.address, isV6 ? "::1" : "192.0.2.1");
  }
});

Deno.test("hellosIn() counts links, protocols and fragments that it does not read", () => {
  const fragment = packet.slice();
  fragment[6] = 0x20;
  const fragmentV6 = concat(
    decodeHex("6000000000082c40"),
    new Uint8Array(32),
    decodeHex("0600000100000001"),
  );
  const arp = concat(new Uint8Array(12), decodeHex("0806"), packet);
  for (
    const [linkType, bytes, reason] of [
      [127, packet, "link"],
      [LINK.ethernet, arp, "protocol"],
      [LINK.rawIp, ipv4(47, packet), "protocol"],
      [LINK.rawIp, fragment, "fragment"],
      [LINK.rawIp, fragmentV6, "fragment"],
      [LINK.rawIp, packet.subarray(0, packet.length - 1), "malformed"],
      [LINK.rawIp, decodeHex("41"), "malformed"],
    ] as const
  ) {
    const found = hellosIn(pcap([bytes], { linkType }));
    assertEquals([...found], []);
    assertEquals([...found.drops], [[reason, 1]]);
  }
});

Deno.test("hellosIn() stops at a file that is cut off, and rejects damaged ones", () => {
  for (const write of [pcap, pcapng]) {
    const file = write([packet, packet]);
    for (const cut of [1, 4, packet.length]) {
      const found = hellosIn(file.subarray(0, file.length - cut));
      only(found);
      assertEquals([...found.drops], [["truncated", 1]]);
    }
  }
  const huge = pcap([packet]);
  new DataView(huge.buffer).setUint32(32, 1 << 20, true);
  const lengths = pcapng([packet]);
  lengths[lengths.length - 4]! ^= 4;
  const noInterface = pcapng([packet]);
  noInterface.set(decodeHex("00000000"), 28 + 8); // its block becomes unknown
  new DataView(noInterface.buffer).setUint32(28, 0xbad, true);
  for (
    const file of [
      huge,
      lengths,
      noInterface,
      new Uint8Array(0),
      new Uint8Array(100),
      pcap([]).subarray(0, 23),
    ]
  ) assertThrows(() => [...hellosIn(file)], DecodeError);
});

Deno.test("20,000 mutated captures give hellos or DecodeError", () => {
  const random = generator(3);
  const crypto = nodeProvider;
  const names = foxioCaptures().filter((name) =>
    foxioCapture(name).length < 8_000
  );
  const files = names.map(foxioCapture);
  let hellos = 0;
  for (let i = 0; i < 20_000; i++) {
    const file = mutate(files[i % files.length]!, random);
    try {
      for (const _ of hellosIn(file, crypto)) hellos++;
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
    }
  }
  assert(hellos > 1_000, `${hellos} hellos`);
});
