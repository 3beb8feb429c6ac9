import { type Context, Hono } from "@hono/hono";
import { FabricError } from "../error.ts";
import type { SignedProposal } from "../group/ballot.ts";
import { formatTally } from "../group/tally.ts";
import type { Votes } from "../group/votes.ts";
import { readChoice, readProposalBody } from "./group_body.ts";
import type { GroupJson } from "./group_json.ts";

const LINES = { "content-type": "text/plain; charset=utf-8" };
const MIN_PREFIX = 6;

/** What applications do in the votes of a group. */
export function voteRoutes({ of, json, bodyOf }: {
  /** The votes that a request means. */
  readonly of: (c: Context) => Votes;
  readonly json: GroupJson;
  readonly bodyOf: (request: Request) => Promise<Uint8Array>;
}): Hono {
  const voteIn = (c: Context, { proposals }: Votes): SignedProposal =>
    proposalOf(proposals, c.req.query("vote") ?? "");
  const app = new Hono();
  app.get("/votes", (c) => {
    const votes = of(c);
    return c.json(
      votes.proposals.map(({ id }) => json.tally(votes.tally(id))),
    );
  });
  app.post("/propose", async (c) => {
    const votes = of(c);
    const { text, options } = readProposalBody(await bodyOf(c.req.raw));
    const id = await votes.propose(text, options);
    return c.json(json.tally(votes.tally(id)));
  });
  app.post("/cast", async (c) => {
    const votes = of(c);
    const { id } = voteIn(c, votes);
    await votes.cast(id, readChoice(c.req.query("choice")));
    return c.json(json.tally(votes.tally(id)));
  });
  app.get("/tally", (c) => {
    const votes = of(c);
    return c.json(json.tally(votes.tally(voteIn(c, votes).id)));
  });
  app.get("/tally/signed", (c) => {
    const votes = of(c);
    const signed = formatTally(votes.export(voteIn(c, votes).id));
    return c.body(`${signed}\n`, 200, LINES);
  });
  return app;
}

/**
 * The proposal that `text` names: its name in hexadecimal, or the first 6 digits of it or more.
 *
 * @throws {FabricError} `unknown_group` if there is none, or more than one.
 */
function proposalOf(
  proposals: readonly SignedProposal[],
  text: string,
): SignedProposal {
  const found = text.length < MIN_PREFIX
    ? []
    : proposals.filter(({ id }) => id.toHex().startsWith(text));
  if (found.length === 1) return found[0]!;
  throw new FabricError("unknown_group", `No vote here is ${text}`);
}
