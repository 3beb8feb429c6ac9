import { assert, assertEquals, assertThrows } from "@std/assert";
import { equal } from "../../../src/core/bytes/mod.ts";
import {
  nodeProvider as crypto,
  Secret,
} from "../../../src/core/crypto/mod.ts";
import {
  BLOCK_TYPE,
  bpsec,
  type Bundle,
  bundleAgeOf,
  createBundle,
  decodeBundle,
  Eid,
  encodeBundle,
  encodeBundleAge,
  fragmentBundle,
  payloadOf,
  Reassembly,
  receptionFaults,
  REPORT_REASON,
  withBundleAge,
} from "../../../src/dtn/mod.ts";
import { keysOf } from "./_keys.ts";

const node = Eid.parse("ipn:1.0");
const keys = keysOf({
  integrity: "11".repeat(48),
  confidentiality: "22".repeat(32),
  wrapping: "33".repeat(32),
});
const ALL = [0, BLOCK_TYPE.payload];
const PAYLOAD = [BLOCK_TYPE.payload];

const bundle = createBundle({
  source: Eid.parse("ipn:1.7"),
  destination: Eid.parse("ipn:2.7"),
  creation: { timeMs: 849_000_000_000, sequence: 1 },
  lifetimeMs: 60_000,
  payload: new TextEncoder().encode("meet me at noon, behind the mill"),
  extensions: [{ type: BLOCK_TYPE.bundleAge, data: encodeBundleAge(5) }],
});

function policy(
  rules: readonly bpsec.SecurityRule[],
  some: bpsec.SecurityKeys = keys,
): bpsec.SecurityPolicy {
  return new bpsec.SecurityPolicy({ crypto, node, keys: some, rules });
}

/** `bundle` as it comes out at the other end of a wire. */
function sent(bundle: Bundle): Bundle {
  return decodeBundle(encodeBundle(bundle));
}

function passed(verdict: bpsec.SecurityVerdict): Bundle {
  assert(verdict.kind === "passed", JSON.stringify(verdict));
  return verdict.bundle;
}

/** Refused for which reason, and why. */
function refused(verdict: bpsec.SecurityVerdict) {
  assert(verdict.kind === "refused");
  return [verdict.reason, verdict.code];
}

Deno.test("a policy signs and encrypts, and what an acceptor has checked is the bundle again", () => {
  const sender = policy([
    { role: "source", service: "confidentiality", targets: PAYLOAD },
    { role: "source", service: "integrity", targets: ALL },
  ]);
  const secured = sent(sender.protect(bundle));
  assertEquals(receptionFaults(secured), []); // a signature is in place of the check value
  assert(!equal(payloadOf(secured), payloadOf(bundle)));
  const receiver = policy([
    { role: "acceptor", service: "confidentiality", targets: PAYLOAD },
    { role: "acceptor", service: "integrity", targets: ALL },
  ]);
  const accepted = passed(receiver.check(secured));
  assertEquals(payloadOf(accepted), payloadOf(bundle));
  assertEquals(accepted.blocks.map(({ type }) => type), [7, 1]);
  assertEquals(bundleAgeOf(accepted), 5);
});

Deno.test("each encrypted block has a confidentiality block and an IV of its own, and its signature is encrypted too", () => {
  const sender = policy([
    { role: "source", service: "integrity", targets: ALL },
    {
      role: "source",
      service: "confidentiality",
      targets: [BLOCK_TYPE.bundleAge, ...PAYLOAD],
    },
  ]);
  const secured = sent(sender.protect(bundle));
  const blocks = bpsec.confidentialityBlocksOf(secured);
  assertEquals(blocks.length, 3);
  for (const { security } of blocks) assertEquals(security.targets.length, 1);
  const ivs = blocks.map(({ security }) => `${security.parameters[0]}`);
  assertEquals(new Set(ivs).size, 3);
  const [readable] = bpsec.integrityBlocksOf(secured);
  assertEquals(readable!.security.targets, [0]);
  const again = bpsec.confidentialityBlocksOf(sender.protect(bundle));
  assert(!ivs.includes(`${again[0]!.security.parameters[0]}`));
});

