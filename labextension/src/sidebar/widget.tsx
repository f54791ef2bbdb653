/** The sidebar: the shared panel, told by the model. */
import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import * as React from 'react';

import { Panel, Section } from '../shared/panel';
import type { ITrans } from '../shared/trans';
import type { IState } from '../shared/wire';
import { selfcodeIcon } from '../icon';
import { AtCursor } from './cell';
import type { Model } from './model';
import { Plots } from './plots';
import { Settings } from './settings';

/** What opens in the main area. */
export interface ICompare {
  versions(from: string, to: string): void;
  waiting(name: string): void;
}

export class Sidebar extends ReactWidget {
  constructor(
    private readonly model: Model,
    private readonly compare: ICompare,
    private readonly trans: ITrans
  ) {
    super();
    this.id = 'jupyter-selfcode-sidebar';
    this.addClass('jp-SelfcodeSidebar');
    this.title.icon = selfcodeIcon;
    this.title.caption = trans.__('selfcode: what this notebook does to itself');
    document.addEventListener('visibilitychange', this.look);
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', trans.__('selfcode'));
  }

  dispose(): void {
    document.removeEventListener('visibilitychange', this.look);
    super.dispose();
  }

  protected onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this.look();
  }

  protected onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    this.look();
  }

  protected onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this.look();
  }

  private readonly look = (): void => {
    this.model.seen = this.isVisible && document.visibilityState === 'visible';
  };

  protected render(): JSX.Element {
    return <UseSignal signal={this.model.changed}>{() => this.draw()}</UseSignal>;
  }

  private draw(): JSX.Element {
    const { model, trans } = this;
    if (!model.panel) {
      return (
        <div className="jp-Selfcode">
          <p className="jp-Selfcode-empty">
            {trans.__('Open a notebook to see its versions here.')}
          </p>
        </div>
      );
    }
    const state = model.state && { ...model.state, settings: model.settings };
    return (
      <Panel
        trans={trans}
        state={state}
        rows={model.rows}
        now={model.working}
        busy={model.busy}
        stopping={model.stopping}
        told={model.told}
        opened={model.opened}
        detail={model.detail}
        failure={model.failure}
        idle={model.idle}
        run={this.run}
        open={this.open}
        dismiss={this.dismiss}
        plots={<Plots path={model.path} rows={model.rows} trans={trans} />}
        older={model.older}
        stop={this.stop}
        compare={this.compareVersions}
        compareWaiting={this.compareWaiting}
        preview={this.preview}
        exportHistory={this.exportHistory}
        foot={state && this.foot(state)}
      />
    );
  }

  private button(label: string, pressed: () => void): JSX.Element {
    return (
      <button className="jp-Selfcode-button" disabled={this.model.busy} onClick={pressed}>
        {label}
      </button>
    );
  }

  private foot(state: IState): JSX.Element {
    const { model, trans } = this;
    const cell = model.panel?.content.activeCell?.model;
    return (
      <>
        {state.total > 0 && cell?.type === 'code' && (
          <Section title={trans.__('This cell')} shown={false}>
            <AtCursor path={model.path} cell={cell.id} stamp={state.head ?? ''} trans={trans} />
          </Section>
        )}
        <Section title={trans.__('Settings')} shown={false}>
          <Settings
            path={model.path}
            settings={state.settings}
            trans={trans}
            disabled={model.busy}
            onChange={this.setting}
          />
          {state.watched && (
            <p className="jp-Selfcode-dim">
              {trans.__('Watched since %1.', new Date(state.watched).toLocaleString())}{' '}
              {state.told.join(' ')}
            </p>
          )}
          <div className="jp-Selfcode-actions">
            {state.watched
              ? this.button(trans.__('Stop Watching'), () => this.run('watch off'))
              : this.button(trans.__('Watch'), () => this.run('watch on'))}
            {state.total > 0 &&
              this.button(trans.__('Verify the History'), () => this.read('verify'))}
          </div>
        </Section>
      </>
    );
  }

  private readonly run = (line: string): void => void this.model.run(line);
  private readonly read = (line: string): void => void this.model.read(line);
  private readonly preview = (words: string): void => this.read(`send ${words}`.trim());
  private readonly exportHistory = (): void => void this.model.export();
  private readonly stop = (): void => void this.model.stop();
  private readonly dismiss = (): void => this.model.dismiss();
  private readonly open = (opened: Model['opened']): void => this.model.open(opened);
  private readonly setting = (name: string, value: unknown): void =>
    void this.model.set(name, value);
  private readonly compareVersions = (from: string, to: string): void =>
    this.compare.versions(from, to);
  private readonly compareWaiting = (name: string): void => this.compare.waiting(name);
}
