import { assertEquals, assertThrows } from "@std/assert";
import type { Carrier } from "../../src/htx/carrier.ts";
import {
  makeHttp2TicketRequest,
  uploadFields,
} from "../../src/htx/http2_request.ts";
import { navigationFields, profileOf } from "../../src/utls/mod.ts";

const profile = profileOf(152);
const BASE = { payload: new Uint8Array(150), cookieName: "sid" };
const TICKET = "A".repeat(200);

function make(carrier: Carrier, host = "example.org", path = "/p") {
  return makeHttp2TicketRequest(profile, { ...BASE, carrier, host, path });
}

Deno.test("cookie and query are the profile's navigation with one part more", () => {
  const target = { authority: "example.org", path: "/p" };
  const plain = navigationFields(profile, target);
  const cookie = make("cookie").fields;
  assertEquals(cookie.filter(([name]) => name !== "cookie"), plain);
  assertEquals(new Map(cookie).get("cookie"), `sid=${TICKET}`);
  const query = make("query", "example.org:443", "/p?a=1").fields;
  const path = `/p?a=1&bn1=${TICKET}`;
  assertEquals(query, navigationFields(profile, { ...target, path }));
});

Deno.test("the form is a POST of the same page, its fields in Chrome's order", () => {
  const { fields, body } = make("body", "example.org:8443");
  assertEquals(new TextDecoder().decode(body), `bn1=${TICKET}`);
  assertEquals(fields.map(([name]) => name), [
    ...[":method", ":authority", ":scheme", ":path"],
    ...["content-length", "cache-control"],
    ...["sec-ch-ua", "sec-ch-ua-mobile", "sec-ch-ua-platform"],
    ...["origin", "content-type", "upgrade-insecure-requests"],
    ...["user-agent", "accept"],
    ...["sec-fetch-site", "sec-fetch-mode", "sec-fetch-user", "sec-fetch-dest"],
    ...["referer", "accept-encoding", "accept-language", "priority"],
  ]);
  const values = new Map(fields);
  assertEquals(values.get(":method"), "POST");
  assertEquals(values.get("content-length"), `${body.length}`);
  assertEquals(values.get("origin"), "https://example.org:8443");
  assertEquals(values.get("referer"), "https://example.org:8443/p");
  assertEquals(values.get("sec-fetch-site"), "same-origin");
});

Deno.test("the upload is a fetch() of the same page, as the profile's version has it", () => {
  const upload = new Map(uploadFields(profile, "example.org", "/p"));
  assertEquals(upload.get(":method"), "POST");
  assertEquals(upload.get("accept"), "*/*");
  assertEquals(upload.get("sec-fetch-mode"), "cors");
  assertEquals(upload.get("priority"), "u=1, i");
  assertEquals(upload.has("sec-fetch-user"), false);
  const old = new Map(uploadFields(profileOf(106), "example.org", "/p"));
  assertEquals(old.has("priority"), false);
});

Deno.test("host and path of a request over HTTP/2 have to be such", () => {
  assertThrows(() => make("cookie", "exa mple"), TypeError, "host");
  assertThrows(() => make("cookie", "example.org", "p"), TypeError, "path");
});
