/** What came of a command, in a line for the person. */
import type { IOpened, ITold } from './panel';
import type { IReply } from './wire';

/** The proposal that a command made; null where it made none. */
export function proposed(reply: IReply): IOpened | null {
  const { status, proposal } = reply.data;
  return status === 'proposed' && proposal ? { kind: 'waiting', name: proposal } : null;
}

/** What is to be told; null where nothing is: a proposal stands open below, and says all itself. */
export function told(reply: IReply): ITold | null {
  const [title] = reply.view.blocks;
  if (title?.block !== 'title' || reply.data.status === 'proposed') {
    return null;
  }
  const reports: string[] = reply.data.reports ?? [];
  const reason = typeof reply.data.decision === 'string' ? reply.data.decision : '';
  return {
    kind: title.kind === 'plain' ? 'ok' : title.kind,
    text: [title.text, reason, ...reports].filter(Boolean).join('. ').replace(/\.\./g, '.'),
    // sources that the person has to bring into the notebook
    view: { blocks: reply.view.blocks.filter(block => block.block === 'fold' && block.shown) }
  };
}
