/** Where there is room for what is shown in full size. */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Dialog } from '@jupyterlab/apputils';
import { SplitPanel, type Widget } from '@lumino/widgets';

import type { ITrans } from './shared/trans';

type Place = Parameters<JupyterFrontEnd.IShell['add']>[2];

/** Show a widget in the main area. Notebook 7 has one document there and takes no other, so there it opens below it, and
 * before 7.3, which has no place below, in a dialog over it. */
export function showInFull(
  shell: JupyterFrontEnd.IShell,
  widget: Widget,
  trans: ITrans,
  place: Place = { mode: 'split-bottom' }
): void {
  shell.add(widget, 'main', place);
  if (widget.isAttached) {
    return;
  }
  shell.add(widget, 'down');
  if (!widget.isAttached) {
    showOver(widget, trans);
    return;
  }
  shell.activateById(widget.id);
  raise(widget);
}

function showOver(widget: Widget, trans: ITrans): void {
  const buttons = [Dialog.okButton({ label: trans.__('Close') })];
  const dialog = new Dialog({ title: widget.title.label, body: widget, buttons });
  dialog.addClass('jp-SelfcodeOver');
  void dialog.launch();
}

/** Give what lies below the notebook two fifths of the height: by itself it shows no more than its tab. */
function raise(widget: Widget): void {
  for (let part = widget.parent; part; part = part.parent) {
    if (part instanceof SplitPanel && part.orientation === 'vertical') {
      part.setRelativeSizes([3, 2]);
      return;
    }
  }
}
