/**
 * The line between one open notebook and its kernel.
 *
 * The kernel opens a comm when `jupyter_selfcode` is loaded there. Every tab that shows the notebook hears all of it, so a
 * message names the front end that it is for; one that is for another is left alone, or two tabs would write the same text
 * twice into a shared document.
 */
import type { ICellModel } from '@jupyterlab/cells';
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { Kernel } from '@jupyterlab/services';
import { type IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';

import { execute, pythonLiteral } from './execute';
import { applyEdit, type Outcome } from './edit';
import {
  type FromKernel,
  type IEdit,
  type INotebookValue,
  type IWorking,
  TARGET
} from './messages';
import { notebookValue } from './value';

/** How long edits by hand may rest before the kernel is told of them, in milliseconds. */
const TOLD_AFTER = 500;
/** How many answers are kept, for an edit that is asked for again. */
const ANSWERS = 50;

/** What of an edit became known; `kept` are places (from 1) of cells whose text was kept. */
export interface IEdited {
  edit: IEdit;
  outcome: Outcome;
  place: number | null;
}

/** One notebook panel and its kernel. */
export class Link implements IDisposable {
  constructor(
    readonly panel: NotebookPanel,
    private readonly version: string
  ) {
    const { sessionContext, context } = panel;
    sessionContext.kernelChanged.connect(this.onKernel, this);
    sessionContext.connectionStatusChanged.connect(this.onConnection, this);
    context.pathChanged.connect(this.greet, this);
    panel.model?.contentChanged.connect(this.onEdited, this);
    panel.disposed.connect(this.dispose, this);
    this.attach();
  }

  /** Whether the kernel has our extension loaded and hears us. */
  get connected(): boolean {
    return this.comm !== null && !this.comm.isDisposed;
  }

  /** What the kernel is doing; null while it rests. */
  get working(): IWorking | null {
    return this._working;
  }

  /** Settings that are in force in the kernel; null before it said so. */
  get settings(): { [name: string]: any } | null {
    return this._settings;
  }

  /** The version of the Python package in the kernel; empty before it said so. */
  get kernelVersion(): string {
    return this._kernelVersion;
  }

  /** The cell that the kernel runs again right now on its own; null else. */
  get rerunning(): string | null {
    return this._rerunning;
  }

  /** Emitted with the id of a cell when the kernel begins to run it again on its own. */
  get rerun(): ISignal<this, string> {
    return this._rerun;
  }

  /** Emitted when something that is shown may have changed; `true` where the history did. */
  get changed(): ISignal<this, boolean> {
    return this._changed;
  }

  /** Emitted after an edit was made or refused here. */
  get edited(): ISignal<this, IEdited> {
    return this._edited;
  }

  /** Emitted when a kernel has said who it is: at its start, after a reload of the page. */
  get greeted(): ISignal<this, void> {
    return this._greeted;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    window.clearTimeout(this.timer);
    this.release();
    Signal.clearData(this);
  }

  /** What is shown now, and the last edit that it holds: what was sent before an edit came is old to the kernel. */
  shown(): { client: string; notebook: INotebookValue; seen: string | null } {
    return {
      client: this.kernel?.clientId ?? '',
      notebook: notebookValue(this.panel.context.model.sharedModel),
      seen: this.seen
    };
  }

  /** Tell the kernel what the notebook is now: unsaved text, the order, cells that were never run. */
  tell(): void {
    window.clearTimeout(this.timer);
    this.send({ type: 'document', ...this.shown() });
  }

  /** Give the session these settings. Rejects where it does not take one. */
  async configure(settings: { [name: string]: unknown }): Promise<void> {
    for (const [name, value] of Object.entries(settings)) {
      if (this.kernel && JSON.stringify(this._settings?.[name]) !== JSON.stringify(value)) {
        await execute(this, this.kernel, 'config', `SelfCode.${name} = ${pythonLiteral(value)}`);
        this._settings = { ...this._settings, [name]: value };
        this._changed.emit(false);
      }
    }
  }

  private send(message: { [key: string]: any }): void {
    if (this.connected && this.kernel) {
      try {
        this.comm?.send({ client: this.kernel.clientId, ...message });
      } catch {
        this.comm = null; // the kernel went away; a new one opens a comm of its own
      }
    }
  }

  private onKernel(): void {
    this.release();
    this._working = this._settings = this._rerunning = null;
    this.attach();
    this._changed.emit(false);
  }

  private onConnection(_: unknown, status: Kernel.ConnectionStatus): void {
    if (status === 'connected') {
      void this.find();
    }
  }

  private release(): void {
    this.kernel?.removeCommTarget(TARGET, this.onOpen);
    this.kernel?.statusChanged.disconnect(this.onStatus, this);
    this.kernel = null;
    this.comm = null;
    this.seen = null;
  }

  private attach(): void {
    this.kernel = this.panel.sessionContext.session?.kernel ?? null;
    if (this.kernel) {
      this.kernel.registerCommTarget(TARGET, this.onOpen);
      this.kernel.statusChanged.connect(this.onStatus, this);
      void this.find();
    }
  }

  private onStatus(_: unknown, status: Kernel.Status): void {
    if (['restarting', 'autorestarting', 'dead', 'unknown'].includes(status)) {
      const heard = this.comm !== null || this._working !== null;
      this.comm = null;
      this._working = this._rerunning = null;
      if (heard) {
        this._changed.emit(false);
      }
    }
  }

  /** Take up the comm of a kernel that has been at work already: after a reload, in a second tab. */
  private async find(): Promise<void> {
    const kernel = this.kernel;
    if (!kernel || this.connected) {
      return;
    }
    try {
      await kernel.info;
      const reply = await kernel.requestCommInfo({ target_name: TARGET });
      if (reply.content.status !== 'ok' || kernel !== this.kernel || this.connected) {
        return;
      }
      for (const id of Object.keys(reply.content.comms)) {
        if (!kernel.hasComm(id)) {
          this.take(kernel.createComm(TARGET, id));
        }
      }
    } catch {
      // the kernel went away while it was asked
    }
  }

  private readonly onOpen = (comm: Kernel.IComm): void => this.take(comm);

  private take(comm: Kernel.IComm): void {
    // on the main shell: what is told before a cell runs is then heard before it runs
    (comm as { commsOverSubshells?: string }).commsOverSubshells = 'disabled';
    comm.onMsg = message => this.hear(message.content.data as unknown as FromKernel);
    comm.onClose = () => {
      if (this.comm === comm) {
        this.comm = null;
        this._working = null;
        this._changed.emit(false);
      }
    };
    this.comm = comm;
    this.greet();
    this._changed.emit(true);
  }

  private greet(): void {
    const { localPath: path } = this.panel.context;
    this.send({ type: 'hello', path, version: this.version, seen: this.seen });
    this.tell();
  }

  private onEdited(): void {
    window.clearTimeout(this.timer);
    if (this.connected) {
      this.timer = window.setTimeout(() => this.tell(), TOLD_AFTER);
    }
  }

  private hear(message: FromKernel): void {
    if (message.client && message.client !== this.kernel?.clientId) {
      return;
    }
    switch (message.type) {
      case 'edit':
        this.edit(message);
        break;
      case 'welcome':
        this._kernelVersion = message.version;
        this._settings = message.settings;
        this._changed.emit(true);
        this._greeted.emit();
        break;
      case 'working':
        this._working = message.working;
        this._changed.emit(false);
        break;
      case 'rest':
        this._working = null;
        this._changed.emit(true);
        break;
      case 'changed':
        this._changed.emit(true);
        break;
      case 'running':
        this._rerunning = message.cell_id;
        this._rerun.emit(message.cell_id);
        break;
      case 'ran':
        this._rerunning = null;
        break;
    }
  }

  private edit(edit: IEdit): void {
    const known = this.answers.get(edit.id);
    if (known) {
      this.answer(edit, known); // asked for again: it was made already
      return;
    }
    const { context, content } = this.panel;
    const outcome = applyEdit(context.model.sharedModel, edit.ops, context.model.readOnly);
    this.answers.set(edit.id, outcome);
    if (this.answers.size > ANSWERS) {
      this.answers.delete(this.answers.keys().next().value as string);
    }
    this.seen = edit.id;
    this.answer(edit, outcome);
    const id = outcome.ok ? outcome.cells[0] : outcome.cell_id;
    const at = content.widgets.findIndex(cell => (cell.model as ICellModel).id === id);
    this._edited.emit({ edit, outcome, place: at < 0 ? null : at + 1 });
  }

  private answer(edit: IEdit, outcome: Outcome): void {
    const said = outcome.ok ? { ok: true } : { ...outcome, notebook: this.shown().notebook };
    this.send({ type: 'applied', id: edit.id, ...said });
  }

  private kernel: Kernel.IKernelConnection | null = null;
  private comm: Kernel.IComm | null = null;
  private seen: string | null = null;
  private timer = 0;
  private readonly answers = new Map<string, Outcome>();
  private _working: IWorking | null = null;
  private _settings: { [name: string]: any } | null = null;
  private _kernelVersion = '';
  private _rerunning: string | null = null;
  private _isDisposed = false;
  private readonly _rerun = new Signal<this, string>(this);
  private readonly _changed = new Signal<this, boolean>(this);
  private readonly _greeted = new Signal<this, void>(this);
  private readonly _edited = new Signal<this, IEdited>(this);
}
