import { execute } from '../src/live/execute';

/** A kernel whose server keeps some of the messages back. */
function kernel(heard: { header: object; content: object }[], reply: object | null): any {
  const never = new Promise(() => undefined);
  return {
    requestExecute: () => {
      const future: any = { done: reply ? Promise.resolve({ content: reply }) : never };
      setTimeout(() => heard.forEach(message => future.onIOPub(message)));
      return future;
    }
  };
}

const link = { shown: () => ({}) } as any;
const message = (msg_type: string, content: object): any => ({ header: { msg_type }, content });
const rests = message('status', { execution_state: 'idle' });

describe('a command in the kernel', () => {
  it('ends with its reply', async () => {
    await execute(link, kernel([], { status: 'ok' }), 'selfcode', 'history');
    const failed = { status: 'error', ename: 'CommandError', evalue: 'There is no version 9.' };
    const asked = execute(link, kernel([], failed), 'selfcode', 'show 9');
    await expect(asked).rejects.toThrow('There is no version 9.');
  });

  it('ends when the kernel rests, where no reply comes', async () => {
    await execute(link, kernel([rests], null), 'selfcode', 'history');
  });

  it('fails as the kernel printed, where no reply comes', async () => {
    const printed = message('error', { ename: 'CommandError', evalue: 'There is no version 9.' });
    const asked = execute(link, kernel([printed, rests], null), 'selfcode', 'show 9');
    await expect(asked).rejects.toThrow('There is no version 9.');
  });
});
