import { systemClock } from "../../src/core/async/mod.ts";
import { DecodeError } from "../../src/core/bytes/mod.ts";
import { defaultProvider } from "../../src/core/crypto/mod.ts";
import { Metrics } from "../../src/core/metrics/mod.ts";
import {
  readTextFile,
  sqliteStore,
  StorageError,
} from "../../src/core/storage/mod.ts";
import type { Address } from "../../src/core/transport/mod.ts";
import {
  AgentBook,
  AgentGroups,
  type Fabric,
  FabricError,
  FabricNode,
  type GroupCrypto,
  MlsGroupCrypto,
  parseAgentRecord,
} from "../../src/fabric/mod.ts";
import { CliError } from "../_error.ts";
import { lockState } from "../_lock_state.ts";
import type { Context } from "../_main.ts";
import { randomOf } from "../mixnode/network.ts";
import { readAgents } from "./agent_file.ts";
import type { FabricConfig } from "./config.ts";
import { openBundles } from "./open_bundles.ts";
import { openHtx } from "./open_htx.ts";
import { fabricState } from "./settings.ts";

/** A node that runs. */
export interface RunningFabricNode extends AsyncDisposable {
  /** The node, with its agents. */
  readonly node: FabricNode;
  /** Whom it knows. */
  readonly book: AgentBook;
  /** The groups of its agents. */
  readonly groups: ReadonlyMap<Fabric, AgentGroups>;
  /** Where it takes sessions. */
  readonly addresses: readonly Address[];
  /** Where its node of bundles takes contacts. */
  readonly contacts: readonly Address[];
  /** Where that serves applications, if it does. */
  readonly bundleApp: Address | undefined;
  /** What its parts count. */
  readonly metrics: Metrics;
}

/** Rows of an outbox, an inbox and receipts for each message that may be there. */
const ROWS = 16;
/** Messages that leave before as much has come are written once. */
const STORE_LOG_BYTES = 64 * 1024 * 1024;

/**
 * Starts the node that `config` describes.
 *
 * @throws {CliError} If its state cannot be used, or an address not be listened at, or an agent is another node's.
 */
export async function openNode(
  config: FabricConfig,
  context: Pick<Context, "env" | "log" | "note" | "signal">,
): Promise<RunningFabricNode> {
  const { log } = context;
  const folder = fabricState(config, context);
  await using opened = new AsyncDisposableStack();
  opened.use(lockState(folder, "fabric"));
  const crypto = defaultProvider();
  const agents = readAgents(crypto, config.node.agents, folder);
  for (const agent of agents) opened.use(agent);
  const metrics = new Metrics();
  const book = new AgentBook({
    ...{ crypto, clock: systemClock },
    store: opened.use(sqliteStore(`${folder}/book.sqlite`)),
    maxAgents: config.node.max_known,
  });
  learnAll(book, config.node.records);
  const bundles = config.node.dtn === undefined
    ? undefined
    : opened.use(await openBundles(config.node.dtn, folder, context));
  const htx = opened.use(
    await openHtx(config.htx, { folder, crypto, metrics }, context),
  );
  const node = opened.use(
    new FabricNode({
      ...{ crypto, book, log, clock: systemClock, random: randomOf(crypto) },
      ...{ node: htx.node, dial: htx.dial },
      maxLinks: config.node.max_links,
      ...bundles && { bundles: bundles.node },
    }),
  );
  const mls = new MlsGroupCrypto(crypto);
  const groups = new Map<Fabric, AgentGroups>();
  for (const agent of agents) {
    const { messages } = config;
    const store = opened.use(sqliteStore(`${folder}/${agent.id}.sqlite`, {
      maxEntries: ROWS * (messages.max_outbox + messages.max_inbox),
      maxBytes: 2 * (messages.max_outbox_size + messages.max_inbox_size),
      synchronous: messages.synchronous,
      logBytes: STORE_LOG_BYTES,
    }));
    try {
      const fabric: Fabric = node.join(agent, {
        ...{ store, ...limitsOf(config) },
        groups: {
          ...groupsOf(config, mls),
          onJoined: (group) => groups.get(fabric)!.enter(group),
        },
      });
      groups.set(fabric, new AgentGroups(fabric));
    } catch (cause) {
      const code = cause instanceof RangeError ? "usage" : "failed";
      throw new CliError(code, `Agent ${agent.name.agent} is not of here`, {
        cause,
        hint: `Its node ${agent.name.node} must be the node id in ${
          config.node.dtn ?? "dtn.toml"
        }, and each agent have its own name.`,
      });
    }
  }
  // Stores close after the node that uses them.
  opened.defer(() => node[Symbol.asyncDispose]());
  // Applications that have a message of a group must let it go first.
  for (const each of groups.values()) opened.use(each);
  if (htx.server) node.serve(htx.server);
  const closing = opened.move();
  return {
    ...{ node, book, groups, metrics, addresses: htx.addresses },
    contacts: bundles?.addresses ?? [],
    bundleApp: bundles?.app,
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

function limitsOf({ messages }: FabricConfig) {
  return {
    budgetMs: messages.budget,
    maxRunning: messages.max_running,
    outbox: {
      maxMessages: messages.max_outbox,
      maxBytes: messages.max_outbox_size,
    },
    inbox: {
      maxKept: messages.max_inbox,
      maxKeptBytes: messages.max_inbox_size,
    },
  };
}

function groupsOf({ groups }: FabricConfig, mls: GroupCrypto) {
  const { invitations } = groups;
  const said = invitations === "ask" ? "later" : invitations === "accept";
  return { mls, onInvitation: () => said } as const;
}

function learnAll(book: AgentBook, records: readonly string[]): void {
  for (const each of records) {
    try {
      const isText = each.startsWith("betanet-agent:");
      book.learn(parseAgentRecord(isText ? each : readTextFile(each)));
    } catch (cause) {
      const isStale = cause instanceof FabricError && cause.code === "stale";
      if (isStale) continue;
      const isBad = cause instanceof FabricError ||
        cause instanceof DecodeError || cause instanceof StorageError;
      if (!isBad) throw cause;
      throw new CliError("usage", `No agent's record is in ${each}`, {
        cause,
        hint:
          "node.records wants what keygen or peers own printed, whole and not expired, or files of it.",
      });
    }
  }
}
