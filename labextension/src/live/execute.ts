/** Magics that a front end runs in a kernel, without a trace in its history. */
import type { Kernel, KernelMessage } from '@jupyterlab/services';

import type { Link } from './link';

/** A string, number, truth or nothing as Python writes it. */
export function pythonLiteral(value: unknown): string {
  return value === null
    ? 'None'
    : value === true
      ? 'True'
      : value === false
        ? 'False'
        : JSON.stringify(value);
}

/** A magic as Python: whatever the line holds, it is neither split nor expanded on its way. */
function code(magic: string, line: string): string {
  return `get_ipython().run_line_magic(${JSON.stringify(magic)}, ${JSON.stringify(line)})`;
}

/** The kernel of a notebook that can run our commands; null where there is none. */
export function kernelOf(link: Link): Kernel.IKernelConnection | null {
  const kernel = link.panel.sessionContext.session?.kernel ?? null;
  return kernel && !['dead', 'terminating', 'unknown'].includes(kernel.status) ? kernel : null;
}

/** Run a magic in the kernel, without a trace in its history. Rejects with an `Error` whose message is for people. */
export async function execute(
  link: Link,
  kernel: Kernel.IKernelConnection,
  magic: string,
  line: string,
  heard: (message: KernelMessage.IIOPubMessage) => void = () => undefined
): Promise<void> {
  const content = {
    code: code(magic, line),
    store_history: false,
    silent: false,
    allow_stdin: false
  };
  const future = kernel.requestExecute({ ...content, stop_on_error: false }, true, {
    jupyter_selfcode: link.shown() as any
  });
  future.onIOPub = heard;
  const { content: reply } = await future.done;
  if (reply.status === 'error') {
    throw new Error(reply.evalue || reply.ename);
  }
  if (reply.status !== 'ok') {
    throw new Error('Stopped.');
  }
}
