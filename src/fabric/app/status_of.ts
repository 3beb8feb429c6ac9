import type { FabricErrorCode } from "../error.ts";

const STATUS = {
  malformed: 400,
  unauthenticated: 400,
  unknown_agent: 404,
  unknown_group: 404,
  stale: 409,
  conflict: 409,
  group_member: 409,
  too_large: 413,
  unreachable: 502,
  closed: 503,
  expired: 504,
  full: 507,
} as const satisfies Partial<Record<FabricErrorCode, number>>;

/** How applications are told over HTTP why something failed; 422 if it was the other agent, or the rules of a group, that did not allow it. */
export function statusOf(
  code: FabricErrorCode,
): typeof STATUS[keyof typeof STATUS] | 422 {
  return code in STATUS ? STATUS[code as keyof typeof STATUS] : 422;
}
