/** The plug-in that links every open notebook with its kernel. */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { INotebookTracker, NotebookActions, type NotebookPanel } from '@jupyterlab/notebook';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { Token } from '@lumino/coreutils';
import { type ISignal, Signal } from '@lumino/signaling';

import { version } from '../version';
import { type IEdited, Link } from './link';

/** The links of the open notebooks. */
export interface ILinks {
  /** The link of a notebook; null where it has none (yet). */
  of(panel: NotebookPanel | null): Link | null;
  /** Emitted when a notebook was linked. */
  readonly linked: ISignal<ILinks, Link>;
  /** The settings that every session begins with, as far as the person has set them here. */
  kept(): { [name: string]: unknown };
  /** Set one of them, for good. Rejects where there is no place to keep it, or it cannot be. */
  keep(name: string, value: unknown): Promise<void>;
}

export const ILinks = new Token<ILinks>(
  'jupyter-selfcode:ILinks',
  'The lines between open notebooks and their kernels.'
);

class Links implements ILinks {
  constructor(readonly settings: Promise<ISettingRegistry.ISettings | null>) {
    void settings.then(loaded => {
      this.loaded = loaded;
      loaded?.changed.connect(() => this.links.forEach(link => void this.configure(link)));
    });
  }

  kept(): { [name: string]: unknown } {
    return (this.loaded?.user ?? {}) as { [name: string]: unknown };
  }

  async keep(name: string, value: unknown): Promise<void> {
    if (!this.loaded) {
      throw new Error('JupyterLab keeps no settings here: set it in jupyter_selfcode_config.py.');
    }
    await this.loaded.set(name, value as any);
  }

  /** Give a session the settings that are kept. */
  async configure(link: Link): Promise<void> {
    await this.settings;
    if (link.connected) {
      await link.configure(this.kept());
    }
  }

  of(panel: NotebookPanel | null): Link | null {
    return (panel && this.links.get(panel)) ?? null;
  }

  get linked(): ISignal<this, Link> {
    return this._linked;
  }

  add(panel: NotebookPanel): Link {
    const link = new Link(panel, version);
    this.links.set(panel, link);
    panel.disposed.connect(() => this.links.delete(panel));
    return link;
  }

  announce(link: Link): void {
    this._linked.emit(link);
  }

  private loaded: ISettingRegistry.ISettings | null = null;
  private readonly links = new Map<NotebookPanel, Link>();
  private readonly _linked = new Signal<this, Link>(this);
}

export const live: JupyterFrontEndPlugin<ILinks> = {
  id: 'jupyter-selfcode:live',
  description: 'Changes of the kernel appear in the open notebook, each undone in one step.',
  autoStart: true,
  requires: [INotebookTracker],
  optional: [ISettingRegistry, ITranslator],
  provides: ILinks,
  activate: (
    _: JupyterFrontEnd,
    tracker: INotebookTracker,
    registry: ISettingRegistry | null,
    translator: ITranslator | null
  ): ILinks => {
    const trans = (translator ?? nullTranslator).load('jupyter_selfcode');
    const links = new Links(registry?.load(live.id).catch(() => null) ?? Promise.resolve(null));

    const told = (_link: Link, { outcome, place }: IEdited): void => {
      if (outcome.ok) {
        return;
      }
      const kept =
        outcome.error === 'changed' && place !== null
          ? trans.__('Cell %1 was edited meanwhile: your text was kept.', place)
          : outcome.message;
      Notification.warning(kept, { autoClose: 8000 });
    };

    const greeted = async (link: Link): Promise<void> => {
      if (link.kernelVersion && link.kernelVersion !== version) {
        Notification.warning(
          trans.__(
            'The kernel has jupyter_selfcode %1 and this page %2: install the same version for both, and reload.',
            link.kernelVersion,
            version
          ),
          { autoClose: false }
        );
      }
      await links.configure(link);
    };

    const add = (panel: NotebookPanel): void => {
      void panel.context.ready.then(() => {
        if (!panel.isDisposed) {
          const link = links.add(panel);
          link.edited.connect(told);
          link.greeted.connect(greeted);
          links.announce(link);
        }
      });
    };
    tracker.forEach(add);
    tracker.widgetAdded.connect((_, panel) => add(panel));
    NotebookActions.executionScheduled.connect((_, { notebook }) => {
      links.of(tracker.find(panel => panel.content === notebook) ?? null)?.tell();
    });
    return links;
  }
};
