/** The JupyterLab side of jupyter_selfcode: a plug-in for each thing that people meet. */
import { live } from './live';

export default [live];
