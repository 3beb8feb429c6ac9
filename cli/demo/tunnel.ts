import { encodeHex } from "../../src/core/bytes/mod.ts";
import type { Address } from "../../src/core/transport/mod.ts";
import type { CarrierName } from "../htx/address_for.ts";
import type { RoleName } from "../_roles.ts";
import { Child } from "./child.ts";

/** What to start. */
export interface TunnelOptions {
  /** How the proxy reaches the server. */
  readonly carrier: CarrierName;
  /** What the origin's content is made of. */
  readonly seed: Uint8Array;
  /** Hears what has started. */
  readonly step: (line: string) => void;
  /** Stops the start. */
  readonly signal: AbortSignal;
}

/** A web server, an HTX server that may reach it, and an HTX proxy, each a process of its own; disposing ends them. */
export interface Tunnel extends AsyncDisposable {
  /** Where the web server is, an `http:` address. */
  readonly origin: Address;
  /** Where the proxy takes clients. */
  readonly proxy: Address;
  /** The file that tells clients how to reach the HTX server. */
  readonly recordFile: string;
  /** Status pages. */
  readonly status: { readonly server: Address; readonly proxy: Address };
  /** The processes. */
  readonly children: readonly Pick<Child<unknown>, "name" | "said">[];
}

/** Starts a {@link Tunnel}. */
export async function startTunnel(
  { carrier, seed, step, signal }: TunnelOptions,
): Promise<Tunnel> {
  await using stack = new AsyncDisposableStack();
  const children: Tunnel["children"][number][] = [];
  const start = <T>(name: string, role: RoleName, args: readonly string[]) => {
    const child = new Child<T>({ name, role, args, signal });
    children.push(child);
    return stack.use(child);
  };
  const state = await Deno.makeTempDir({ prefix: "betanet-demo-" });
  stack.defer(() => Deno.remove(state, { recursive: true }));

  const origin = await start<{ address: Address }>(
    "web server",
    "betanet",
    ["demo", "--origin", encodeHex(seed), "--json"],
  ).printed;
  step(`web server at ${origin.address}`);

  const target = new URL(origin.address).host;
  const server = start<{ addresses: Address[]; recordFile: string }>(
    "HTX server",
    "htx",
    serverArgs({ state, target, carrier }),
  );
  const { addresses, recordFile } = await server.printed;
  step(`HTX server at ${addresses.join(" and ")}, may reach ${target} only`);

  const proxy = start<{ addresses: [Address] }>(
    "HTX proxy",
    "htx",
    proxyArgs({ recordFile, carrier }),
  );
  const { addresses: [address] } = await proxy.printed;
  step(`HTX proxy at ${address}, reaches the server over ${carrier}`);

  const status = {
    server: await server.statusAddress,
    proxy: await proxy.statusAddress,
  };
  const owned = stack.move();
  return {
    origin: origin.address,
    proxy: address,
    recordFile,
    status,
    children,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Any free port, and no port for what is not shown. */
const COMMON_ARGS = ["--status-port", "0", "--drain", "1s", "--json"];

function serverArgs(
  { state, target, carrier }: {
    readonly state: string;
    readonly target: string;
    readonly carrier: CarrierName;
  },
): string[] {
  return [
    ...["server", "--host", "127.0.0.1", "--port", "0"],
    ...["--state", state, "--allow", target],
    ...(carrier === "quic" ? [] : ["--no-quic"]),
    ...(["tls", "wss"].includes(carrier) ? ["--tls-port", "0"] : ["--no-tls"]),
    ...COMMON_ARGS,
  ];
}

function proxyArgs(
  { recordFile, carrier }: {
    readonly recordFile: string;
    readonly carrier: CarrierName;
  },
): string[] {
  return [
    ...["proxy", "--server", recordFile, "--carrier", carrier],
    ...["--listen", "127.0.0.1:0"],
    ...COMMON_ARGS,
  ];
}
