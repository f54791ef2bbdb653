/** The plug-in that gives the sidebar, and the views that it opens in the main area. */
import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { MainAreaWidget } from '@jupyterlab/apputils';
import { IEditorLanguageRegistry } from '@jupyterlab/codemirror';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import { Token } from '@lumino/coreutils';
import * as React from 'react';

import { compareWidget } from '../compare';
import { selfcodeIcon } from '../icon';
import { ILinks } from '../live';
import { get, Refusal } from '../request';
import { showInFull } from '../room';
import { View } from '../shared/blocks';
import type { ITrans } from '../shared/trans';
import type { ICellDiff, IDetail, IReply } from '../shared/wire';
import { Model } from './model';
import { type ICompare, Sidebar } from './widget';

/** The sidebar and what it knows, for the commands. */
export interface ISidebar {
  readonly model: Model;
  readonly compare: ICompare;
  /** Bring it to the front. */
  reveal(): void;
}

export const ISidebar = new Token<ISidebar>(
  'jupyter-selfcode:ISidebar',
  'The sidebar of jupyter_selfcode.'
);

let answers = 0;

/** The answer of a command that only reads, in the main area. */
function answerWidget(reply: IReply, trans: ITrans): MainAreaWidget {
  const content = ReactWidget.create(
    React.createElement(
      'div',
      { className: 'jp-Selfcode jp-SelfcodeAnswer' },
      React.createElement(View, { view: reply.view, trans })
    )
  );
  content.node.tabIndex = 0;
  const widget = new MainAreaWidget({ content });
  widget.id = `jupyter-selfcode-answer-${++answers}`;
  widget.title.label = trans.__('selfcode');
  widget.title.icon = selfcodeIcon;
  widget.title.closable = true;
  widget.toolbar.hide();
  return widget;
}

export const sidebar: JupyterFrontEndPlugin<ISidebar> = {
  id: 'jupyter-selfcode:sidebar',
  description: 'What a notebook does to itself: what waits, its versions, their cost.',
  autoStart: true,
  requires: [INotebookTracker, ILinks],
  optional: [IEditorLanguageRegistry, ILayoutRestorer, ITranslator],
  provides: ISidebar,
  activate: (
    app: JupyterFrontEnd,
    tracker: INotebookTracker,
    links: ILinks,
    languages: IEditorLanguageRegistry | null,
    restorer: ILayoutRestorer | null,
    translator: ITranslator | null
  ): ISidebar => {
    const trans = (translator ?? nullTranslator).load('jupyter_selfcode');
    const model = new Model(tracker, links, trans);

    const show = (title: string, cells: ICellDiff[]): void => {
      showInFull(app.shell, compareWidget(title, cells, languages, trans), trans);
    };
    const fetched = async (title: string, name: string, query: object): Promise<void> => {
      try {
        show(title, (await get<IDetail>(name, query)).cells);
      } catch (e) {
        model.told = { kind: 'error', text: e instanceof Refusal ? e.message : String(e) };
        model.refresh();
      }
    };
    const compare: ICompare = {
      versions: (from, to) =>
        void fetched(
          to === 'now' ? trans.__('Version %1 → now', from) : trans.__('Version %1 → %2', from, to),
          'diff',
          { path: model.path, from, to }
        ),
      waiting: name =>
        void fetched(trans.__('Proposed change'), 'waiting', { path: model.path, name })
    };

    let answered: MainAreaWidget | null = null;
    model.answered.connect((_, reply) => {
      const before = answered && !answered.isDisposed ? answered : null;
      answered = answerWidget(reply, trans);
      const place = before
        ? { mode: 'tab-after' as const, ref: before.id }
        : { mode: 'split-bottom' as const };
      showInFull(app.shell, answered, trans, place);
      before?.dispose();
    });

    const widget = new Sidebar(model, compare, trans);
    app.shell.add(widget, 'right', { rank: 900 });
    restorer?.add(widget, widget.id);
    return { model, compare, reveal: () => app.shell.activateById(widget.id) };
  }
};
