import { assert, assertEquals } from "@std/assert";
import { concat, Writer } from "../../src/core/bytes/mod.ts";
import { nodeProvider } from "../../src/core/crypto/mod.ts";
import {
  drawOffer,
  type FoundHello,
  hellosIn,
  ja3,
  ja3s,
  ja3sText,
  ja3Text,
  profileOf,
  profileVersions,
  writePcap,
} from "../../src/utls/mod.ts";
import { makeFolder } from "../cli/_htx_process.ts";
import { foxioCapture, foxioCaptures } from "../utls/_foxio.ts";

const available = await run("--version").then(() => true, () => false);
if (!available) {
  // deno-lint-ignore no-console -- says why the tests are skipped
  console.warn("tshark_test: skipped, tshark not found");
}

/** What tshark says of a hello. */
type Seen = readonly [from: string, text: string, digest: string];

async function run(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command("tshark", {
    args: [...args],
    stdin: "null",
  }).output();
  if (code !== 0) throw new Error(new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

/** Every hello that tshark finds in a capture. */
async function seenByTshark(path: string): Promise<Seen[]> {
  const fields = [
    ...["ip.src", "ipv6.src", "tcp.srcport", "udp.srcport"],
    ...["tls.handshake.ja3_full", "tls.handshake.ja3"],
    ...["tls.handshake.ja3s_full", "tls.handshake.ja3s"],
  ];
  const output = await run(
    ...["-r", path, "-Y", "tls.handshake.ja3 || tls.handshake.ja3s"],
    ...["-d", "tcp.port==1080,socks", "-T", "fields", "-E", "separator=;"],
    ...fields.flatMap((field) => ["-e", field]),
  );
  return output.trim().split("\n").flatMap((line) => {
    const [v4, v6, tcp, udp, text, digest, textS, digestS] = line.split(";");
    const from = `${v4 || v6} ${tcp || udp}`;
    return text ? [[from, text, digest!]] : [[from, textS!, digestS!]];
  });
}

function seenByUs(hellos: Iterable<FoundHello>): Seen[] {
  return Array.from(hellos, (found) => {
    const from = `${found.source.address} ${found.source.port}`;
    return found.from === "client"
      ? [from, ja3Text(found.hello), ja3(found.hello)]
      : [from, ja3sText(found.hello), ja3s(found.hello)];
  });
}

async function assertSame(capture: Uint8Array<ArrayBuffer>): Promise<number> {
  await using folder = await makeFolder();
  const path = `${folder.path}/hellos.pcap`;
  await Deno.writeFile(path, capture);
  const ours = seenByUs(hellosIn(capture));
  assertEquals(ours.toSorted(), (await seenByTshark(path)).toSorted());
  return ours.length;
}

Deno.test({
  name: "tshark sees in FoxIO's captures the hellos that hellosIn() finds",
  ignore: !available,
  async fn() {
    let hellos = 0;
    for (const name of foxioCaptures()) {
      const ours = seenByUs(hellosIn(foxioCapture(name)));
      if (ours.length > 0) hellos += await assertSame(foxioCapture(name));
    }
    assert(hellos > 250, `${hellos} hellos`);
  },
});

Deno.test({
  name: "tshark reads the hellos of every profile in our captures as we do",
  ignore: !available,
  async fn() {
    const streams = profileVersions().map((version, i) => {
      using offer = drawOffer(profileOf(version), {
        crypto: nodeProvider,
        serverName: "www.example.com",
      });
      const { message } = offer;
      const head = new Writer(5).u8(0x16).u16(0x0301).u16(message.length);
      return {
        source: { address: "192.0.2.1", port: 50_000 + i },
        destination: { address: "198.51.100.1", port: 443 },
        timestampMs: 1_700_000_000_000,
        bytes: concat(head.finish(), message),
      };
    });
    assertEquals(await assertSame(writePcap(streams)), streams.length);
  },
});
