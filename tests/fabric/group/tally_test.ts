import { assertEquals, assertThrows } from "@std/assert";
import { DecodeError } from "../../../src/core/bytes/mod.ts";
import {
  type Choice,
  signBallot,
  signProposal,
  verifyBallot,
  verifyProposal,
} from "../../../src/fabric/group/ballot.ts";
import {
  encodeTally,
  tallyOf,
  verifyTally,
} from "../../../src/fabric/group/tally.ts";
import { FabricError } from "../../../src/fabric/mod.ts";
import { agentOf, crypto } from "../_agents.ts";

const GROUP = new Uint8Array(32).fill(3);
const [ana, bob, cat, eve] = ["ana", "bob", "cat", "eve"].map((name) =>
  agentOf(`${name}@node`)
);
const ELECTORS = new Map([
  [`${ana!.id}`, 2],
  [`${bob!.id}`, 1],
  [`${cat!.id}`, 1],
]);

function proposed(isUnanimous = false): Uint8Array<ArrayBuffer> {
  return signProposal(ana!, {
    ...{ group: GROUP, text: "paint it", deadlineMs: 1_000, isUnanimous },
    electors: ELECTORS,
  });
}

function ballotOf(
  agent: typeof ana,
  choice: Choice,
  proposal: Uint8Array,
  atMs = 500,
): Uint8Array<ArrayBuffer> {
  const { id } = verifyProposal(crypto, proposal);
  const ballot = { group: GROUP, proposal: id, choice, atMs };
  return signBallot(agent!, ballot);
}

Deno.test("verifyTally() counts the weight of signed ballots, whatever their order and copies", () => {
  const proposal = proposed();
  const ballots = [
    ballotOf(ana, "for", proposal),
    ballotOf(bob, "against", proposal),
    ballotOf(cat, "for", proposal),
  ];
  for (
    const list of [ballots, ballots.toReversed(), [...ballots, ...ballots]]
  ) {
    const tally = verifyTally(crypto, encodeTally(proposal, list));
    assertEquals(tally.weights, { for: 3, against: 1, abstain: 0 });
    assertEquals([tally.total, tally.isPassed], [4, true]);
  }
});

Deno.test("half of the weight does not pass, all of it must be for what is to be unanimous", () => {
  const isPassed = (isUnanimous: boolean, ...agents: (typeof ana)[]) => {
    const proposal = proposed(isUnanimous);
    const ballots = agents.map((each) => ballotOf(each, "for", proposal));
    return verifyTally(crypto, encodeTally(proposal, ballots)).isPassed;
  };
  assertEquals(isPassed(false, ana), false);
  assertEquals(isPassed(false, ana, bob), true);
  assertEquals(isPassed(true, ana, bob), false);
  assertEquals(isPassed(true, ana, bob, cat), true);
});

Deno.test("an elector with two different ballots counts for neither; late and strange ballots do not count", () => {
  const proposal = proposed();
  const other = proposed(true);
  const tally = verifyTally(
    crypto,
    encodeTally(proposal, [
      ballotOf(ana, "for", proposal),
      ballotOf(ana, "against", proposal),
      ballotOf(bob, "for", proposal, 1_001),
      ballotOf(cat, "for", other),
      ballotOf(eve, "for", proposal),
      ballotOf(cat, "abstain", proposal, 1_000),
    ]),
  );
  assertEquals(tally.weights, { for: 0, against: 0, abstain: 1 });
  assertEquals(tally.equivocators.map(String), [`${ana!.id}`]);
  assertEquals([tally.late, tally.strange, tally.isPassed], [1, 2, false]);
});

Deno.test("verifyTally() refuses whatever is not as it was signed", () => {
  const proposal = proposed();
  const ballot = ballotOf(bob, "for", proposal);
  const bytes = encodeTally(proposal, [ballot]);
  let refused = 0;
  for (let at = 0; at < bytes.length; at++) {
    const bad = bytes.slice();
    bad[at]! ^= 1;
    const error = assertThrows(() => verifyTally(crypto, bad));
    if (error instanceof DecodeError || error instanceof FabricError) refused++;
  }
  assertEquals(refused, bytes.length);
  assertThrows(() => verifyBallot(crypto, proposal), DecodeError);
  assertThrows(() => verifyProposal(crypto, ballot), DecodeError);
  const none = verifyProposal(crypto, proposal);
  assertEquals(tallyOf(none, []).isPassed, false);
});
