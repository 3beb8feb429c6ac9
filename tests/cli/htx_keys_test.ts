import { assert, assertEquals, assertFalse } from "@std/assert";
import { inspect } from "node:util";
import {
  makeServerKeys,
  readServerKeys,
  type ServerKeys,
  writeServerKeys,
} from "../../cli/htx/keys.ts";
import { nodeProvider } from "../../src/core/crypto/mod.ts";
import { createLogger, jsonSink, textSink } from "../../src/core/log/mod.ts";
import { World } from "../htx/_world.ts";
import { makeFolder } from "./_htx_process.ts";

async function newKeys(): Promise<ServerKeys> {
  const keys = await makeServerKeys();
  keys.ring.rotate(nodeProvider, 0, { lifetimeMs: 1000, overlapMs: 1 });
  return keys;
}

/** Every private key of `keys`. */
function secrets(keys: ServerKeys): Uint8Array[] {
  const { identitySeed, siteSeed, staticKeyPair, certificate, ring } = keys;
  const ticketKeys = ring.keys.map(({ privateKey }) => privateKey);
  return [
    ...[identitySeed, siteSeed, staticKeyPair.privateKey],
    ...[certificate.keyPem, ...ticketKeys],
  ].map((secret) => secret.expose());
}

/** `value` in every way that a program can print it. */
function printed(value: object): string {
  const lines: string[] = [];
  for (const sink of [textSink, jsonSink]) {
    const log = createLogger({ sink: sink((line) => lines.push(line)) });
    log.info("printed", { value });
  }
  return [
    ...lines,
    Deno.inspect(value, { depth: 20, iterableLimit: Infinity }),
    inspect(value, { depth: 20, maxArrayLength: null, showHidden: true }),
    JSON.stringify(value),
  ].join("\n");
}

/** Whether `text` shows nine bytes of `secret`, whatever the notation; those of PEM are behind its fixed head. */
function shows(text: string, secret: Uint8Array): boolean {
  const at = secret.length > 90 ? 90 : 0;
  const start = secret.slice(at, at + 9);
  const numbered = [...start].map((byte, i) => `"${at + i}":${byte}`).join();
  return text.includes(start.toHex()) ||
    text.includes(start.toBase64()) ||
    text.includes(start.toBase64({ alphabet: "base64url" })) ||
    text.includes(new TextDecoder().decode(start)) ||
    text.replace(/\s/g, "").includes(start.join()) ||
    text.includes(numbered);
}

Deno.test("keys of a server, of its tickets and of sessions do not print", async () => {
  const keys = await newKeys();
  await using world = await World.start();
  const { staticKeyPair } = keys;
  const text = [
    keys,
    keys.ring.keys,
    keys.ring,
    world.dialOptions({ staticKeyPair }),
    { ...world, staticKeyPair, cookieName: "sid" },
  ].map(printed).join("\n");
  for (const secret of secrets(keys)) {
    assert(secret.length >= 16);
    assertFalse(shows(text, secret));
    const shown = Deno.inspect({ secret }, { iterableLimit: Infinity });
    assert(shows(shown, secret));
    assert(shows(JSON.stringify({ secret }), secret));
  }
  assert(text.includes("[secret]"));
});

Deno.test("writeServerKeys() writes what readServerKeys() reads", async () => {
  await using folder = await makeFolder();
  const path = `${folder.path}/server.json`;
  const keys = await newKeys();
  writeServerKeys(path, keys);
  const read = readServerKeys(path)!;
  assertEquals(secrets(read), secrets(keys));
  assertEquals(read.certificate.certPem, keys.certificate.certPem);
  assertEquals(read.staticKeyPair.publicKey, keys.staticKeyPair.publicKey);
});
