import { fireEvent, render, screen } from '@testing-library/react';
import * as React from 'react';

import { type IPanelProps, Panel } from '../src/shared/panel';
import { asWritten } from '../src/shared/trans';
import type { Block, IRow, IState, IWaiting } from '../src/shared/wire';

const COST = {
  versions: 0,
  alive: 0,
  calls: 0,
  prompt_tokens: 0,
  completion_tokens: 0,
  usd: 0,
  seconds: 0,
  usd_per_change_alive: null,
  tokens_per_change_alive: null
};

function waiting(given: Partial<IWaiting> = {}): IWaiting {
  return {
    name: 'abc',
    title: 'Proposed',
    words: 'Plot it',
    level: 2,
    level_name: 'contract',
    cells: ['c1', 'c2'],
    usd: 0.02,
    tokens: 1200,
    seconds: 3,
    trigger: 'words',
    reason: '',
    proposer: 'llm',
    model: 'some/model',
    ...given
  };
}

function row(number: number, given: Partial<IRow> = {}): IRow {
  return {
    number,
    id: `id${number}`,
    kind: 'adapt',
    outcome: 'deployed',
    by: 'person',
    at: '2026-01-01T00:00:00Z',
    words: `change ${number}`,
    trigger: 'words',
    proposer: 'llm',
    model: '',
    level: 2,
    level_name: 'contract',
    cells: [],
    usd: 0,
    tokens: 0,
    seconds: 0,
    rationale: '',
    current: false,
    behind: false,
    lane: 0,
    edges: [[0, 0]],
    ...given
  };
}

function state(given: Partial<IState> = {}): IState {
  return {
    notebook: 'nb.ipynb',
    store: 'ok',
    message: '',
    total: 0,
    head: null,
    in_force: null,
    undo: null,
    redo: null,
    waiting: [],
    cost: COST,
    settings: { policy: 'propose', context_level: 'summary', budget_usd: 1, model: '' },
    version: '0.1.0',
    ...given
  };
}

function shown(given: Partial<IPanelProps> = {}): { ran: string[]; props: IPanelProps } {
  const ran: string[] = [];
  const props: IPanelProps = {
    trans: asWritten,
    state: state(),
    rows: [],
    now: null,
    busy: false,
    stopping: false,
    told: null,
    opened: null,
    detail: null,
    failure: null,
    idle: null,
    run: line => ran.push(line),
    open: () => undefined,
    dismiss: () => undefined,
    ...given
  };
  render(<Panel {...props} />);
  return { ran, props };
}

function press(name: string): void {
  fireEvent.click(screen.getByRole('button', { name }));
}

const CELLS = ['c1', 'c2'].map((cell_id, i) => ({
  cell_id,
  place: i + 1,
  change: 'changed',
  type: 'code',
  before: 'a',
  after: 'b'
}));
const OPEN = {
  state: state({ waiting: [waiting()] }),
  opened: { kind: 'waiting' as const, name: 'abc' },
  detail: { view: { blocks: [] }, cells: CELLS }
};

describe('what waits', () => {
  it('is accepted whole', () => {
    const { ran } = shown(OPEN);
    press('Accept');
    expect(ran).toEqual(['accept abc']);
  });

  it('is accepted for some cells only', () => {
    const { ran } = shown(OPEN);
    fireEvent.click(screen.getByLabelText('cell 1'));
    press('Accept 1 of 2');
    expect(ran).toEqual(['accept abc --cell c2']);
  });

  it('is edited and tried, and nothing in the text looks like a flag', () => {
    const { ran } = shown(OPEN);
    press('Edit…');
    expect(screen.queryByRole('button', { name: 'Accept' })).toBeNull();
    fireEvent.change(screen.getByLabelText('Cell 2'), { target: { value: 'x --name "y"' } });
    press('Try It');
    expect(ran).toEqual(['revise --name abc {"c2":"x \\u002d\\u002dname \\"y\\""}']);
    expect(JSON.parse(ran[0].slice('revise --name abc '.length))).toEqual({ c2: 'x --name "y"' });
  });

  it('is not tried as it is, and Escape leaves the text', () => {
    shown(OPEN);
    press('Edit…');
    expect(screen.getByRole('button', { name: 'Try It' })).toHaveProperty('disabled', true);
    fireEvent.keyDown(screen.getByLabelText('Cell 1'), { key: 'Escape' });
    expect(screen.queryByRole('button', { name: 'Accept' })).not.toBeNull();
  });

  it('cannot be accepted for no cell', () => {
    shown(OPEN);
    fireEvent.click(screen.getByLabelText('cell 1'));
    fireEvent.click(screen.getByLabelText('cell 2'));
    expect(screen.getByRole('button', { name: 'Accept 0 of 2' })).toHaveProperty('disabled', true);
  });

  it('is rejected with a reason, and Escape keeps it', () => {
    const { ran } = shown(OPEN);
    press('Reject…');
    fireEvent.keyDown(screen.getByLabelText('Reason'), { key: 'Escape' });
    press('Reject…');
    fireEvent.change(screen.getByLabelText('Reason'), { target: { value: 'wrong column' } });
    press('Reject');
    expect(ran).toEqual(['reject --name abc wrong column']);
  });

  it('is not decided twice', () => {
    shown({ ...OPEN, busy: true });
    expect(screen.getByRole('button', { name: 'Accept' })).toHaveProperty('disabled', true);
  });
});

