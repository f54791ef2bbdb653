/**
 * One door for buttons, menus and magics: a line of the grammar, run in the kernel of a notebook, or on its file by the
 * server where there is no kernel.
 */
import type { ICodeCellModel } from '@jupyterlab/cells';
import type { Kernel, KernelMessage } from '@jupyterlab/services';

import { execute, kernelOf } from './live/execute';
import type { Link } from './live/link';
import { post, Refusal } from './request';
import type { IReply } from './shared/wire';

/** The answer in the output of a command that a front end sent. */
const REPLY = 'application/vnd.jupyter-selfcode+json';
/** How long a kernel may take to say hello after our extension was loaded there, in milliseconds. */
const HELLO = 5000;

/**
 * Runs a line of the grammar for a notebook; `settings` are those that a session would begin with, for where there is no
 * kernel. Rejects with an `Error` whose message is for people.
 */
export async function run(
  link: Link,
  line: string,
  settings: { [name: string]: unknown }
): Promise<IReply> {
  const kernel = kernelOf(link);
  return kernel ? inKernel(link, kernel, line) : onFile(link, line, settings);
}

async function onFile(link: Link, line: string, settings: object): Promise<IReply> {
  const { context } = link.panel;
  if (context.model.dirty) {
    await context.save();
  }
  const reply = await post<IReply>('command', { path: context.localPath, line, settings });
  await context.revert();
  return reply;
}

async function load(link: Link, kernel: Kernel.IKernelConnection): Promise<void> {
  await execute(link, kernel, 'load_ext', 'jupyter_selfcode');
  if (link.connected) {
    return;
  }
  await new Promise<void>(resolve => {
    const done = (): void => {
      link.changed.disconnect(changed);
      window.clearTimeout(timer);
      resolve();
    };
    const changed = (): void => {
      if (link.connected) {
        done();
      }
    };
    const timer = window.setTimeout(done, HELLO);
    link.changed.connect(changed);
  });
}

/** Cells that the kernel runs again for a hidden command print here, so their outputs are brought to them. */
class Rerun {
  constructor(private readonly link: Link) {
    link.rerun.connect(this.begin, this);
  }

  dispose(): void {
    this.link.rerun.disconnect(this.begin, this);
  }

  take(message: KernelMessage.IIOPubMessage): void {
    const type = message.header.msg_type;
    if (!['stream', 'display_data', 'execute_result', 'error'].includes(type)) {
      return;
    }
    const { transient: _, ...content } = message.content as any;
    this.outputs(this.link.rerunning)?.add({ output_type: type, ...content });
  }

  private begin(_: Link, cellId: string): void {
    this.outputs(cellId)?.clear();
  }

  private outputs(cellId: string | null): ICodeCellModel['outputs'] | null {
    const cell = this.link.panel.content.widgets.find(widget => widget.model.id === cellId)?.model;
    return cell?.type === 'code' ? (cell as ICodeCellModel).outputs : null;
  }
}

async function inKernel(
  link: Link,
  kernel: Kernel.IKernelConnection,
  line: string
): Promise<IReply> {
  if (!link.connected) {
    await load(link, kernel);
  }
  let reply: IReply | null = null;
  let printed = '';
  const rerun = new Rerun(link);
  try {
    await execute(link, kernel, 'selfcode', line, message => {
      const content = message.content as any;
      const found = content.data?.[REPLY];
      if (found) {
        reply = found;
      } else if (link.rerunning !== null) {
        rerun.take(message);
      } else if (message.header.msg_type === 'stream') {
        printed += content.text;
      }
    });
  } finally {
    rerun.dispose();
  }
  if (!reply) {
    throw new Refusal(
      printed.trim() || 'The kernel gave no answer: is jupyter_selfcode the same version there?',
      0
    );
  }
  return reply;
}
