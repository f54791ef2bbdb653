/** What the server extension and the kernel send to be drawn. Texts in it come from strangers and are drawn as text only. */

/** Text in one style. */
export interface ISpan {
  text: string;
  style: '' | 'dim' | 'strong' | 'code' | 'ok' | 'warning' | 'error';
}

/** A line of a diff: its sign, its number, and its pieces with the kind of word that each is. */
export interface ILine {
  sign: '+' | '-' | ' ' | '@';
  number: number | null;
  pieces: [string, string][];
}

/** The diff of one cell; `cut` counts lines that were left out for being too many. */
export interface IChangeBlock {
  block: 'change';
  title: string;
  cell_id: string;
  change: string;
  type: string;
  place: number;
  added: number;
  removed: number;
  lines: ILine[];
  cut: number;
}

export type Block =
  | { block: 'title'; text: string; kind: 'ok' | 'warning' | 'error' | 'plain'; remark: string }
  | { block: 'paragraph'; spans: ISpan[] }
  | { block: 'facts'; rows: [string, ISpan[]][] }
  | { block: 'listing'; items: ISpan[][] }
  | {
      block: 'table';
      columns: string[];
      rows: ISpan[][][];
      right: number[];
      code: number[];
      wide: number | null;
    }
  | IChangeBlock
  | { block: 'source'; text: string; language: string }
  | { block: 'fold'; title: string; blocks: Block[]; shown: boolean }
  | { block: 'steps'; rows: [string, string][] };

export interface IView {
  blocks: Block[];
}

/** One cell that differs, whole, for a view that draws the diff itself. */
export interface ICellDiff {
  cell_id: string;
  place: number;
  change: string;
  type: string;
  before: string;
  after: string;
}

/** A proposal that waits for a person. */
export interface IWaiting {
  name: string;
  title: string;
  words: string;
  level: number | null;
  level_name: string;
  cells: string[];
  usd: number | null;
  tokens: number;
  seconds: number;
  trigger: string;
  reason: string;
  proposer: string;
  model: string;
}

/** A version in the timeline; `edges` lead from the lanes of this row to those of the next older one. */
export interface IRow {
  number: number;
  id: string;
  kind: string;
  outcome: string | null;
  by: string;
  at: string;
  words: string;
  trigger: string;
  proposer: string;
  model: string;
  level: number | null;
  level_name: string;
  cells: string[];
  usd: number | null;
  tokens: number;
  seconds: number;
  rationale: string;
  current: boolean;
  behind: boolean;
  lane: number;
  edges: [number, number][];
}

/** What was spent. Dollars are null where no price is known. */
export interface ICosts {
  versions: number;
  alive: number;
  calls: number;
  prompt_tokens: number;
  completion_tokens: number;
  usd: number | null;
  seconds: number;
  usd_per_change_alive: number | null;
  tokens_per_change_alive: number | null;
}

/** What was spent on one day (UTC). */
export interface IDay {
  day: string;
  usd: number | null;
  tokens: number;
}

/** What is known of one notebook. */
export interface IState {
  notebook: string;
  store: 'ok' | 'none' | 'broken';
  message: string;
  total: number;
  head: string | null;
  in_force: string | null;
  undo: string | null;
  redo: string | null;
  waiting: IWaiting[];
  cost: ICosts | null;
  settings: { [name: string]: any };
  version: string;
}

/** A proposal or a version, drawn, with its cells whole. */
export interface IDetail {
  view: IView;
  cells: ICellDiff[];
}

/** The answer to a command. */
export interface IReply {
  data: { [key: string]: any };
  view: IView;
  exit_code: number;
}
