import { fireEvent, render, screen, waitFor } from '@testing-library/react';
import * as React from 'react';

import { get } from '../src/request';
import { asWritten } from '../src/shared/trans';
import { AtCursor } from '../src/sidebar/cell';
import { Bars, Plots } from '../src/sidebar/plots';
import { Settings } from '../src/sidebar/settings';

jest.mock('../src/request', () => ({ get: jest.fn() }));

const answer = get as jest.Mock;
const titled = (text: string): object => ({
  data: {},
  view: { blocks: [{ block: 'title', text, kind: 'plain', remark: '' }] }
});

beforeEach(() => answer.mockReset());

describe('cost', () => {
  it('is a bar for each day and each change, pale where the change is gone', async () => {
    const by_day = [
      { day: '2026-01-01', usd: 0.5, tokens: 10 },
      { day: '2026-01-02', usd: 0.25, tokens: 5 }
    ];
    const by_version = [
      { id: 'a', number: 2, words: 'one', usd: 0.5, tokens: 10, alive: true },
      { id: 'b', number: 3, words: 'two', usd: 0.25, tokens: 5, alive: false }
    ];
    answer.mockResolvedValue({ data: { by_day, by_version } });
    render(<Plots path="nb.ipynb" rows={[]} trans={asWritten} />);
    const [days, changes] = await screen.findAllByRole('img');
    expect(answer).toHaveBeenCalledWith('cost', { path: 'nb.ipynb' });
    expect(days.getAttribute('aria-label')).toBe('by day: 2026-01-01: $0.50, 2026-01-02: $0.25');
    const heights = [...days.querySelectorAll('rect')].map(bar => bar.getAttribute('height'));
    expect(Number(heights[0])).toBe(2 * Number(heights[1]));
    expect(changes.querySelectorAll('.jp-mod-lost')).toHaveLength(1);
  });

  it('is tokens where no price is known', () => {
    const spent = [1, 2].map(n => ({ name: `v${n}`, usd: null, tokens: n * 1000, lost: false }));
    render(<Bars title="by change" spent={spent} trans={asWritten} />);
    expect(screen.getByRole('img').getAttribute('aria-label')).toBe(
      'by change: v1: 1K tokens, v2: 2K tokens'
    );
  });
});

describe('settings', () => {
  const settings = { model: '', policy: 'propose', context_level: 'auto', budget_usd: 1 };

  it('are sent when a field is left, not at each key; models that were found are offered', async () => {
    const found = [{ models: ['ollama/a', 'ollama/b'] }, { models: [] }];
    answer.mockResolvedValue({ ...titled('Doctor'), data: { models: { found } } });
    const onChange = jest.fn();
    render(
      <Settings
        path="nb.ipynb"
        settings={settings}
        trans={asWritten}
        disabled={false}
        onChange={onChange}
      />
    );
    const model = screen.getByLabelText('model', { selector: 'input' });
    fireEvent.change(model, { target: { value: 'ollama/x' } });
    expect(onChange).not.toHaveBeenCalled();
    fireEvent.blur(model);
    expect(onChange).toHaveBeenCalledWith('model', 'ollama/x');
    fireEvent.change(screen.getByLabelText('policy'), { target: { value: 'deploy' } });
    expect(onChange).toHaveBeenCalledWith('policy', 'deploy');
    const budget = screen.getByLabelText(/budget/, { selector: 'input' });
    fireEvent.change(budget, { target: { value: '' } });
    fireEvent.blur(budget);
    expect(onChange).toHaveBeenCalledWith('budget_usd', null);
    const offered = (): unknown[] =>
      [...document.querySelectorAll('datalist option')].map(o => o.getAttribute('value'));
    await waitFor(() => expect(offered()).toEqual(['ollama/a', 'ollama/b']));
  });

  it('show the level in force, also where it was found by itself', () => {
    answer.mockReturnValue(new Promise(() => undefined));
    render(
      <Settings
        path="nb.ipynb"
        settings={settings}
        trans={asWritten}
        disabled={false}
        onChange={() => undefined}
      />
    );
    expect(screen.getByLabelText('what a model is shown')).toHaveProperty('value', 'auto');
  });
});

describe('the cell at the cursor', () => {
  it('tells why it is as it is and who made its lines', async () => {
    answer.mockImplementation(async (route: string) => titled(`${route} of it`));
    render(<AtCursor path="nb.ipynb" cell="c1" stamp="v1" trans={asWritten} />);
    await screen.findByText('why of it');
    await screen.findByText('blame of it');
  });

  it('says once what is wrong', async () => {
    answer.mockRejectedValue(new Error('There is no cell c1.'));
    render(<AtCursor path="nb.ipynb" cell="c1" stamp="v1" trans={asWritten} />);
    expect(await screen.findAllByText('There is no cell c1.')).toHaveLength(1);
  });
});
