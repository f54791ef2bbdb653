/**
 * What the sidebar shows: the notebook in front, its history as the server reads it, and what its kernel is doing.
 */
import type { ICodeCellModel } from '@jupyterlab/cells';
import { type INotebookTracker, NotebookActions, type NotebookPanel } from '@jupyterlab/notebook';
import { PathExt } from '@jupyterlab/coreutils';
import { type ISignal, Signal } from '@lumino/signaling';

import { run } from '../command';
import type { ILinks } from '../live';
import { kernelOf } from '../live/execute';
import type { Link } from '../live/link';
import type { IWorking } from '../live/messages';
import { get, post, Refusal, stream } from '../request';
import type { IOpened, ITold } from '../shared/panel';
import { proposed, told as toldOf } from '../shared/told';
import type { ITrans } from '../shared/trans';
import type { IDetail, IReply, IRow, IState } from '../shared/wire';

/** Versions that are fetched at a time. */
const PAGE = 100;
/** Changes that come within this time are read at once, in milliseconds. */
const TOGETHER = 60;

interface IVersions {
  total: number;
  versions: IRow[];
}

export class Model {
  constructor(
    private readonly tracker: INotebookTracker,
    private readonly links: ILinks,
    private readonly trans: ITrans
  ) {
    tracker.currentChanged.connect(this.onCurrent, this);
    tracker.activeCellChanged.connect(this.emit, this);
    NotebookActions.executed.connect(this.emit, this);
    links.linked.connect(this.onCurrent, this);
    this.onCurrent();
  }

  state: IState | null = null;
  rows: IRow[] = [];
  busy = false;
  stopping = false;
  told: ITold | null = null;
  opened: IOpened | null = null;
  detail: IDetail | null = null;

  /** Emitted when something that is shown has changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Emitted with the answer of a command that only reads. */
  get answered(): ISignal<this, IReply> {
    return this._answered;
  }

  get panel(): NotebookPanel | null {
    return this.tracker.currentWidget;
  }

  get link(): Link | null {
    return this.links.of(this.panel);
  }

  /** The notebook's path on the server, without the drive of a collaborative document. */
  get path(): string {
    return this.panel?.context.localPath ?? '';
  }

  /** Whether the panel can be seen. Only then is a connection kept for changes that others make: browsers have six. */
  set seen(seen: boolean) {
    if (seen !== this._seen) {
      this._seen = seen;
      this.listen();
      if (seen) {
        this.refresh();
      }
    }
  }

  /** What is at work: in the kernel, or on the server. */
  get working(): IWorking | null {
    return this.link?.working ?? this.onServer;
  }

  /** Settings in force: those of the session; without one those that it would begin with. */
  get settings(): { [name: string]: any } {
    return this.link?.settings ?? { ...this.state?.settings, ...this.links.kept() };
  }

  /** The error in the active cell, or else in the first cell that shows one; null where none does. */
  get failure(): string | null {
    const cells = this.panel?.content.widgets ?? [];
    for (const cell of [this.panel?.content.activeCell, ...cells]) {
      if (cell?.model.type !== 'code') {
        continue;
      }
      const { outputs } = cell.model as ICodeCellModel;
      for (let i = 0; i < outputs.length; i++) {
        const output = outputs.get(i).toJSON();
        if (output.output_type === 'error') {
          return `${output.ename}: ${output.evalue}`;
        }
      }
    }
    return null;
  }

  /** Why words cannot become code here; null where they can. */
  get idle(): string | null {
    const session = this.panel?.sessionContext;
    if (session?.kernelDisplayStatus === 'dead') {
      return this.trans.__('The kernel is gone: restart it.');
    }
    return null;
  }

  /** Run a line of the grammar; what came of it is told and the history is read again. */
  async run(line: string): Promise<IReply | null> {
    const { link } = this;
    if (!link || this.busy) {
      return null;
    }
    this.busy = true;
    this.told = null;
    this.emit();
    try {
      const reply = await run(link, line, this.links.kept());
      this.tell(reply);
      return reply;
    } catch (e) {
      this.told = { kind: 'error', text: (e as Error).message };
      return null;
    } finally {
      this.busy = this.stopping = false;
      this.refresh();
    }
  }

  /** Run a line that only reads; its answer is shown in full size. */
  async read(line: string): Promise<void> {
    const reply = await this.run(line);
    if (reply) {
      this.told = null;
      this._answered.emit(reply);
      this.emit();
    }
  }

  /** Change a setting of the session; without one it is kept for every session that begins here. */
  async set(name: string, value: unknown): Promise<void> {
    const { link } = this;
    this.told = null;
    try {
      if (link?.connected) {
        await link.configure({ [name]: value });
      } else {
        await this.links.keep(name, value);
        this.told = {
          kind: 'ok',
          text: this.trans.__('Kept in your settings: every session begins with it.')
        };
      }
    } catch (e) {
      this.told = { kind: 'error', text: (e as Error).message };
    }
    this.emit();
  }

  /** Stop what is at work: the kernel is interrupted, the server asked. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.emit();
    const kernel = this.link?.working || this.busy ? this.link && kernelOf(this.link) : null;
    try {
      await (kernel ? kernel.interrupt() : post('stop', { path: this.path }));
    } catch (e) {
      this.told = { kind: 'error', text: (e as Error).message };
      this.stopping = false;
      this.emit();
    }
  }

  /** Open a proposal or a version (null: close what is open). */
  open(opened: IOpened | null): void {
    this.opened = opened;
    this.detail = null;
    this.emit();
    if (opened) {
      void this.readDetail(opened);
    }
  }

