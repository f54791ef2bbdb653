/** What is shown in the cells themselves: a badge on those that adapt, and an offer under those that failed. */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { type Cell, type CodeCell, type ICodeCellModel } from '@jupyterlab/cells';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { type IDisposable } from '@lumino/disposable';
import { Widget } from '@lumino/widgets';

import { CommandIDs } from './commands';
import { TARGET } from './live/messages';
import { ISidebar } from './sidebar';
import type { ITrans } from './shared/trans';

/** Whether a cell is one of words, or of a docstring and the code that keeps its promise. */
export function isMarked(source: string): boolean {
  return /^\s*%%selfcode\b/.test(source);
}

/** The error that a cell shows; null where it shows none. */
function errorOf(model: ICodeCellModel): string | null {
  for (let i = 0; i < model.outputs.length; i++) {
    const output = model.outputs.get(i).toJSON();
    if (output.output_type === 'error') {
      return String(output.ename);
    }
  }
  return null;
}

/** Errors that only steer: there is nothing to fix in a cell that a person stopped, or that waits. */
const NO_FAULT = ['KeyboardInterrupt', 'WaitsForDecision', 'CommandError', 'UsageError'];

/** The badge and the offer of one code cell. */
class Marks implements IDisposable {
  constructor(
    private readonly cell: CodeCell,
    private readonly app: JupyterFrontEnd,
    private readonly sidebar: ISidebar,
    private readonly trans: ITrans
  ) {
    this.badge = this.button('jp-Selfcode-badge', () => this.reveal());
    this.offer = this.button('jp-Selfcode-offer', () => this.fix());
    cell.model.metadataChanged.connect(this.update, this);
    cell.model.sharedModel.changed.connect(this.update, this);
    cell.model.outputs.changed.connect(this.update, this);
    sidebar.model.changed.connect(this.update, this);
    cell.disposed.connect(this.dispose, this);
    this.update();
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    this.sidebar.model.changed.disconnect(this.update, this);
    this.badge.dispose();
    this.offer.dispose();
  }

  private button(name: string, pressed: () => void): Widget {
    const node = document.createElement('button');
    node.className = name;
    node.addEventListener('click', pressed);
    return new Widget({ node });
  }

  private update(): void {
    if (this._isDisposed || this.cell.isDisposed) {
      return;
    }
    this.updateBadge();
    this.updateOffer();
  }

  private updateBadge(): void {
    const { cell, trans } = this;
    const { model } = this.sidebar;
    const pointer = cell.model.getMetadata(TARGET);
    const here = model.panel !== null && cell.parent === model.panel.content;
    const waits = here && !!model.state?.waiting.some(w => w.cells.includes(cell.model.id));
    const marked = isMarked(cell.model.sharedModel.getSource());
    if (!pointer && !waits && !marked) {
      this.takeAway(this.badge);
      return;
    }
    const row = here && pointer ? model.rows.find(r => r.id === pointer.version) : undefined;
    const version = row ? trans.__('v%1', row.number) : '';
    const level = typeof pointer?.level === 'number' ? trans.__('level %1', pointer.level) : '';
    const known = [version, level].filter(Boolean).join(' · ') || trans.__('selfcode');
    const said = waits ? trans.__('waits') : known;
    const { node } = this.badge;
    if (node.textContent !== said) {
      node.textContent = said;
    }
    node.title = waits
      ? trans.__('A change of this cell waits for your decision: show it')
      : trans.__('This cell adapts itself: show its versions');
    node.classList.toggle('jp-mod-waits', waits);
    this.place(this.badge, cell.inputArea?.node.parentElement ?? null);
  }

  private updateOffer(): void {
    const { cell, trans } = this;
    const error = errorOf(cell.model);
    const { model } = this.sidebar;
    const offered =
      error !== null &&
      !NO_FAULT.includes(error) &&
      (model.link?.connected ?? false) &&
      !model.state?.waiting.length;
    if (!offered) {
      this.takeAway(this.offer);
      return;
    }
    this.offer.node.textContent = trans.__('Fix with selfcode');
    (this.offer.node as HTMLButtonElement).disabled = model.busy || model.working !== null;
    this.place(this.offer, cell.outputArea?.node ?? null);
  }

  /** Put a widget into the cell, beside what JupyterLab lays out itself. */
  private place(widget: Widget, into: HTMLElement | null): void {
    if (into && widget.node.parentElement !== into) {
      this.takeAway(widget);
      if (into.isConnected) {
        Widget.attach(widget, into);
      }
    }
  }

  private takeAway(widget: Widget): void {
    if (widget.isAttached) {
      Widget.detach(widget);
    } else {
      widget.node.remove(); // the cell around it was taken out of the page
    }
  }

  private reveal(): void {
    const { model } = this.sidebar;
    const id = this.cell.model.id;
    const waiting = model.state?.waiting.find(w => w.cells.includes(id));
    const version = this.cell.model.getMetadata(TARGET)?.version;
    this.sidebar.reveal();
    if (waiting) {
      model.open({ kind: 'waiting', name: waiting.name });
    } else if (typeof version === 'string') {
      model.open({ kind: 'version', name: version });
    }
  }

  private fix(): void {
    void this.app.commands.execute(CommandIDs.fix);
  }

  private readonly badge: Widget;
  private readonly offer: Widget;
  private _isDisposed = false;
}

function isCode(cell: Cell): cell is CodeCell {
  return cell.model.type === 'code';
}

export const cells: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-selfcode:cells',
  description: 'A badge on cells that adapt, and an offer under those that failed.',
  autoStart: true,
  requires: [INotebookTracker, ISidebar],
  optional: [ITranslator],
  activate: (
    app: JupyterFrontEnd,
    tracker: INotebookTracker,
    sidebar: ISidebar,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('jupyter_selfcode');
    const marked = new WeakSet<Cell>();
    const mark = (cell: Cell): void => {
      if (isCode(cell) && !marked.has(cell)) {
        marked.add(cell);
        void cell.ready.then(() => {
          if (!cell.isDisposed) {
            new Marks(cell, app, sidebar, trans);
          }
        });
      }
    };
    const markAll = (panel: NotebookPanel): void => panel.content.widgets.forEach(mark);
    const add = (panel: NotebookPanel): void => {
      void panel.context.ready.then(() => {
        if (!panel.isDisposed) {
          markAll(panel);
          panel.content.model?.cells.changed.connect(() => {
            requestAnimationFrame(() => !panel.isDisposed && markAll(panel));
          });
        }
      });
    };
    tracker.forEach(add);
    tracker.widgetAdded.connect((_, panel) => add(panel));
  }
};