Deno.test("a verifier checks and leaves everything as it came, though what is not covered has changed", () => {
  const sender = policy([
    { role: "source", service: "integrity", targets: ALL, wrap: true },
    {
      role: "source",
      service: "confidentiality",
      targets: PAYLOAD,
      wrap: true,
    },
  ]);
  const onTheWay = sent(withBundleAge(sender.protect(bundle), 900));
  const verifier = policy([
    { role: "verifier", service: "confidentiality", targets: PAYLOAD },
  ]);
  assertEquals(passed(verifier.check(onTheWay)), onTheWay);
  const acceptor = policy([
    { role: "acceptor", service: "confidentiality", targets: PAYLOAD },
    { role: "verifier", service: "integrity", targets: PAYLOAD },
  ]);
  const opened = passed(acceptor.check(onTheWay));
  assertEquals(payloadOf(opened), payloadOf(bundle));
  assertEquals(bpsec.integrityBlocksOf(opened).length, 2);
  assertEquals(bundleAgeOf(opened), 900);
});

Deno.test("a changed bundle, a missing operation and a missing key are refused with the reason of a status report", () => {
  const signer = policy([
    { role: "source", service: "integrity", targets: ALL },
  ]);
  const verifier = policy([
    { role: "verifier", service: "integrity", targets: ALL },
  ]);
  const signed = signer.protect(bundle);
  passed(verifier.check(sent(signed)));
  const { primary, blocks } = signed;
  const later = { ...primary, lifetimeMs: 60_001 };
  assertEquals(refused(verifier.check({ primary: later, blocks })), [
    REPORT_REASON.failedSecurity,
    "failed",
  ]);
  assertEquals(refused(verifier.check(bundle)), [
    REPORT_REASON.missingSecurity,
    undefined,
  ]);
  const keyless = policy([
    { role: "verifier", service: "integrity", targets: PAYLOAD },
  ], keysOf({}));
  assertEquals(refused(keyless.check(signed)), [
    REPORT_REASON.failedSecurity,
    "no_key",
  ]);
  assertThrows(() =>
    policy([
      { role: "source", service: "integrity", targets: PAYLOAD },
    ], keysOf({})).protect(bundle), bpsec.BpsecError);
  const unknown = blocks.map((block) =>
    block.type === BLOCK_TYPE.integrity
      ? {
        ...block,
        data: bpsec.encodeSecurityBlock({
          ...bpsec.decodeSecurityBlock(block.data),
          contextId: 99,
        }),
      }
      : block
  );
  assertEquals(refused(verifier.check({ primary, blocks: unknown })), [
    REPORT_REASON.unknownSecurity,
    "unknown_context",
  ]);
});

Deno.test("an encrypted payload must be so where a rule says it, and is told by its structure", () => {
  const rule = { service: "confidentiality", targets: PAYLOAD } as const;
  const acceptor = policy([{ role: "acceptor", ...rule }]);
  assertEquals(
    refused(acceptor.check(bundle))[0],
    REPORT_REASON.missingSecurity,
  );
  const lax = policy([{ role: "acceptor", ...rule, optional: true }]);
  assertEquals(passed(lax.check(bundle)), bundle);
  const secured = policy([{ role: "source", ...rule }]).protect(bundle);
  assertEquals([...bpsec.encryptedBlocks(secured)], [1]);
  assertEquals([...bpsec.encryptedBlocks(bundle)], []);
  const wrong = policy(
    [{ role: "acceptor", ...rule }],
    keysOf({ confidentiality: "23".repeat(32) }),
  );
  assertEquals(refused(wrong.check(secured)), [
    REPORT_REASON.failedSecurity,
    "failed",
  ]);
});

