/**
 * An edit of the open notebook that the kernel asks for: all of it or nothing, and each cell undone in one step.
 *
 * Nothing here waits, so between the check that every cell is still what the kernel thought and the change itself nobody
 * can type.
 */
import type { ISharedCell, ISharedNotebook } from '@jupyter/ydoc';

import type { IEdit } from './messages';

/** One operation. `expect` is the source that the kernel thought the cell had. */
export type Op = IEdit['ops'][number];

/** What became of an edit. `cell_id` and `message` say why it was refused. */
export type Outcome =
  | { ok: true; cells: string[] }
  | {
      ok: false;
      error: 'changed' | 'missing' | 'read-only' | 'failed';
      cell_id?: string;
      message: string;
    };

/** Why an edit cannot be made: the text of a person wins, and so does what an author has locked. */
class Refused extends Error {
  constructor(
    readonly error: 'changed' | 'missing' | 'read-only',
    message: string,
    readonly cellId?: string
  ) {
    super(message);
  }
}

/** What undoes a cell or the notebook; the interfaces of ydoc do not name it. */
function stopCapturing(target: ISharedCell | ISharedNotebook): void {
  (target as { undoManager?: { stopCapturing(): void } | null }).undoManager?.stopCapturing();
}

/** Trailing line breaks are no difference: front ends and files do not agree on them. */
function same(a: string, b: string): boolean {
  return a.replace(/\n+$/, '') === b.replace(/\n+$/, '');
}

/** The cells by id as the operations go, so that a later one may name a cell that an earlier one brought. */
class Sight {
  constructor(private readonly notebook: ISharedNotebook) {
    this.order = notebook.cells.map(cell => cell.getId());
  }

  readonly order: string[];

  cell(id: string): ISharedCell {
    const cell = this.notebook.cells.find(c => c.getId() === id);
    if (!cell) {
      throw new Refused('missing', 'The cell was deleted meanwhile, so nothing was changed.', id);
    }
    return cell;
  }

  known(id: string): void {
    if (!this.order.includes(id)) {
      throw new Refused('missing', 'The cell was deleted meanwhile, so nothing was changed.', id);
    }
  }

  unlocked(id: string, key: 'editable' | 'deletable'): void {
    if (this.cell(id).getMetadata(key) === false) {
      throw new Refused(
        'read-only',
        `The cell is marked ${key}: false, so nothing was changed.`,
        id
      );
    }
  }

  unchanged(id: string, expect: string): void {
    if (!same(this.cell(id).getSource(), expect)) {
      throw new Refused(
        'changed',
        'The cell has been edited since this change was prepared, so your text stays and nothing was changed.',
        id
      );
    }
  }
}

function check(notebook: ISharedNotebook, ops: readonly Op[]): void {
  const sight = new Sight(notebook);
  for (const op of ops) {
    if (op.op === 'replace') {
      sight.unchanged(op.cell_id, op.expect);
      if (!same(op.source, op.expect)) {
        sight.unlocked(op.cell_id, 'editable');
      }
    } else if (op.op === 'delete') {
      sight.unchanged(op.cell_id, op.expect);
      sight.unlocked(op.cell_id, 'deletable');
      sight.order.splice(sight.order.indexOf(op.cell_id), 1);
    } else if (op.op === 'insert') {
      if (op.after !== null) {
        sight.known(op.after);
      }
      if (sight.order.includes(op.cell.id)) {
        throw new Refused('changed', 'There is a cell of this id already.', op.cell.id);
      }
      sight.order.push(op.cell.id);
    } else if (op.op === 'move') {
      sight.known(op.cell_id);
      if (op.after !== null) {
        sight.known(op.after);
      }
    } else if (op.cell_id !== null) {
      sight.known(op.cell_id);
    }
  }
}

function place(notebook: ISharedNotebook, after: string | null): number {
  return after === null ? 0 : index(notebook, after) + 1;
}

function index(notebook: ISharedNotebook, id: string): number {
  return notebook.cells.findIndex(cell => cell.getId() === id);
}

