import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { utf8 } from "../../src/core/bytes/mod.ts";
import { readFileTree } from "../../src/core/storage/mod.ts";
import { decoySite, placeholderSite } from "../../src/htx/decoy_site.ts";

async function get(
  site: ReturnType<typeof decoySite>,
  path: string,
  method = "GET",
) {
  const response = await site(new Request(`http://a${path}`, { method }));
  const { status, headers } = response;
  const type = headers.get("content-type");
  return { status, type, text: await response.text() };
}

Deno.test("decoySite() serves the placeholder site", async () => {
  const site = decoySite(placeholderSite(utf8("12345678")));
  const index = await get(site, "/");
  assertEquals(index.status, 200);
  assertEquals(index.type, "text/html; charset=utf-8");
  assert(index.text.startsWith("<!doctype html>"));
  assertEquals(await get(site, "/index.html"), index);
  assertEquals(await get(site, "/", "HEAD"), { ...index, text: "" });
  assertEquals((await get(site, "/style.css")).type, "text/css; charset=utf-8");
  assertEquals((await get(site, "/favicon.svg")).type, "image/svg+xml");
  const robots = await get(site, "/robots.txt");
  assertEquals(robots.text, "User-agent: *\nAllow: /\n");
  const missing = await get(site, "/nothing");
  assertEquals([missing.status, missing.type], [404, index.type]);
  assertEquals((await get(site, "/", "POST")).status, 405);
});

Deno.test("placeholderSite() is the same for a seed and differs between seeds", () => {
  const seed = utf8("12345678");
  assertEquals(placeholderSite(seed), placeholderSite(seed));
  const other = placeholderSite(utf8("87654321"));
  assertNotEquals(
    placeholderSite(seed).get("index.html"),
    other.get("index.html"),
  );
});

Deno.test("decoySite() reads a form to its end before it answers", async () => {
  const site = decoySite(new Map());
  const form = new TransformStream<Uint8Array, Uint8Array>();
  const body = form.readable;
  const request = new Request("http://a/", { method: "POST", body });
  let answered = false;
  const response = site(request).then((r) => {
    answered = true;
    return r;
  });
  const writer = form.writable.getWriter();
  await writer.write(utf8("bn1="));
  assertEquals(answered, false);
  await writer.close();
  assertEquals((await response).status, 405);
});

Deno.test("decoySite() shows a folder and nothing beside it", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const write = (path: string, text: string) =>
      Deno.writeTextFileSync(`${dir}/${path}`, text);
    Deno.mkdirSync(`${dir}/site/sub`, { recursive: true });
    write("secret.txt", "secret");
    write("site/index.html", "home");
    write("site/sub/index.html", "sub");
    write("site/sub/a b.txt", "space");
    write("site/.hidden", "secret");
    Deno.symlinkSync(`${dir}/secret.txt`, `${dir}/site/link.txt`);
    Deno.symlinkSync(dir, `${dir}/site/up`);
    const site = decoySite(readFileTree(`${dir}/site`));
    const good = { "/": "home", "/sub/": "sub", "/sub/a%20b.txt": "space" };
    for (const [path, text] of Object.entries(good)) {
      assertEquals(await get(site, path).then((r) => r.text), text);
    }
    for (
      const path of [
        "/../secret.txt",
        "/sub/../../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/sub/..%2f..%2fsecret.txt",
        "/%252e%252e/secret.txt",
        "/..%5csecret.txt",
        "/link.txt",
        "/up/secret.txt",
        "/.hidden",
        "/sub",
        "/%00",
        "/%ff",
        `/${dir}/secret.txt`,
        `${dir}/secret.txt`,
      ]
    ) {
      const { status, text } = await get(site, path);
      assertEquals([status, text], [404, "Not Found\n"], path);
    }
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