Deno.test("what another node has signed or encrypted with a key of its own counts only where a rule says so", () => {
  const services = ["integrity", "confidentiality"] as const;
  for (const service of services) {
    const other = new bpsec.SecurityPolicy({
      ...{ crypto, keys, node: Eid.parse("ipn:3.0") },
      rules: [{ role: "source", service, targets: PAYLOAD }],
    });
    const forged = sent(other.protect(bundle));
    const rule = { role: "acceptor", service, targets: PAYLOAD } as const;
    const check = (more: Partial<bpsec.SecurityRule>) =>
      policy([{ ...rule, ...more }]).check(forged);
    assertEquals(refused(check({})), [
      REPORT_REASON.missingSecurity,
      undefined,
    ]);
    assertEquals(refused(check({ by: "ipn:2.*" }))[1], undefined);
    assertEquals(passed(check({ optional: true })), forged);
    for (const by of ["ipn:3.0", "ipn:3.*", "*"]) {
      assertEquals(payloadOf(passed(check({ by }))), payloadOf(bundle));
    }
  }
});

Deno.test("a destination discards what it cannot decrypt, with all that secures it, but refuses a bundle whose payload that is", () => {
  const AGE = [BLOCK_TYPE.bundleAge];
  const sign = { role: "source", service: "integrity" } as const;
  const encrypt = { role: "source", service: "confidentiality" } as const;
  const destination = new bpsec.SecurityPolicy({
    ...{ crypto, node: Eid.parse("ipn:2.0") },
    keys: keysOf({ integrity: "11".repeat(48) }),
    rules: [{ role: "acceptor", service: "integrity", targets: PAYLOAD }],
  });
  const aged = sent(
    policy([
      { ...sign, targets: [...PAYLOAD, ...AGE] },
      { ...encrypt, targets: AGE },
    ]).protect(bundle),
  );
  assertEquals(aged.blocks.length, 6); // two signatures, of which one is encrypted as the age is
  const left = passed(destination.check(aged)).blocks;
  assertEquals(left.map(({ type }) => type), PAYLOAD);
  const secret = policy([{ ...encrypt, targets: PAYLOAD }]).protect(bundle);
  assertEquals(refused(destination.check(sent(secret))), [
    REPORT_REASON.failedSecurity,
    "no_key",
  ]);
});

Deno.test("rules hold for the bundles that they name", () => {
  const rule = {
    role: "source",
    service: "integrity",
    targets: PAYLOAD,
  } as const;
  const isSigned = (each: Partial<bpsec.SecurityRule>) =>
    bpsec.integrityBlocksOf(policy([{ ...rule, ...each }]).protect(bundle))
      .length === 1;
  assert(isSigned({}));
  assert(isSigned({ from: "ipn:1.*", to: "ipn:2.7" }));
  assert(!isSigned({ to: "ipn:2" }));
  assert(!isSigned({ from: "ipn:2.*" }));
  assert(!isSigned({ targets: [BLOCK_TYPE.previousNode] }));
});

Deno.test("an acceptor removes its own signature and leaves others of the same block", () => {
  const signed = policy([
    { role: "source", service: "integrity", targets: ALL },
  ]).protect(bundle);
  const opened = passed(
    policy([{ role: "acceptor", service: "integrity", targets: PAYLOAD }])
      .check(signed),
  );
  const [left] = bpsec.integrityBlocksOf(opened);
  assertEquals(left!.security.targets, [0]);
  bpsec.verifyIntegrity(crypto, opened, left!.block, keys);
});