describe('versions', () => {
  const rows = [
    row(3, { current: true }),
    row(2, { model: 'some/model' }),
    row(1, { kind: 'initial' })
  ];
  const history = { state: state({ total: 3, undo: 'id2' }), rows };

  it('are rolled back to, but for the present one', () => {
    const opened = { kind: 'version' as const, name: 'id2' };
    const { ran } = shown({ ...history, opened });
    press('Roll back to 2');
    expect(ran).toEqual(['rollback 2']);
  });

  it('offer no way back to the present one', () => {
    shown({ ...history, opened: { kind: 'version', name: 'id3' } });
    expect(screen.queryByText('Roll back to 3')).toBeNull();
  });

  it('are undone, and redone only where something was undone', () => {
    const { ran } = shown(history);
    press('Undo');
    press('Redo');
    expect(ran).toEqual(['undo']);
  });

  it('are filtered by their sort', () => {
    const many = Array.from({ length: 6 }, (_, i) => row(6 - i, { kind: i ? 'edit' : 'adapt' }));
    shown({ state: state({ total: 6 }), rows: many });
    fireEvent.change(screen.getByLabelText('Show only'), { target: { value: 'adapted' } });
    expect(screen.getAllByText(/^change/).map(e => e.textContent)).toEqual(['change 6']);
  });

  it('are compared with any other that is loaded', () => {
    const compare = jest.fn();
    shown({
      state: state({ total: 2 }),
      rows: [row(2), row(1)],
      opened: { kind: 'version', name: 'id2' },
      compare
    });
    fireEvent.change(screen.getByLabelText('Compare with'), { target: { value: '1' } });
    expect(compare).toHaveBeenCalledWith('2', '1');
  });

  it('are searched by words, models and people', () => {
    const many = Array.from({ length: 6 }, (_, i) => row(6 - i, { model: i ? '' : 'rare/model' }));
    shown({ state: state({ total: 6 }), rows: many });
    fireEvent.change(screen.getByLabelText('Search the versions'), { target: { value: 'RARE' } });
    expect(screen.getAllByText(/^change/).map(e => e.textContent)).toEqual(['change 6']);
  });
});

describe('words', () => {
  it('become a request by Ctrl Enter, and braces and quotes stay as they are', () => {
    const { ran } = shown();
    const field = screen.getByLabelText('What should change, in words');
    fireEvent.change(field, { target: { value: ' use {x} and "y"\nplease ' } });
    fireEvent.keyDown(field, { key: 'Enter', ctrlKey: true });
    expect(ran).toEqual(['adapt use {x} and "y"\nplease']);
  });

  it('wait while something is at work, and it can be stopped', () => {
    const stopped = jest.fn();
    const now = { line: 'trying cell 2', started: Date.now() / 1000, said: [] };
    shown({ now, stop: stopped });
    const field = screen.getByLabelText('What should change, in words');
    fireEvent.change(field, { target: { value: 'more' } });
    expect(screen.getByRole('button', { name: 'Adapt' })).toHaveProperty('disabled', true);
    expect(screen.getByRole('status').textContent).toBe('trying cell 2');
    press('Stop');
    expect(stopped).toHaveBeenCalledTimes(1);
  });
});

describe('texts of strangers', () => {
  const evil = '<img src=x onerror=alert(1)><script>alert(2)</script>';
  const span = [{ text: evil, style: 'code' as const }];
  const blocks: Block[] = [
    { block: 'title', text: evil, kind: 'ok', remark: evil },
    { block: 'paragraph', spans: span },
    { block: 'facts', rows: [[evil, span]] },
    { block: 'listing', items: [span] },
    { block: 'table', columns: [evil], rows: [[span]], right: [], code: [], wide: null },
    {
      block: 'change',
      title: evil,
      cell_id: evil,
      change: evil,
      type: evil,
      place: 1,
      added: 1,
      removed: 0,
      lines: [{ sign: '+', number: 1, pieces: [[evil, 'string']] }],
      cut: 3
    },
    { block: 'source', text: evil, language: '' },
    { block: 'fold', title: evil, blocks: [{ block: 'paragraph', spans: span }], shown: true }
  ];

  it('are never read as HTML', () => {
    const bad = waiting({ words: evil, model: evil, level_name: evil });
    shown({
      state: state({ waiting: [bad], total: 1, store: 'broken', message: evil }),
      rows: [row(1, { words: evil, by: evil, model: evil })],
      opened: { kind: 'waiting', name: 'abc' },
      detail: { view: { blocks }, cells: [] },
      told: { kind: 'error', text: evil },
      now: { line: evil, started: 0, said: [evil] }
    });
    expect(document.querySelector('img, script')).toBeNull();
    expect(screen.getAllByText(evil).length).toBeGreaterThan(8);
    expect(screen.getByText('3 more lines')).toBeTruthy();
  });
});
