import type { Metrics } from "../../src/core/metrics/mod.ts";
import type {
  AgentGroups,
  Fabric,
  GroupCounts,
  VoteCounts,
} from "../../src/fabric/mod.ts";

/** Labels of what was done with what came in groups, in the order of docs/fabric.md. */
const EVENTS: Readonly<Record<keyof GroupCounts, string>> = {
  read: "read",
  copiesRead: "copy",
  unwelcome: "unwelcome",
  full: "full",
  tooOld: "too_old",
  fromDeadBranch: "dead_branch",
  unparked: "unparked",
  abandoned: "abandoned",
  malformed: "malformed",
  invalid: "invalid",
  strangers: "stranger",
  copies: "commit_copy",
  stale: "commit_stale",
  late: "commit_late",
  beaten: "commit_beaten",
  forbidden: "commit_forbidden",
  rolledBack: "rolled_back",
  unfulfilled: "unfulfilled",
};
/** Labels of why ballots and proposals were not counted. */
const UNCOUNTED: Readonly<Record<keyof VoteCounts, string>> = {
  malformed: "malformed",
  wrongElectors: "wrong_electors",
  late: "late",
  doubles: "double",
  full: "full",
};

/** Exposes what the groups of a node's agents have and have done, as `fabric_group_…` (docs/fabric.md). */
export function exposeGroups(
  metrics: Metrics,
  groups: ReadonlyMap<Fabric, AgentGroups>,
): void {
  const all = () => [...groups.values()];
  const sum = (of: (each: AgentGroups) => number) =>
    all().reduce((total, each) => total + of(each), 0);
  metrics.gaugeFrom({
    name: "fabric_groups",
    help: "Groups that an agent is a member of",
    read: () =>
      sum(({ groups }) => groups.all.filter((each) => each.isMember).length),
  });
  metrics.gaugeFrom({
    name: "fabric_group_invitations",
    help: "Invitations that wait to be accepted or declined",
    read: () => sum(({ groups }) => groups.invitations.length),
  });
  metrics.gaugeFrom({
    name: "fabric_group_evidence",
    help: "Pieces of evidence that are kept",
    read: () =>
      sum(({ groups }) =>
        groups.all.reduce((n, each) => n + each.evidence.length, 0)
      ),
  });
  metrics.gaugeFrom({
    name: "fabric_group_votes",
    help: "Votes that are kept",
    read: () =>
      sum(({ held }) => held.reduce((n, each) => n + each.proposals.length, 0)),
  });
  metrics.counterFrom({
    name: "fabric_group_events_total",
    help: "What came in groups, by what was done with it",
    labels: { event: Object.values(EVENTS) },
    read: ({ event }) =>
      sum(({ groups }) =>
        groups.all.reduce((n, each) => n + each.counts[keyOf(EVENTS, event)], 0)
      ),
  });
  metrics.counterFrom({
    name: "fabric_group_uncounted_total",
    help: "Ballots and proposals that were not counted, by reason",
    labels: { reason: Object.values(UNCOUNTED) },
    read: ({ reason }) =>
      sum(({ held }) =>
        held.reduce((n, each) => n + each.counts[keyOf(UNCOUNTED, reason)], 0)
      ),
  });
  metrics.counterFrom({
    name: "fabric_group_drops_total",
    help: "Messages about groups that came or went for nobody, by reason",
    labels: { reason: ["unknown_group", "no_room"] },
    read: ({ reason }) =>
      sum(({ groups }) =>
        reason === "no_room" ? groups.unsent : groups.unknown
      ),
  });
}

function keyOf<K extends string>(
  labels: Readonly<Record<K, string>>,
  label: string,
): K {
  return (Object.keys(labels) as K[]).find((key) => labels[key] === label)!;
}
