import type { DtnNodeErrorCode } from "../node/error.ts";

/** How applications are told over HTTP why a node did not do what they asked. */
export const STATUS_OF = {
  unprocessable: 400,
  known: 409,
  registered: 409,
  security: 403,
  expired: 410,
  too_large: 413,
  closed: 503,
  full: 507,
  priority_full: 507,
} as const satisfies Record<DtnNodeErrorCode, number>;
