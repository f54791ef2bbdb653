/** Magics that a front end runs in a kernel, without a trace in its history. */
import type { Kernel, KernelMessage } from '@jupyterlab/services';

import type { Link } from './link';

/** How long a reply may come after the kernel has rested from the work, in milliseconds. */
const LATE = 1000;

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

/** What a reply says: whether it went well, and what went wrong. */
interface IOutcome {
  status: string;
  ename?: string;
  evalue?: string;
}

/**
 * The end of a request. A kernel that rests from it has ended it: where its reply does not come, which servers can lose
 * (jupyter-server-documents 0.3.3 after a reload of the page), what it printed tells how.
 */
function ended(
  future: Kernel.IShellFuture<KernelMessage.IExecuteRequestMsg, KernelMessage.IExecuteReplyMsg>,
  heard: (message: KernelMessage.IIOPubMessage) => void
): Promise<IOutcome> {
  return new Promise((resolve, reject) => {
    let told: IOutcome = { status: 'ok' };
    let timer = 0;
    future.onIOPub = message => {
      const content = message.content as any;
      if (message.header.msg_type === 'error') {
        told = { ...content, status: 'error' };
      } else if (content.execution_state === 'idle') {
        timer = window.setTimeout(() => resolve(told), LATE);
      }
      heard(message);
    };
    future.done.then(
      ({ content }) => {
        window.clearTimeout(timer);
        resolve(content);
      },
      reason => {
        window.clearTimeout(timer);
        reject(reason);
      }
    );
  });
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
  const reply = await ended(future, heard);
  if (reply.status === 'error') {
    throw new Error(reply.evalue || reply.ename);
  }
  if (reply.status !== 'ok') {
    throw new Error('Stopped.');
  }
}
