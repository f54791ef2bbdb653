/** Commands for the palette, the menus and the keyboard: the words of the grammar, for the notebook in front. */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, InputDialog } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { selfcodeIcon } from './icon';
import { ISidebar } from './sidebar';

/** Ids of our commands; the schema of the settings names them in menus and shortcuts. */
export const CommandIDs = {
  open: 'jupyter-selfcode:open',
  adapt: 'jupyter-selfcode:adapt',
  adaptCell: 'jupyter-selfcode:adapt-cell',
  fix: 'jupyter-selfcode:fix',
  accept: 'jupyter-selfcode:accept',
  reject: 'jupyter-selfcode:reject',
  rollback: 'jupyter-selfcode:rollback',
  undo: 'jupyter-selfcode:undo',
  redo: 'jupyter-selfcode:redo',
  blame: 'jupyter-selfcode:blame',
  why: 'jupyter-selfcode:why',
  compare: 'jupyter-selfcode:compare',
  stop: 'jupyter-selfcode:stop',
  doctor: 'jupyter-selfcode:doctor'
};

const NO_ARGUMENTS = { args: { type: 'object', properties: {} } };
const VERSION_ARGUMENT = {
  args: {
    type: 'object',
    properties: { version: { type: 'string', description: 'Number or start of the id.' } }
  }
};
const WORDS_ARGUMENT = {
  args: {
    type: 'object',
    properties: { words: { type: 'string', description: 'What to say; asked for where absent.' } }
  }
};

export const commands: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-selfcode:commands',
  description: 'The words of selfcode as commands.',
  autoStart: true,
  requires: [INotebookTracker, ISidebar],
  optional: [ICommandPalette, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    tracker: INotebookTracker,
    sidebar: ISidebar,
    palette: ICommandPalette | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('jupyter_selfcode');
    const { model } = sidebar;
    const category = trans.__('selfcode');
    const open = (): boolean => model.panel !== null && !model.busy;
    const waiting = (): boolean => open() && !!model.state?.waiting.length;
    const cell = (): string => tracker.activeCell?.model.id ?? '';

    const run = async (line: string): Promise<void> => {
      sidebar.reveal();
      await model.run(line);
    };
    const asked = async (title: string, args: any, blank = false): Promise<string | null> => {
      if (typeof args.words === 'string') {
        return args.words;
      }
      const { value, button } = await InputDialog.getText({ title });
      return button.accept && (blank || value?.trim()) ? (value ?? '').trim() : null;
    };

    const add = (
      id: string,
      label: string,
      isEnabled: () => boolean,
      execute: (args: any) => unknown,
      more: { describedBy?: any; caption?: string } = {}
    ): void => {
      app.commands.addCommand(id, {
        label,
        isEnabled,
        execute,
        caption: more.caption ?? label,
        icon: args => (args.toolbar ? selfcodeIcon : undefined),
        describedBy: more.describedBy ?? NO_ARGUMENTS
      });
      palette?.addItem({ command: id, category });
    };
    const words = { describedBy: WORDS_ARGUMENT };

    add(
      CommandIDs.open,
      trans.__('Show the selfcode Panel'),
      () => true,
      () => sidebar.reveal()
    );
    add(
      CommandIDs.adapt,
      trans.__('Adapt the Notebook…'),
      open,
      async args => {
        const said = await asked(trans.__('What should this notebook do differently?'), args);
        return said && run(`adapt ${said}`);
      },
      words
    );
    add(
      CommandIDs.adaptCell,
      trans.__('Adapt This Cell…'),
      () => open() && cell() !== '',
      async args => {
        const id = cell();
        const said = await asked(trans.__('What should this cell do differently?'), args);
        return said && run(`adapt --cell ${id} ${said}`);
      },
      words
    );
    add(CommandIDs.fix, trans.__('Fix the Last Error'), open, () => run('fix'));
    add(CommandIDs.accept, trans.__('Accept What Waits'), waiting, () => run('accept'));
    add(
      CommandIDs.reject,
      trans.__('Reject What Waits…'),
      waiting,
      async args => {
        const why = await asked(trans.__('Why? Kept for later proposals.'), args, true);
        return why !== null && run(`reject ${why}`.trim());
      },
      words
    );
    add(
      CommandIDs.rollback,
      trans.__('Roll Back to a Version…'),
      () => open() && model.rows.length > 1,
      async args => {
        const items = model.rows.filter(row => row.outcome === 'deployed' && !row.current);
        const labels = items.map(row => `${row.number}  ${row.words || row.kind}`);
        const version =
          typeof args.version === 'string'
            ? args.version
            : (
                await InputDialog.getItem({ title: trans.__('Roll back to'), items: labels })
              ).value?.split(' ')[0];
        return version && run(`rollback ${version}`);
      },
      { describedBy: VERSION_ARGUMENT }
    );
    add(
      CommandIDs.undo,
      trans.__('Undo the Last Change'),
      () => open() && !!model.state?.undo,
      () => run('undo')
    );
    add(
      CommandIDs.redo,
      trans.__('Redo What Was Undone'),
      () => open() && !!model.state?.redo,
      () => run('redo')
    );
    add(
      CommandIDs.blame,
      trans.__('Which Version Made Each Line'),
      () => open() && cell() !== '',
      () => model.read(`blame ${cell()}`)
    );
    add(
      CommandIDs.why,
      trans.__('Why This Cell Is as It Is'),
      () => open() && cell() !== '',
      () => model.read(`why ${cell()}`)
    );
    add(
      CommandIDs.compare,
      trans.__('Compare the Newest Version with Now'),
      () => open() && model.rows.length > 0,
      () => sidebar.compare.versions('head', 'now')
    );
    add(
      CommandIDs.stop,
      trans.__('Stop What selfcode Is Doing'),
      () => model.working !== null || model.busy,
      () => model.stop()
    );
    add(CommandIDs.doctor, trans.__('Look at This Machine'), open, () => model.read('doctor'));

    model.changed.connect(() => app.commands.notifyCommandChanged());
  }
};
