import { delay, systemClock } from "../../src/core/async/mod.ts";
import { defaultProvider } from "../../src/core/crypto/mod.ts";
import { payloadOf } from "../../src/dtn/mod.ts";
import { CliError } from "../_error.ts";
import type { Context } from "../_main.ts";
import { table } from "../_table.ts";
import { textOf } from "../_ask_app.ts";
import { takeBundle } from "../dtn/ask_node.ts";
import {
  type BundlePlace,
  makePlace,
  type PlaceUp,
  startPlace,
} from "./bundle_place.ts";
import {
  digestsOfTree,
  FILES,
  filesBelow,
  makeTree,
  packFile,
  requireSame,
  unpackFile,
} from "./file_tree.ts";
import { step, tellWhatTheySaid } from "./step.ts";

const ENDPOINT = "dtn://receiver/files";
/** Contacts of each pair: in each the neighbours give an equal share of the bytes, and in the last what is left. */
const ROUNDS = 4;
const POLL_MS = 5;
const MAX_CONTACT_MS = 60_000;

/** A time in which two neighbours were up together. */
export interface BundleContact {
  /** Who gave. */
  readonly from: string;
  /** Who took. */
  readonly to: string;
  /** Bundles that the taker had stored of it when the contact was over. */
  readonly bundles: number;
  /** Their bytes. */
  readonly bytes: number;
  /** From when both were up until the power was cut. */
  readonly durationMs: number;
  /** Of those that came, bundles that the taker had already, as the power was cut before it could say so. */
  readonly again: number;
  /** Bundles that were left with the giver, a moment before the power was cut. */
  readonly left: number;
}

/** What a run came to. */
export interface BundlesFigures {
  /** Files that crossed, each a bundle. */
  readonly files: number;
  /** Bytes of the files. */
  readonly bytes: number;
  /** From the first file's bundle until the trees were the same. */
  readonly durationMs: number;
  /** Times in which two neighbours were up together. */
  readonly contacts: readonly BundleContact[];
}

/** Shows a tree of files that crosses three nodes of which two are up together now and then, each until its power is cut. */
export async function runBundles(context: Context): Promise<BundlesFigures> {
  context.note(
    `This makes ${FILES} files and sends each as a bundle from a sender over a relay to a receiver, of which at most two are up at a ` +
      `time; each contact ends with SIGKILL of both.`,
  );
  const root = await Deno.makeTempDir({ prefix: "betanet-demo-" });
  await using stack = new AsyncDisposableStack();
  stack.defer(() => Deno.remove(root, { recursive: true }));
  const [sent, arrived] = [`${root}/sent`, `${root}/arrived`];
  await Deno.mkdir(arrived);
  await makeTree(sent, defaultProvider().random(32));
  const wanted = await digestsOfTree(sent);
  const places = {
    sender: await makePlace(root, "sender", "relay"),
    relay: await makePlace(root, "relay", "receiver"),
    receiver: await makePlace(root, "receiver"),
  };
  const startMs = systemClock.now();
  const bytes = await sendTree(sent, places.sender, context);
  step(context, `sender stores ${wanted.size} files of ${bytes} bytes`);
  const contacts: BundleContact[] = [];
  for (let rest = ROUNDS - 1; rest >= 0; rest--) {
    const { sender, relay, receiver } = places;
    contacts.push(await meet(sender, relay, rest, context));
    contacts.push(
      await meet(relay, receiver, rest, context, (at) => take(at, arrived)),
    );
  }
  requireSame(await digestsOfTree(arrived), wanted);
  const durationMs = Math.round(systemClock.now() - startMs);
  step(context, `${wanted.size} files have arrived, each once, by SHA-256`);
  return { files: wanted.size, bytes, durationMs, contacts };
}

/** `figures` for a person. */
export function bundlesTable({ contacts }: BundlesFigures): string {
  return table(
    ["contact", "bundles", "bytes", "ms", "again", "left"],
    contacts.map((each) => [
      `${each.from} - ${each.to}`,
      each.bundles,
      each.bytes,
      each.durationMs,
      each.again,
      each.left,
    ]),
  );
}

/** Gives every file below `folder` to the node of `place`, which is up only for that; how many bytes they have. */
async function sendTree(
  folder: string,
  place: BundlePlace,
  context: Context,
): Promise<number> {
  await using up = await startPlace(place, context);
  let bytes = 0;
  for await (const path of filesBelow(folder, "")) {
    const content = await Deno.readFile(`${folder}/${path}`);
    bytes += content.length;
    textOf(await up.ask(`/send?dst=${ENDPOINT}`, packFile(path, content)));
  }
  await up.child.kill();
  return bytes;
}

/** Lets two neighbours be up together until the giver has `rest` in `rest` + 1 of its bytes left; then cuts their power. */
async function meet(
  giver: BundlePlace,
  taker: BundlePlace,
  rest: number,
  context: Context,
  afterwards: (taker: PlaceUp) => Promise<void> = async () => {},
): Promise<BundleContact> {
  await using to = await startPlace(taker, context);
  const before = await to.usage();
  await using from = await startPlace(giver, context, to.address);
  try {
    const startMs = systemClock.now();
    const had = await from.usage();
    const goalBytes = Math.floor(had.bytes * rest / (rest + 1));
    let left = had;
    while (left.bytes > goalBytes) {
      if (systemClock.now() - startMs > MAX_CONTACT_MS) {
        throw new CliError("failed", `${left.bundles} bundles stay behind`);
      }
      await delay(systemClock, POLL_MS, context);
      left = await from.usage();
    }
    const durationMs = Math.round(systemClock.now() - startMs);
    await from.child.kill();
    await parted(to, context);
    const after = await to.usage();
    const { dropped } = JSON.parse(textOf(await to.ask("/status/info")));
    await afterwards(to);
    await to.child.kill();
    const contact = {
      ...{ from: giver.name, to: taker.name, left: left.bundles, durationMs },
      bundles: after.bundles - before.bundles,
      bytes: after.bytes - before.bytes,
      again: dropped.known,
    };
    step(
      context,
      `${giver.name} and ${taker.name} were up together for ${durationMs} ms: ${contact.bundles} bundles crossed, ${left.bundles} wait`,
    );
    return contact;
  } catch (error) {
    const children = [from.child, to.child];
    if (!context.signal.aborted) tellWhatTheySaid(children, context);
    throw error;
  }
}

/** Waits until a node has no neighbour: what a dead one had sent it is stored then. */
async function parted({ ask }: PlaceUp, context: Context): Promise<void> {
  const endMs = systemClock.now() + MAX_CONTACT_MS;
  while (JSON.parse(textOf(await ask("/status/peers"))).length > 0) {
    if (systemClock.now() > endMs) {
      throw new CliError("failed", "A dead neighbour counts as alive");
    }
    await delay(systemClock, POLL_MS, context);
  }
}

/** Writes the files that have come into `folder`. */
async function take({ ask }: PlaceUp, folder: string): Promise<void> {
  for (;;) {
    const bundle = await takeBundle(ask, ENDPOINT);
    if (!bundle) return;
    await unpackFile(folder, payloadOf(bundle));
  }
}
