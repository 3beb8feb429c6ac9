import type { RefusalReason } from "../cla/convergence_layer.ts";

/** Statuses that a listener answers with (RFC 9110 §15), and their reason phrases. */
export const REASON_PHRASES = {
  200: "OK",
  400: "Bad Request",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  411: "Length Required",
  413: "Content Too Large",
  500: "Internal Server Error",
  503: "Service Unavailable",
  507: "Insufficient Storage",
} as const;

/** A status that a listener answers with. */
export type PushStatus = keyof typeof REASON_PHRASES;

const STATUS_OF = {
  unknown: 500,
  noResources: 507,
  retransmit: 500,
  notAcceptable: 400,
  extensionFailure: 400,
  sessionTerminating: 503,
} as const satisfies Record<RefusalReason, PushStatus>;

/** The status that says what the node decided: 200 without a refusal. */
export function statusOf(refusal: RefusalReason | undefined): PushStatus {
  return refusal === undefined ? 200 : STATUS_OF[refusal];
}

/** Why a bundle was refused that was answered with `status`; `undefined` if it was not. */
export function refusalOf(status: number): RefusalReason | undefined {
  switch (status) {
    case 200:
      return undefined;
    case 400:
    case 413:
    case 415:
    case 422:
      return "notAcceptable";
    case 429:
    case 503:
    case 507:
      return "noResources";
    default:
      return "unknown";
  }
}
