import { decodeBase64Url, encodeBase64Url } from "../../src/core/bytes/mod.ts";
import type { CryptoProvider } from "../../src/core/crypto/mod.ts";
import {
  readSecretFile,
  StorageError,
  writeSecretFile,
} from "../../src/core/storage/mod.ts";
import {
  Agent,
  formatAgentName,
  parseAgentName,
} from "../../src/fabric/mod.ts";
import { CliError } from "../_error.ts";

/** How the names of agents' files end in the folder of the state. */
export const AGENT_FILE_END = ".agent";

/** Makes an agent of a name, and its file, mode 0600. */
export function makeAgent(
  crypto: CryptoProvider,
  name: string,
  path: string,
): Agent {
  const seed = crypto.random(32);
  const agent = new Agent(crypto, seed, nameOf(name));
  const file = {
    name: formatAgentName(agent.name),
    seed: encodeBase64Url(seed),
  };
  writeSecretFile(path, JSON.stringify(file, null, 2) + "\n");
  return agent;
}

/**
 * Reads the file of an agent.
 *
 * @throws {CliError} `failed` if it is open to others, or holds no agent.
 */
function readAgent(crypto: CryptoProvider, path: string): Agent {
  let text: string;
  try {
    text = readSecretFile(path);
  } catch (cause) {
    if (!(cause instanceof StorageError)) throw cause;
    throw new CliError("failed", `Cannot read the agent in ${path}`, {
      cause,
      ...cause.code === "exposed" && { hint: `chmod 600 ${path}` },
    });
  }
  try {
    const { name, seed } = JSON.parse(text);
    return new Agent(
      crypto,
      decodeBase64Url(String(seed)),
      parseAgentName(String(name)),
    );
  } catch (cause) {
    throw new CliError("failed", `${path} holds no agent`, {
      cause,
      hint: "Restore it from a backup: nobody else has the agent's key.",
    });
  }
}

/**
 * The agents in the files `paths`, or all in `folder` if there are none.
 *
 * @throws {CliError} `failed` if one is open to others, or holds no agent; `usage` if there is no agent.
 */
export function readAgents(
  crypto: CryptoProvider,
  paths: readonly string[],
  folder: string,
): readonly Agent[] {
  const files = paths.length > 0 ? paths : [...Deno.readDirSync(folder)]
    .filter(({ name }) => name.endsWith(AGENT_FILE_END))
    .map(({ name }) => `${folder}/${name}`).sort();
  if (files.length === 0) {
    throw new CliError("usage", `There is no agent in ${folder}`, {
      hint: "betanet-fabric keygen <agent>@<node> makes one.",
    });
  }
  return files.map((path) => readAgent(crypto, path));
}

function nameOf(text: string): ReturnType<typeof parseAgentName> {
  try {
    return parseAgentName(text);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new CliError("usage", cause.message);
  }
}
