import { LinePeer } from "./_line_peer.ts";
import { isAvailable } from "./_peers.ts";

/** Where pip puts pyd3tn, at the first run. */
const PYTHON_PATH = `${import.meta.dirname!}/.cache/python-d3tn`;

/** Whether there is pyd3tn; if not, prints that `asker` is skipped and why. */
export function hasPyd3tn(asker: string): boolean {
  const pip = ["-m", "pip", "install", "--quiet", "--target", PYTHON_PATH];
  return exists(`${PYTHON_PATH}/pyd3tn`) ||
    isAvailable("python3", [...pip, "pyd3tn==0.15.2"], asker);
}

/** pyd3tn in a process of its own: see `_d3tn_peer.py`. */
export function startPyd3tn(): LinePeer {
  const script = new URL("_d3tn_peer.py", import.meta.url).pathname;
  const path = `PYTHONPATH=${PYTHON_PATH}`;
  return new LinePeer("env", path, "python3", script);
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
