/** What the kernel and the front end say to each other over the comm; the shapes are generated from the Python side. */
export type { FromKernel, IEdit, INotebook as INotebookValue, IWorking } from '../shared/types';

/** The comm target, and the key under which our metadata stands. */
export const TARGET = 'jupyter_selfcode';
