import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { drawSample, sampleOf } from "../../cli/utls/sample.ts";
import { nodeProvider } from "../../src/core/crypto/mod.ts";
import {
  type ClientHello,
  drawOffer,
  EXTENSION,
  extensionOf,
  prefersAes,
  profileOf,
} from "../../src/utls/mod.ts";

const PROFILE = profileOf("latest");

Deno.test("drawSample() draws resumed hellos with the reference's tickets, but ages and binders of their own", () => {
  const reference = sampleOf(resumed(2));
  const ours = drawSample(PROFILE, "resumed", reference);
  ours.observations.forEach(({ random }, i) => {
    const like = reference.observations[i]!.random!;
    assertEquals(random!["psk identity"], like["psk identity"]);
    assertNotEquals(random!["psk age"], like["psk age"]);
    const { bytes } = random!["psk binder"]!;
    assertEquals(bytes.length, 32);
    assert(new Set(bytes).size > 8, "a binder of zeros");
  });
});

Deno.test("drawSample() draws for the CPU that the reference ran on", () => {
  for (const aesHardware of [true, false]) {
    const { hello } = draw({ aesHardware });
    const [ours] = drawSample(PROFILE, "page", sampleOf([hello])).hellos;
    assertEquals(prefersAes(hello), aesHardware);
    assertEquals(ours!.cipherSuites.slice(1), hello.cipherSuites.slice(1));
  }
});

Deno.test("sampleOf() leaves out damaged hellos, and says how many", () => {
  const { hello } = draw({});
  const damaged: ClientHello = {
    ...hello,
    extensions: hello.extensions!.map(({ type, data }) => ({
      type,
      data: type === EXTENSION.keyShare ? data.slice(1) : data,
    })),
  };
  const notes: string[] = [];
  const sample = sampleOf([damaged, hello], (line) => notes.push(line));
  assertEquals(sample.hellos, [hello]);
  assertEquals(sample.observations.length, 1);
  assertEquals(notes, ["1 hellos left out: damaged"]);
});

/** Hellos with a ticket each; their binders are zeros. */
function resumed(count: number): ClientHello[] {
  return Array.from({ length: count }, () => {
    const identity = nodeProvider.random(100);
    const psk = { identity, obfuscatedTicketAge: 7, binderLength: 32 };
    const { hello } = draw({ psk });
    assert(extensionOf(hello, EXTENSION.preSharedKey));
    return hello;
  });
}

function draw(options: Partial<Parameters<typeof drawOffer>[1]>) {
  using offer = drawOffer(PROFILE, {
    crypto: nodeProvider,
    serverName: "www.example.com",
    ...options,
  });
  return { hello: offer.hello };
}
