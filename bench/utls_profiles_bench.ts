import { assert, assertEquals } from "@std/assert";
import { nodeProvider as crypto } from "../src/core/crypto/mod.ts";
import {
  compareHello,
  decodeClientHello,
  drawOffer,
  encodeClientHello,
  generateKeyShare,
  type Group,
  ja4,
  type KeyShare,
  parseProfile,
  profileOf,
} from "../src/utls/mod.ts";
import chrome154 from "../src/utls/profiles/chrome_154.json" with {
  type: "json",
};

const serverName = "www.example.com";
const profile = profileOf(156);

/** Shares made once, so that what is measured is the rest. */
const shares = new Map<Group, KeyShare>();
function keyShare(group: Group): KeyShare {
  const known = shares.get(group);
  if (known) return { ...known, [Symbol.dispose]() {} };
  shares.set(group, generateKeyShare(crypto, group));
  return keyShare(group);
}

const sample = drawOffer(profile, { crypto, serverName, keyShare });
assertEquals(ja4(sample.hello), "t13d1517h2_8daaf6152771_cb7bf5808d99");
assertEquals(
  encodeClientHello(decodeClientHello(sample.message)),
  sample.message,
);
assertEquals(compareHello(sample.hello)[0]!.distance, 0);
assertEquals(parseProfile(chrome154).family, "154-156");

Deno.bench("drawOffer(), Chrome 156, fresh keys", { group: "draw" }, () => {
  using offer = drawOffer(profile, { crypto, serverName });
  assert(offer.message.length > 1_900);
});

Deno.bench("drawOffer(), Chrome 156, given keys", { group: "draw" }, () => {
  using offer = drawOffer(profile, { crypto, serverName, keyShare });
  assert(offer.message.length > 1_900);
});

const old = profileOf(119);
Deno.bench("drawOffer(), Chrome 119, fresh keys", { group: "draw" }, () => {
  using offer = drawOffer(old, { crypto, serverName });
  assert(offer.message.length > 500);
});

Deno.bench("compareHello(), all families", () => {
  assert(compareHello(sample.hello).length > 0);
});

Deno.bench("parseProfile()", () => {
  assert(parseProfile(chrome154).versions.length === 2);
});
