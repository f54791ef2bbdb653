/** Where there is room for what is shown in full size. */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { SplitPanel, type Widget } from '@lumino/widgets';

type Place = Parameters<JupyterFrontEnd.IShell['add']>[2];

/** Show a widget in the main area; Notebook 7 has one document there and takes no other, so there it opens below it. */
export function showInFull(
  shell: JupyterFrontEnd.IShell,
  widget: Widget,
  place: Place = { mode: 'split-bottom' }
): void {
  shell.add(widget, 'main', place);
  if (!widget.isAttached) {
    shell.add(widget, 'down');
    shell.activateById(widget.id);
    raise(widget);
  }
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
