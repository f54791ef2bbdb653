/** The plug-in that answers panels in the outputs of notebooks: their buttons go the sidebar's way. */
import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';

import { run } from './command';
import { ILinks } from './live';
import { kernelOf } from './live/execute';
import { type IRun, RUN, STOP } from './shared/ask';

export const outputs: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-selfcode:outputs',
  description: 'Buttons of the panel in an output do what those of the sidebar do.',
  autoStart: true,
  requires: [INotebookTracker, ILinks],
  activate: (_, tracker: INotebookTracker, links: ILinks): void => {
    const listen = (panel: NotebookPanel): void => {
      panel.node.addEventListener(RUN, event => {
        const link = links.of(panel);
        const { line, answered } = (event as CustomEvent<IRun>).detail;
        if (link) {
          event.preventDefault();
          run(link, line, links.kept()).then(
            reply => answered(reply, ''),
            error => answered(null, error.message)
          );
        }
      });
      panel.node.addEventListener(STOP, event => {
        const link = links.of(panel);
        const kernel = link && kernelOf(link);
        if (kernel) {
          event.preventDefault();
          void kernel.interrupt();
        }
      });
    };
    tracker.forEach(listen);
    tracker.widgetAdded.connect((_, panel) => listen(panel));
  }
};