function setSome(target: ISharedNotebook | ISharedCell, op: Extract<Op, { op: 'metadata' }>): void {
  op.remove.forEach(key => target.deleteMetadata(key));
  Object.entries(op.set).forEach(([key, value]) => target.setMetadata(key, value));
}

/** Change what a cell holds in one transaction of that cell: one step of undo. */
function inCell(notebook: ISharedNotebook, id: string, ops: readonly Op[]): void {
  const cell = notebook.cells[index(notebook, id)];
  const own = notebook.disableDocumentWideUndoRedo; // else the notebook's manager of undo is the cell's too
  if (own) {
    stopCapturing(cell); // what was typed in the last half second is a step of its own
  }
  cell.transact(() => {
    for (const op of ops) {
      if (op.op === 'replace' && !same(cell.getSource(), op.source)) {
        cell.setSource(op.source);
      } else if (op.op === 'metadata') {
        setSome(cell, op);
      }
    }
  });
  if (own) {
    stopCapturing(cell);
  }
}

function insert(notebook: ISharedNotebook, op: Extract<Op, { op: 'insert' }>): void {
  const { id, type, source, metadata, attachments } = op.cell;
  const made: any = { id, cell_type: type, source, metadata: { ...metadata } };
  if (type === 'code') {
    made.outputs = [];
    made.execution_count = null;
  } else if (attachments && Object.keys(attachments).length) {
    made.attachments = attachments;
  }
  notebook.insertCell(place(notebook, op.after), made);
}

function inNotebook(notebook: ISharedNotebook, op: Op): void {
  if (op.op === 'insert') {
    insert(notebook, op);
  } else if (op.op === 'delete') {
    notebook.deleteCell(index(notebook, op.cell_id));
  } else if (op.op === 'move') {
    const from = index(notebook, op.cell_id);
    const to = place(notebook, op.after);
    notebook.moveCell(from, to > from ? to - 1 : to);
  } else if (op.op === 'metadata') {
    setSome(notebook, op);
  }
}

/** The cell whose content an operation changes; null where it changes the notebook around it. */
function changedCell(op: Op): string | null {
  return op.op === 'replace' || op.op === 'metadata' ? op.cell_id : null;
}

function applyAll(notebook: ISharedNotebook, ops: readonly Op[]): void {
  const done = new Set<string>();
  for (const op of ops) {
    const id = changedCell(op);
    if (id === null) {
      notebook.transact(() => inNotebook(notebook, op));
    } else if (!done.has(id)) {
      done.add(id);
      inCell(
        notebook,
        id,
        ops.filter(other => changedCell(other) === id)
      );
    }
  }
}

/**
 * Make an edit, or refuse all of it.
 *
 * Every operation is a transaction of its own, for two reasons: in a transaction that is open the notebook still lists the
 * cells as they were; and where JupyterLab undoes cell by cell (`disableDocumentWideUndoRedo`) one that spans cells leaves
 * half of itself behind when it is undone. Transactions that follow at once are one step for the manager of undo.
 */
export function applyEdit(
  notebook: ISharedNotebook,
  ops: readonly Op[],
  readOnly: boolean = false
): Outcome {
  try {
    if (readOnly) {
      throw new Refused('read-only', 'The notebook is read-only here, so nothing was changed.');
    }
    check(notebook, ops);
  } catch (e) {
    if (e instanceof Refused) {
      return { ok: false, error: e.error, cell_id: e.cellId, message: e.message };
    }
    throw e;
  }
  stopCapturing(notebook);
  try {
    applyAll(notebook, ops);
  } catch (e) {
    return { ok: false, error: 'failed', message: `The front end could not make the change: ${e}` };
  }
  stopCapturing(notebook);
  const ids = ops.map(op => (op.op === 'insert' ? op.cell.id : op.cell_id));
  return { ok: true, cells: [...new Set(ids.filter((id): id is string => id !== null))] };
}
