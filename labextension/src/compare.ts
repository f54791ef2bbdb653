/** Two versions of a notebook side by side, in the main area. The diff is CodeMirror's, loaded at first use. */
import { MainAreaWidget } from '@jupyterlab/apputils';
import { type IEditorLanguageRegistry, jupyterTheme } from '@jupyterlab/codemirror';
import { type Message } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';

import { selfcodeIcon } from './icon';
import type { ITrans } from './shared/trans';
import type { ICellDiff } from './shared/wire';
import { kindOfChange } from './shared/words';

/** Above this many characters a source is shown as text: to find its smallest diff would hold up the page. */
const LARGE = 400_000;

/** The cells that differ, each in a merge view of its own. */
export class Compare extends Widget {
  constructor(
    private readonly cells: ICellDiff[],
    private readonly languages: IEditorLanguageRegistry | null,
    private readonly trans: ITrans
  ) {
    super();
    this.addClass('jp-SelfcodeCompare');
    this.node.tabIndex = 0;
    if (!cells.length) {
      const none = document.createElement('p');
      none.textContent = trans.__('No cell differs.');
      this.node.append(none);
    }
  }

  protected onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    if (!this.drawn) {
      this.drawn = true;
      void this.draw();
    }
  }

  private async draw(): Promise<void> {
    const [merge, { EditorState }, { EditorView, lineNumbers }] = await Promise.all([
      import('@codemirror/merge'),
      import('@codemirror/state'),
      import('@codemirror/view')
    ]);
    const python = await this.languages?.getLanguage('ipython');
    for (const cell of this.cells) {
      if (this.isDisposed) {
        return;
      }
      const section = document.createElement('section');
      const heading = document.createElement('h2');
      heading.textContent = this.trans.__(
        'Cell %1: %2',
        cell.place,
        kindOfChange(cell.change, this.trans)
      );
      section.append(heading);
      section.setAttribute('aria-label', heading.textContent);
      this.node.append(section);
      if (cell.before.length + cell.after.length > LARGE) {
        section.append(...[cell.before, cell.after].map(source => plain(source)));
        continue;
      }
      const extensions = [
        jupyterTheme,
        lineNumbers(),
        EditorView.lineWrapping,
        EditorView.editable.of(false),
        EditorState.readOnly.of(true),
        EditorView.contentAttributes.of({ 'aria-label': heading.textContent, tabindex: '0' }),
        ...(cell.type === 'code' && python?.support ? [python.support] : [])
      ];
      const view = new merge.MergeView({
        a: { doc: cell.before, extensions },
        b: { doc: cell.after, extensions },
        parent: section,
        gutter: true,
        collapseUnchanged: { margin: 3, minSize: 6 }
      });
      this.disposed.connect(() => view.destroy());
    }
  }

  private drawn = false;
}

function plain(source: string): HTMLElement {
  const shown = document.createElement('pre');
  shown.textContent = source;
  return shown;
}

/** A widget for the main area that compares. */
export function compareWidget(
  title: string,
  cells: ICellDiff[],
  languages: IEditorLanguageRegistry | null,
  trans: ITrans
): MainAreaWidget<Compare> {
  const widget = new MainAreaWidget({ content: new Compare(cells, languages, trans) });
  widget.id = `jupyter-selfcode-compare-${++made}`;
  widget.title.label = title;
  widget.title.caption = title;
  widget.title.icon = selfcodeIcon;
  widget.title.closable = true;
  widget.toolbar.hide();
  return widget;
}

let made = 0;