Deno.test("what is signed and encrypted is so after fragments were put together, and no fragment passes by itself", () => {
  const secured = policy([
    { role: "source", service: "integrity", targets: ALL },
    { role: "source", service: "confidentiality", targets: PAYLOAD },
  ]).protect({
    ...bundle,
    blocks: bundle.blocks.with(-1, {
      ...bundle.blocks.at(-1)!,
      data: crypto.random(2_000),
    }),
  });
  const acceptor = policy([
    { role: "acceptor", service: "confidentiality", targets: PAYLOAD },
    { role: "acceptor", service: "integrity", targets: ALL },
  ]);
  const direct = passed(acceptor.check(secured));
  const fragments = fragmentBundle(secured, 700).map(sent);
  assert(fragments.length > 2);
  const reassembly = new Reassembly();
  for (const fragment of fragments.reverse()) {
    assertEquals(acceptor.check(fragment), { kind: "fragment" });
    const outcome = reassembly.add(fragment, 0, 1_000);
    if (outcome.kind !== "whole") continue;
    assertEquals(passed(acceptor.check(outcome.bundle)), direct);
    return;
  }
  throw new Error("The fragments are no whole");
});

Deno.test("signBlocks() and encryptBlocks() refuse what RFC 9172 forbids", () => {
  const key = new Secret(crypto.random(32));
  const sign = (on: Bundle, ...targets: number[]) =>
    bpsec.signBlocks(crypto, on, { source: node, targets, key });
  const encrypt = (on: Bundle, ...targets: number[]) =>
    bpsec.encryptBlocks(crypto, on, { source: node, targets, key });
  const refuses = (run: () => unknown, code: bpsec.BpsecErrorCode) =>
    assertEquals(assertThrows(run, bpsec.BpsecError).code, code);
  const signed = sign(bundle, 1);
  const encrypted = encrypt(bundle, 1);
  const [bib, bcb] = [signed.blocks[0]!.number, encrypted.blocks[0]!.number];
  refuses(() => sign(bundle), "malformed");
  refuses(() => sign(bundle, 1, 1), "malformed");
  refuses(() => sign(bundle, 99), "no_target");
  refuses(() => sign(signed, bib), "malformed");
  refuses(() => sign(signed, 1), "malformed"); // twice
  refuses(() => sign(encrypted, 1), "malformed");
  refuses(() => sign(encrypted, 0), "malformed"); // its check value is covered
  refuses(() => encrypt(bundle, 0), "malformed");
  refuses(() => encrypt(encrypted, bcb), "malformed");
  refuses(() => encrypt(encrypted, 1), "malformed"); // twice
  refuses(() => encrypt(sign(bundle, 0, 1), 1), "malformed"); // the primary block's signature would be encrypted
  const [fragment] = fragmentBundle(bundle, encodeBundle(bundle).length - 1);
  refuses(() => sign(fragment!, 1), "malformed");
  refuses(() => encrypt(fragment!, 1), "malformed");
  const discarded = encrypted.blocks.with(0, {
    ...encrypted.blocks[0]!,
    flags: 0x11,
  });
  refuses(
    () => bpsec.checkSecurityBlocks({ ...encrypted, blocks: discarded }),
    "malformed",
  );
});

Deno.test("no flipped bit of a signed and encrypted bundle passes, but in what neither covers", () => {
  const sender = policy([
    { role: "source", service: "integrity", targets: ALL },
    { role: "source", service: "confidentiality", targets: PAYLOAD },
  ]);
  const acceptor = policy([
    { role: "acceptor", service: "confidentiality", targets: PAYLOAD },
    { role: "acceptor", service: "integrity", targets: ALL },
  ]);
  const secured = sender.protect(bundle);
  const bytes = encodeBundle(secured);
  let through = 0;
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    const changed = bytes.slice();
    changed[bit >> 3]! ^= 1 << (bit & 7);
    let decoded: Bundle;
    try {
      decoded = decodeBundle(changed);
    } catch {
      continue;
    }
    const verdict = acceptor.check(decoded);
    if (verdict.kind !== "passed") continue;
    through++;
    assertEquals(payloadOf(verdict.bundle), payloadOf(bundle));
    assertEquals(verdict.bundle.primary, secured.primary);
  }
  assert(through > 0);
});
