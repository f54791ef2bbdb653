/** The JupyterLab side of jupyter_selfcode: a plug-in for each thing that people meet. */
import { cells } from './cells';
import { commands } from './commands';
import { live } from './live';
import { outputs } from './outputs';
import { sidebar } from './sidebar';

export default [live, sidebar, commands, cells, outputs];
