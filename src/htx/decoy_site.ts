import { type Bytes, utf8 } from "../core/bytes/mod.ts";

/** The files of a site by path without the leading slash, e.g. `css/main.css`; `readFileTree` of core/storage makes one of a folder. */
export type SiteFiles = ReadonlyMap<string, Bytes>;

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  css: "text/css; charset=utf-8",
  gif: "image/gif",
  html: "text/html; charset=utf-8",
  ico: "image/x-icon",
  jpg: "image/jpeg",
  js: "text/javascript; charset=utf-8",
  json: "application/json",
  pdf: "application/pdf",
  png: "image/png",
  svg: "image/svg+xml",
  txt: "text/plain; charset=utf-8",
  webp: "image/webp",
  woff2: "font/woff2",
  xml: "application/xml",
};
const MAX_FORM_BYTES = 65_536;

/** Answers HTTP requests, in the shape that HTTP servers take. */
export type SiteHandler = (request: Request) => Promise<Response>;

/**
 * A static site, to be served as the origin of a {@link Decoy}.
 *
 * It looks paths up among `files` and nowhere else; a path that ends in `/` stands for its `index.html`, and `404.html` is used when
 * there is one. Forms are read to their end before they are refused, so that a form that stops half-way waits here just as it waits
 * in front of the gate.
 */
export function decoySite(files: SiteFiles): SiteHandler {
  return async (request) => {
    const { method, url } = request;
    if (method !== "GET" && method !== "HEAD") {
      await drain(request.body);
      const allow = { allow: "GET, HEAD" };
      return respond(method, 405, "405.txt", NOT_ALLOWED, allow);
    }
    const path = decodePath(new URL(url).pathname);
    const file = files.get(path);
    if (file) return respond(method, 200, path, file);
    const missing = files.get("404.html");
    return missing
      ? respond(method, 404, "404.html", missing)
      : respond(method, 404, "404.txt", NOT_FOUND);
  };
}

/**
 * The files of a small innocuous site whose name, colour and text follow from `seed` (at least 8 bytes, the same for every run).
 *
 * It keeps a fresh installation from looking empty. Who knows this code recognises it: a site of your own hides better.
 */
export function placeholderSite(seed: Uint8Array): SiteFiles {
  const pick = <T>(i: number, words: readonly T[]) =>
    words[seed[i % seed.length]! % words.length]!;
  const name = `${pick(0, FIRST_WORDS)} ${pick(1, SECOND_WORDS)}`;
  const hue = Math.floor(seed[2]! / 256 * 360);
  const paragraphs = [0, 1, 2].map((i) => `<p>${pick(3 + i, TEXTS[i]!)}</p>`);
  const page = (title: string, body: string) =>
    utf8(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<link rel="stylesheet" href="/style.css">
<link rel="icon" href="/favicon.svg">
</head>
<body>
<h1>${title}</h1>
${body}
</body>
</html>
`);
  return new Map([
    ["index.html", page(name, paragraphs.join("\n"))],
    ["404.html", page("Page not found", '<p><a href="/">Home</a></p>')],
    [
      "style.css",
      utf8(
        `body { max-width: ${
          34 + seed[6]! % 12
        }rem; margin: 3rem auto; padding: 0 1rem; font: 1rem/1.6 ${
          pick(7, ["Georgia, serif", "system-ui, sans-serif"])
        }; }\nh1, a { color: hsl(${hue} 55% 35%); }\n`,
      ),
    ],
    [
      "favicon.svg",
      utf8(
        `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><circle cx="8" cy="8" r="7" fill="hsl(${hue} 55% 45%)"/></svg>\n`,
      ),
    ],
    ["robots.txt", utf8("User-agent: *\nAllow: /\n")],
  ]);
}

const NOT_FOUND = utf8("Not Found\n");
const NOT_ALLOWED = utf8("Method Not Allowed\n");

const FIRST_WORDS = ["Harbour", "Willow", "Northside", "Juniper", "Mill Lane"];
const SECOND_WORDS = ["Allotments", "Choir", "Ceramics", "Cyclists", "Quilts"];
const TEXTS = [
  [
    "We are a small group that meets on Thursday evenings.",
    "A handful of neighbours, and a kettle that is always on.",
    "Founded over a pot of tea, and still about that size.",
  ],
  [
    "Newcomers are welcome; no experience is needed, and tools can be borrowed.",
    "If you are curious, come along once before you decide on anything.",
    "There is no fee, only a tin by the door for biscuits.",
  ],
  [
    "Dates for the coming season will be posted here as soon as the hall confirms them.",
    "Photographs of the last open day are being sorted and will follow.",
    "The next newsletter goes out at the end of the month.",
  ],
] as const;

function decodePath(path: string): string {
  try {
    const decoded = decodeURIComponent(path.slice(1));
    return decoded === "" || decoded.endsWith("/")
      ? `${decoded}index.html`
      : decoded;
  } catch {
    return ""; // no file has this name
  }
}

function respond(
  method: string,
  status: number,
  path: string,
  body: Bytes,
  headers: Record<string, string> = {},
): Response {
  const extension = path.slice(path.lastIndexOf(".") + 1).toLowerCase();
  const type = CONTENT_TYPES[extension] ?? "application/octet-stream";
  return new Response(method === "HEAD" ? null : body, {
    status,
    headers: {
      "content-type": type,
      "content-length": String(body.length),
      ...headers,
    },
  });
}

async function drain(body: ReadableStream<Uint8Array> | null): Promise<void> {
  let length = 0;
  for await (const chunk of body ?? []) {
    length += chunk.length;
    if (length > MAX_FORM_BYTES) return;
  }
}
