import type { HttpFields } from "../core/transport/mod.ts";

/** The media type of a submitted form. */
export const FORM = "application/x-www-form-urlencoded";

/** A header field. */
export type Field = readonly [name: string, value: string];

const USER_AGENT: Field = [
  "User-Agent",
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/152.0.0.0 Safari/537.36",
];
const CLIENT_HINTS: readonly Field[] = [
  [
    "sec-ch-ua",
    '"Chromium";v="152", "Not?A_Brand";v="24", "Google Chrome";v="152"',
  ],
  ["sec-ch-ua-mobile", "?0"],
  ["sec-ch-ua-platform", '"Windows"'],
];
const ACCEPT: Field = [
  "Accept",
  "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7",
];
const LANGUAGES: readonly Field[] = [
  ["Accept-Encoding", "gzip, deflate, br, zstd"],
  ["Accept-Language", "en-US,en;q=0.9"],
];

/** What Chrome sends when a person opens a page. */
export function pageFields(host: string): Field[] {
  return [
    ["Host", host],
    ["Connection", "keep-alive"],
    ...CLIENT_HINTS,
    ["Upgrade-Insecure-Requests", "1"],
    USER_AGENT,
    ACCEPT,
    ["Sec-Fetch-Site", "none"],
    ["Sec-Fetch-Mode", "navigate"],
    ["Sec-Fetch-User", "?1"],
    ["Sec-Fetch-Dest", "document"],
    ...LANGUAGES,
  ];
}

/** What Chrome sends when a person submits a form of the same page. */
export function formFields(
  host: string,
  path: string,
  length: number,
): Field[] {
  const origin = `https://${host}`;
  return [
    ["Host", host],
    ["Connection", "keep-alive"],
    ["Content-Length", String(length)],
    ["Cache-Control", "max-age=0"],
    ...CLIENT_HINTS,
    ["Origin", origin],
    ["Content-Type", FORM],
    ["Upgrade-Insecure-Requests", "1"],
    USER_AGENT,
    ACCEPT,
    ["Sec-Fetch-Site", "same-origin"],
    ["Sec-Fetch-Mode", "navigate"],
    ["Sec-Fetch-User", "?1"],
    ["Sec-Fetch-Dest", "document"],
    ["Referer", `${origin}${path}`],
    ...LANGUAGES,
  ];
}

/** What Chrome sends when a page opens a WebSocket, with `upgrade` in place of its own fields of those names. */
export function upgradeFields(host: string, upgrade: HttpFields): Field[] {
  const fields: Field[] = [
    ["Host", host],
    ["Connection", "Upgrade"],
    ["Pragma", "no-cache"],
    ["Cache-Control", "no-cache"],
    USER_AGENT,
    ["Upgrade", "websocket"],
    ["Origin", `https://${host}`],
    ["Sec-WebSocket-Version", "13"],
    ...LANGUAGES,
  ];
  const given = new Map(
    upgrade.map((field) => [field[0].toLowerCase(), field]),
  );
  const merged = fields.map((field) => {
    const own = given.get(field[0].toLowerCase());
    given.delete(field[0].toLowerCase());
    return own ?? field;
  });
  return [...merged, ...given.values()];
}
