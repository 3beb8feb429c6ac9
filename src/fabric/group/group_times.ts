import type { GroupTimes } from "./group_session.ts";

/** {@link GroupTimes} that hold if nothing else is said. */
export const GROUP_TIMES: Required<GroupTimes> = {
  ackMs: 2_000,
  tipMs: 60_000,
  retryMs: 2_000,
  turnMs: 3_000,
  askMs: 5_000,
  seenMs: 86_400_000,
};
