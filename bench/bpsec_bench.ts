import { equal } from "../src/core/bytes/mod.ts";
import { nobleProvider, nodeProvider, Secret } from "../src/core/crypto/mod.ts";
import { BLOCK_TYPE, bpsec, CRC_TYPE, Eid, payloadOf } from "../src/dtn/mod.ts";
import { timedBundle } from "./_timed_bundle.ts";

const SIZES = [100, 10_000];
const TARGETS = [BLOCK_TYPE.payload];

const node = Eid.parse("ipn:1.0");
const key = new Secret(nodeProvider.random(32));
const keys = { keyFor: () => key };

for (const crypto of [nodeProvider, nobleProvider]) {
  for (const size of SIZES) {
    const payload = nodeProvider.random(size);
    const bundle = timedBundle(payload, CRC_TYPE.crc32c);
    for (const service of ["integrity", "confidentiality"] as const) {
      const policyFor = (role: bpsec.SecurityRole) =>
        new bpsec.SecurityPolicy({
          crypto,
          node,
          keys,
          rules: [{ role, service, targets: TARGETS }],
        });
      const [source, acceptor] = [policyFor("source"), policyFor("acceptor")];
      const secured = source.protect(bundle);
      check(acceptor.check(secured), payload);
      const group = `${service}, ${size} B, ${crypto.name}`;
      Deno.bench(`add ${group}`, { group }, () => {
        source.protect(bundle);
      });
      Deno.bench(`accept ${group}`, { group }, () => {
        acceptor.check(secured);
      });
    }
  }
}

function check(verdict: bpsec.SecurityVerdict, payload: Uint8Array): void {
  if (verdict.kind !== "passed" || !equal(payloadOf(verdict.bundle), payload)) {
    throw new Error("What was added is not accepted");
  }
}