  dismiss(): void {
    this.told = null;
    this.emit();
  }

  /** Read everything again, soon. */
  refresh(): void {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.readAll(), TOGETHER);
    this.emit();
  }

  /** Fetch older versions. */
  readonly older = async (): Promise<void> => {
    const last = this.rows[this.rows.length - 1];
    const { path } = this;
    if (!last || this.fetching) {
      return;
    }
    this.fetching = true;
    try {
      const query = { path, limit: PAGE, before: last.number };
      const found = await get<IVersions>('versions', query);
      if (path === this.path && last === this.rows[this.rows.length - 1]) {
        this.rows = [...this.rows, ...found.versions];
      }
    } catch (e) {
      this.complain(e);
    } finally {
      this.fetching = false;
      this.emit();
    }
  };

  /** Give the person the whole lineage as a file. */
  async export(): Promise<void> {
    const { path } = this;
    try {
      const { data } = await get<IReply>('export', { path });
      const link = document.createElement('a');
      link.href = URL.createObjectURL(
        new Blob([JSON.stringify(data, null, 1)], { type: 'application/json' })
      );
      link.download = `${PathExt.basename(path, '.ipynb')}-history.json`;
      link.click();
      URL.revokeObjectURL(link.href);
    } catch (e) {
      this.complain(e);
      this.emit();
    }
  }

  private async readAll(): Promise<void> {
    const { path } = this;
    if (!path) {
      return;
    }
    try {
      const limit = Math.max(PAGE, this.rows.length);
      const [state, found] = await Promise.all([
        get<IState>('state', { path }),
        get<IVersions>('versions', { path, limit })
      ]);
      if (path !== this.path) {
        return;
      }
      this.state = state;
      this.rows = found.versions;
      this.lost = false;
      const { opened } = this;
      if (opened?.kind === 'waiting' && !state.waiting.some(w => w.name === opened.name)) {
        this.opened = this.detail = null;
      }
      if (!this.opened && state.waiting.length) {
        const { name } = state.waiting[state.waiting.length - 1];
        this.open({ kind: 'waiting', name });
      }
    } catch (e) {
      this.complain(e);
    }
    this.emit();
  }

  private async readDetail(opened: IOpened): Promise<void> {
    const { path } = this;
    try {
      const detail =
        opened.kind === 'waiting'
          ? await get<IDetail>('waiting', { path, name: opened.name })
          : await get<IDetail>('version', { path, name: opened.name });
      if (this.opened === opened) {
        this.detail = detail;
      }
    } catch (e) {
      this.complain(e);
    }
    this.emit();
  }

  private complain(e: unknown): void {
    const status = e instanceof Refusal ? e.status : null;
    const absent = status === 404 && !this.state && !(e as Error).message.includes(this.path);
    this.lost = true;
    this.told = {
      kind: 'error',
      text: absent
        ? this.trans.__(
            'The server side of jupyter_selfcode is not enabled, so the history cannot be read here. Run: jupyter server extension enable jupyter_selfcode, and restart Jupyter.'
          )
        : (e as Error).message
    };
  }

  private tell(reply: IReply): void {
    this.told = toldOf(reply);
    const made = proposed(reply);
    if (made) {
      this.open(made);
    }
  }

  private onCurrent(): void {
    const { panel, link } = this;
    if (panel !== this.shown || link !== this.followed) {
      this.followed?.changed.disconnect(this.onLink, this);
      this.shown?.context.pathChanged.disconnect(this.onPath, this);
      this.shown = panel;
      this.followed = link;
      link?.changed.connect(this.onLink, this);
      panel?.context.pathChanged.connect(this.onPath, this);
      this.onPath();
    }
  }

  private onPath(): void {
    this.state = this.opened = this.detail = this.told = this.onServer = null;
    this.rows = [];
    this.listen();
    this.refresh();
  }

  /** Hear of changes that others make: a command in a terminal, another tab. */
  private listen(): void {
    this.source?.close();
    this.source = null;
    const { path } = this;
    if (!path || !this._seen) {
      return;
    }
    const source = stream('events', { path });
    source.addEventListener('changed', () => this.refresh());
    source.addEventListener('working', event => {
      this.onServer = JSON.parse((event as MessageEvent).data);
      this.emit();
    });
    source.addEventListener('rest', () => {
      this.onServer = null;
      this.refresh();
    });
    source.addEventListener('open', () => {
      if (this.lost) {
        this.told = null;
        this.refresh();
      }
    });
    this.source = source;
  }

  private onLink(_: Link, history: boolean): void {
    if (history) {
      this.refresh();
    } else {
      this.emit();
    }
  }

  private emit(): void {
    this._changed.emit();
  }

  private _seen = false;
  private shown: NotebookPanel | null = null;
  private followed: Link | null = null;
  private onServer: IWorking | null = null;
  private source: EventSource | null = null;
  private timer = 0;
  private fetching = false;
  private lost = false;
  private readonly _changed = new Signal<this, void>(this);
  private readonly _answered = new Signal<this, IReply>(this);
}
