import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { CRYPTO_NAMES, keyImporter, openCrypto } from "../../cli/_crypto.ts";
import { CliError } from "../../cli/_error.ts";
import { LIBCRYPTO_PATHS, LIBSODIUM_PATHS } from "../../cli/_roles.ts";
import {
  type CryptoProvider,
  nobleProvider,
  nodeProvider,
  verifySignature,
} from "../../src/core/crypto/mod.ts";
import { createLogger, type LogRecord } from "../../src/core/log/mod.ts";
import { spkiOf } from "../../src/tls/mod.ts";
import { testCertificate } from "../tls/_certificates.ts";
import { HtxProcess, makeFolder } from "./_htx_process.ts";
import { runHtx } from "./_run_htx.ts";

const NOWHERE = ["/nowhere/library.so"];
const NONE = { libcrypto: NOWHERE, libsodium: NOWHERE };
const isInstalled = LIBCRYPTO_PATHS.some(isFile);
const hasLibsodium = LIBSODIUM_PATHS.some(isFile);

Deno.test("openCrypto() gives node and noble by name", () => {
  const { log, events } = recorder();
  assertEquals(openCrypto("node", log), nodeProvider);
  assertEquals(openCrypto("noble", log), nobleProvider);
  assertEquals(events(), []);
});

Deno.test("openCrypto() takes libcrypto from where systems keep it", {
  ignore: !isInstalled,
}, () => {
  const { log } = recorder();
  assertMatch(openCrypto("native", log).name, /libcrypto 3\./);
  const libcrypto = [...NOWHERE, ...LIBCRYPTO_PATHS];
  const options = { ...NONE, libcrypto };
  assertMatch(openCrypto("native", log, options).name, /^libcrypto 3\./);
});

Deno.test("openCrypto() chooses the fastest for auto and says what it measured", () => {
  const { log, records } = recorder();
  const { name } = openCrypto("auto", log);
  const measured = records.filter(({ event }) => event === "crypto.measured");
  const [best] = measured.map(({ fields }) => fields)
    .sort((a, b) => Number(a.roundMs) - Number(b.roundMs));
  assertEquals(measured.length, 1 + Number(isInstalled) + Number(hasLibsodium));
  assertEquals(best!.name, name);
});

Deno.test("openCrypto() puts libsodium on libcrypto, and on node without it", {
  ignore: !hasLibsodium,
}, () => {
  const { log, records } = recorder();
  openCrypto("native", log);
  const options = { libcrypto: NOWHERE };
  const onNode = openCrypto("native", log, options);
  assertMatch(onNode.name, /^libsodium 1\.\d+\.\d+ on node$/);
  const tried = records.filter(({ event }) => event === "crypto.measured")
    .map(({ fields }) => String(fields.name));
  if (isInstalled) assertMatch(tried[1]!, /^libsodium .+ on libcrypto 3/);
});

Deno.test("openCrypto() times the work that it is given", () => {
  const { log } = recorder();
  const slow = (provider: CryptoProvider) => () => {
    const rounds = provider === nodeProvider ? 0 : 200;
    for (let i = 0; i < rounds; i++) {
      nodeProvider.hash("sha256", new Uint8Array(9));
    }
  };
  assertEquals(openCrypto("auto", log, { work: slow }), nodeProvider);
});

Deno.test("openCrypto() goes without a library that is missing and logs why", () => {
  const { log, records, events } = recorder();
  assertEquals(openCrypto("auto", log, NONE), nodeProvider);
  assertEquals(events(), [
    "crypto.no_native",
    "crypto.no_native",
    "crypto.measured",
    "crypto.selected",
  ]);
  assertEquals(records[0]!.fields, {
    code: "not_found",
    reason: "Cannot find libcrypto 3",
  });
});

Deno.test("openCrypto() goes without a library that it may not load", {
  permissions: { ffi: false },
}, () => {
  const { log, records } = recorder();
  assertEquals(openCrypto("auto", log), nodeProvider);
  assertEquals(records[0]!.fields.code, "not_permitted");
});

Deno.test("openCrypto() fails for native where there is none", () => {
  const { log } = recorder();
  const error = assertThrows(() => openCrypto("native", log, NONE), CliError);
  assertEquals(error.code, "failed");
  assertEquals(error.hint, "--crypto auto goes without it.");
});

Deno.test(
  "keyImporter() makes keys in libcrypto where that was chosen, else in node",
  {
    ignore: !isInstalled,
  },
  () => {
    const { log, events } = recorder();
    const native = openCrypto("native", log);
    const { pkcs8, chain } = testCertificate("p256");
    const isAsOurs = (key: ReturnType<ReturnType<typeof keyImporter>>) => {
      assertEquals(key.publicKeySpki, spkiOf(chain[0]!));
      const signature = key.sign(key.schemes[0]!, pkcs8);
      const { publicKeySpki } = key;
      assert(verifySignature(key.schemes[0]!, publicKeySpki, pkcs8, signature));
    };
    isAsOurs(keyImporter(native, log)(pkcs8));
    assertEquals(events().at(-1), "crypto.native_key");
    isAsOurs(keyImporter(native, log, NOWHERE)(pkcs8));
    assertEquals(events().at(-1), "crypto.no_native_key");
    const count = events().length;
    for (const provider of [nodeProvider, nobleProvider]) {
      isAsOurs(keyImporter(provider, log)(pkcs8));
    }
    assertEquals(events().length, count);
  },
);

Deno.test(
  "betanet-htx server may load libcrypto with the flags it has, and signs with it",
  {
    ignore: !isInstalled,
  },
  async () => {
    await using folder = await makeFolder();
    await using server = new HtxProcess([
      ...["server", "--port", "0", "--tls-port", "0", "--no-quic"],
      ...["--state", folder.path],
      ...["--crypto", "native", "--log-level", "debug"],
    ]);
    await server.stderr.match(/crypto\.selected name=.*libcrypto 3/);
    await server.stderr.match(/crypto\.native_key/);
  },
);

for (const command of ["server", "proxy", "client"]) {
  Deno.test(`betanet-htx ${command} refuses a crypto that does not exist`, async () => {
    const operands = command === "client" ? ["example.org:80"] : [];
    const ran = await runHtx(command, "--crypto", "openssl", ...operands);
    assertEquals(ran.code, 2);
    for (const name of CRYPTO_NAMES) assertMatch(ran.stderr, new RegExp(name));
  });
}

function recorder() {
  const records: LogRecord[] = [];
  const log = createLogger({
    level: "debug",
    sink: (record) => records.push(record),
  });
  return { log, records, events: () => records.map(({ event }) => event) };
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
