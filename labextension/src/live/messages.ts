/** What the kernel and the front end say to each other over the comm. */
import type { INewCell, Op } from './edit';

/** The comm target, and the key under which our metadata stands. */
export const TARGET = 'jupyter_selfcode';

/** A notebook without outputs, as the kernel's values have it. */
export interface INotebookValue {
  cells: INewCell[];
  metadata: { [key: string]: any };
}

/** What is going on in the kernel: `line` is in words for people, `started` in seconds since 1970. */
export interface IWorking {
  stage: string;
  line: string;
  cell?: string;
  attempt?: string | number;
  model?: string;
  tokens?: number;
  characters?: number;
  usd?: number | null;
  calls?: number;
  started: number;
  said: string[];
}

/** An edit for one front end: it is made at once or refused, and answered by its id. */
export interface IEdit {
  type: 'edit';
  id: string;
  client: string | null;
  version: string;
  number: number | null;
  kind: string;
  ops: Op[];
}

/** What the kernel sends. `client` names the front end that is meant; null: every one. */
export type FromKernel =
  | IEdit
  | {
      type: 'welcome';
      client: string | null;
      version: string;
      path: string;
      settings: { [name: string]: any };
    }
  | { type: 'working'; client: string | null; working: IWorking }
  | { type: 'rest'; client: string | null }
  | { type: 'changed'; client: string | null; head: string | null; waiting: string[] }
  | { type: 'running'; client: string | null; cell_id: string }
  | { type: 'ran'; client: string | null; cell_id: string; ok: boolean };
