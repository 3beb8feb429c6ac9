import type { WorkerScope } from "./_terminal.ts";

/** What a worker thread does: answers the messages that come to `scope`. */
export type WorkerTask = (
  scope: WorkerScope,
  argument: string,
) => void | Promise<void>;

/**
 * Starts a thread for a task of this program.
 *
 * Its code is the program again: that is what there is from the sources, in a single file and compiled alike. `main` then does the
 * task instead of a command.
 *
 * @param task A name in the program's `workers`, without spaces.
 * @param argument What it is to know from the start.
 */
export function spawnWorker(task: string, argument: string): Worker {
  return new Worker(Deno.mainModule, {
    type: "module",
    name: `${task} ${argument}`,
  });
}

/**
 * Does the task of this thread.
 *
 * @throws {Error} If there is none of its name, which whoever started the thread gets as its failure.
 */
export async function work(
  tasks: Readonly<Record<string, WorkerTask>>,
  scope: WorkerScope,
): Promise<void> {
  const [task = "", argument = ""] = scope.name.split(" ");
  if (!Object.hasOwn(tasks, task)) throw new Error(`No worker task "${task}"`);
  await tasks[task]!(scope, argument);
}
