import { YNotebook } from '@jupyter/ydoc';

import { applyEdit, type Op } from '../src/live/edit';

const POINTER = 'jupyter_selfcode';

function notebook(sources: string[], wide = false): YNotebook {
  const made = new YNotebook({ disableDocumentWideUndoRedo: !wide });
  sources.forEach((source, i) =>
    made.addCell({ cell_type: 'code', id: `c${i}`, source, metadata: { tags: ['kept'] } })
  );
  made.cells.forEach(cell => cell.undoManager?.clear());
  made.undoManager.clear();
  return made;
}

function sources(made: YNotebook): string[] {
  return made.cells.map(cell => cell.getSource());
}

function replacing(id: string, expect: string, source: string): Op[] {
  return [
    { op: 'replace', cell_id: id, expect, source },
    { op: 'metadata', cell_id: id, set: { [POINTER]: { version: 'v1' } }, remove: [] }
  ];
}

describe('an edit of one cell', () => {
  it('changes source and metadata, and leaves other metadata alone', () => {
    const made = notebook(['x = 1']);
    expect(applyEdit(made, replacing('c0', 'x = 1', 'x = 2'))).toEqual({ ok: true, cells: ['c0'] });
    expect(sources(made)).toEqual(['x = 2']);
    expect(made.cells[0].getMetadata()).toEqual({ tags: ['kept'], [POINTER]: { version: 'v1' } });
  });

  it('is taken back in one step, source and metadata, and nothing that was typed before it', () => {
    const made = notebook(['x = 1']);
    made.cells[0].setSource('x = 10');
    applyEdit(made, replacing('c0', 'x = 10', 'x = 2'));
    made.cells[0].undo();
    expect(sources(made)).toEqual(['x = 10']);
    expect(made.cells[0].getMetadata(POINTER)).toBeUndefined();
    made.cells[0].redo();
    expect(sources(made)).toEqual(['x = 2']);
    expect(made.cells[0].getMetadata(POINTER)).toEqual({ version: 'v1' });
  });

  it('does not mind a line break at the end', () => {
    const made = notebook(['x = 1\n']);
    expect(applyEdit(made, replacing('c0', 'x = 1', 'x = 2')).ok).toBe(true);
  });

  it('takes metadata away', () => {
    const made = notebook(['x']);
    applyEdit(made, [{ op: 'metadata', cell_id: 'c0', set: { a: 1 }, remove: ['tags'] }]);
    expect(made.cells[0].getMetadata()).toEqual({ a: 1 });
  });
});

describe('an edit is refused whole', () => {
  it('where a person has typed meanwhile', () => {
    const made = notebook(['x = 1', 'y = 1']);
    const ops = [...replacing('c0', 'x = 1', 'x = 2'), ...replacing('c1', 'y = 0', 'y = 2')];
    expect(applyEdit(made, ops)).toMatchObject({ ok: false, error: 'changed', cell_id: 'c1' });
    expect(sources(made)).toEqual(['x = 1', 'y = 1']);
  });

  it('where a cell is gone', () => {
    const made = notebook(['x = 1']);
    const ops: Op[] = [
      ...replacing('c0', 'x = 1', 'x = 2'),
      { op: 'delete', cell_id: 'c9', expect: '' }
    ];
    expect(applyEdit(made, ops)).toMatchObject({ ok: false, error: 'missing', cell_id: 'c9' });
    expect(sources(made)).toEqual(['x = 1']);
  });

  it('where the notebook is read-only', () => {
    const made = notebook(['x = 1']);
    expect(applyEdit(made, replacing('c0', 'x = 1', 'x = 2'), true)).toMatchObject({
      error: 'read-only'
    });
    expect(sources(made)).toEqual(['x = 1']);
  });

  it('where the author has locked a cell', () => {
    const made = notebook(['x = 1']);
    made.cells[0].setMetadata('editable', false);
    made.cells[0].setMetadata('deletable', false);
    expect(applyEdit(made, replacing('c0', 'x = 1', 'x = 2')).ok).toBe(false);
    expect(applyEdit(made, [{ op: 'delete', cell_id: 'c0', expect: 'x = 1' }]).ok).toBe(false);
    expect(sources(made)).toEqual(['x = 1']);
  });

  it('where a cell to insert is there already', () => {
    const made = notebook(['x = 1']);
    const cell = { id: 'c0', type: 'code', source: 'y' };
    expect(applyEdit(made, [{ op: 'insert', cell, after: null }]).ok).toBe(false);
  });
});

describe.each([false, true])('an edit of many cells (undo spans the document: %s)', wide => {
  const ops: Op[] = [
    { op: 'delete', cell_id: 'c1', expect: 'b' },
    { op: 'insert', cell: { id: 'n', type: 'markdown', source: '# new' }, after: null },
    { op: 'insert', cell: { id: 'm', type: 'code', source: 'm' }, after: 'n' },
    { op: 'move', cell_id: 'c0', after: 'c2' },
    { op: 'replace', cell_id: 'c2', expect: 'c', source: 'C' }
  ];

  it('inserts, deletes, moves and replaces in the order that was asked for', () => {
    const made = notebook(['a', 'b', 'c', 'd'], wide);
    expect(applyEdit(made, ops).ok).toBe(true);
    expect(made.cells.map(c => c.getId())).toEqual(['n', 'm', 'c2', 'c0', 'c3']);
    expect(sources(made)).toEqual(['# new', 'm', 'C', 'a', 'd']);
    expect(made.cells[0].cell_type).toBe('markdown');
  });

  it('is taken back', () => {
    const made = notebook(['a', 'b', 'c', 'd'], wide);
    applyEdit(made, replacing('c0', 'a', 'A').concat(replacing('c3', 'd', 'D')));
    if (wide) {
      made.undo();
    } else {
      made.cells[0].undo();
      expect(sources(made)).toEqual(['a', 'b', 'c', 'D']);
      made.cells[3].undo();
    }
    expect(sources(made)).toEqual(['a', 'b', 'c', 'd']);
    expect(made.cells[0].getMetadata(POINTER)).toBeUndefined();
  });
});
