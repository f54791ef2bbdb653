/**
 * What crosses the wire between Python and here.
 * Generated from the schemas of the Python values by `python labextension/generate_types.py`; not to be edited.
 */

/** A command's answer: data, the same as a view, the exit code that a shell would have, and (of changes) the cells that differ, whole. */
export interface IAnswer {
  data: Record<string, any>;
  view: IDrawn;
  exit_code: number;
  cells: ICellChange[];
}

/** What became of an edit. Where it was refused, nothing of it was applied and `notebook` is what the client shows. */
export interface IApplied {
  client: string;
  id: string;
  ok: boolean;
  error: '' | 'changed' | 'missing' | 'read-only' | 'failed';
  cell_id: string | null;
  message: string;
  notebook: INotebook | null;
  type: 'applied';
}

/** A line of the grammar for the notebook at `path`, as it would be typed after `%selfcode`. `settings` are those of the person who asks, by name: where there is no session, nobody else knows them. */
export interface IAsked {
  path: string;
  line: string;
  settings: Record<string, any>;
}

/** Our key in the metadata of an execute request: which client asks, and what it shows. */
export interface IAsking {
  client: string;
  notebook: INotebook | null;
  seen: string | null;
}

/** Something is being worked on. For every client. */
export interface IAtWork {
  working: IWorking;
  client: null;
  type: 'working';
}

/** One cell: its nbformat id, type, source text, metadata and (markdown) attachments. */
export interface ICell {
  id: string;
  type: 'code' | 'markdown' | 'raw';
  source: string;
  metadata: Record<string, any>;
  attachments: Record<string, any>;
}

/** One cell that differs. `place` is its place in the notebook from 1 (a deleted cell: in the old one). */
export interface ICellChange {
  cell_id: string;
  change: 'changed' | 'inserted' | 'deleted' | 'moved' | 'metadata';
  type: string;
  place: number;
  before: string;
  after: string;
}

/** The history or what waits has changed: the newest version and the names of what waits. For every client. */
export interface IChanged {
  head: string | null;
  waiting: string[];
  client: null;
  type: 'changed';
}

/** A view as data. */
export interface IDrawn {
  blocks: (ITitle | IParagraph | IFacts | IListing | ITable | IDrawnChange | ISource | IDrawnFold | ISteps)[];
}

/** The diff of one cell. `cut` counts the lines that are left out. */
export interface IDrawnChange {
  title: string;
  cell_id: string;
  change: 'changed' | 'inserted' | 'deleted' | 'moved' | 'metadata';
  type: string;
  place: number;
  added: number;
  removed: number;
  lines: IDrawnLine[];
  cut: number;
  block: 'change';
}

/** Blocks that open by a click. */
export interface IDrawnFold {
  title: string;
  blocks: (ITitle | IParagraph | IFacts | IListing | ITable | IDrawnChange | ISource | IDrawnFold | ISteps)[];
  shown: boolean;
  aside: boolean;
  block: 'fold';
}

/** A line of a diff: its number from 1 (of the old source for `-`, else of the new), and its coloured pieces. */
export interface IDrawnLine {
  sign: '+' | '-' | ' ' | '@';
  number: number;
  pieces: [string, '' | 'keyword' | 'string' | 'comment' | 'number' | 'name'][];
}

/** Operations in order for the document of one client, all of them or none. Answered by `Applied` with the same id, and applied once, however often it is heard. */
export interface IEdit {
  id: string;
  client: string;
  version: string;
  kind: 'initial' | 'adapt' | 'edit' | 'check' | 'rollback' | 'undo' | 'redo';
  ops: (ISourceEdit | IInsertCell | IRemoval | IMoveCell | IMetadataEdit)[];
  type: 'edit';
}

/** Labels with what they say, in two columns. */
export interface IFacts {
  rows: [string, ISpan[]][];
  block: 'facts';
}

/** All words. */
export interface IGrammar {
  words: IWord[];
}

/** A client shows this notebook. `path` is the server's name of its file, `version` that of the front end's package. */
export interface IHello {
  client: string;
  path: string;
  version: string;
  seen: string | null;
  type: 'hello';
}

/** A new cell comes after the cell `after` (None: at the top). */
export interface IInsertCell {
  cell: ICell;
  after: string | null;
  op: 'insert';
}

/** Things in a list. */
export interface IListing {
  items: ISpan[][];
  block: 'listing';
}

/** Keys of a cell's metadata (None: the notebook's) are set and removed; the others stay as they are. */
export interface IMetadataEdit {
  cell_id: string | null;
  set: Record<string, any>;
  remove: string[];
  op: 'metadata';
}

/** The cell goes to the place after the cell `after` (None: to the top). */
export interface IMoveCell {
  cell_id: string;
  after: string | null;
  op: 'move';
}

/** Cells in order and the notebook's own metadata. Cell ids are unique; `BadInput` otherwise. */
export interface INotebook {
  cells: ICell[];
  metadata: Record<string, any>;
}

/** A line of running text. */
export interface IParagraph {
  spans: ISpan[];
  block: 'paragraph';
}

/** It has run. For every client. */
export interface IRan {
  cell_id: string;
  client: null;
  type: 'ran';
}

/** A cell goes, where its source is still `expect`. */
export interface IRemoval {
  cell_id: string;
  expect: string;
  op: 'delete';
}

/** Nothing is being worked on any more. For every client. */
export interface IRest {
  client: null;
  type: 'rest';
}

/** A version in a timeline. `lane` is 0, or 1 for what was left behind or did not come about; `edges` are the lines from this row down to the next older one, each from a lane to a lane. `at` is UTC, ISO 8601. */
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
  cells: string[];
  parents: string[];
  restores: string | null;
  usd: number | null;
  tokens: number;
  calls: number;
  seconds: number;
  replayed: boolean;
  rationale: string;
  level_name: string;
  current: boolean;
  behind: boolean;
  lane: number;
  edges: [number, number][];
}

/** A cell runs again within a command, and what is printed until `Ran` is that cell's output. For every client. */
export interface IRunning {
  cell_id: string;
  client: null;
  type: 'running';
}

/** Code or text as it stands, lines kept. `language` is `python` or nothing. */
export interface ISource {
  text: string;
  language: 'python' | '';
  block: 'source';
}

/** The source of a cell becomes `source`, where it is still `expect`. */
export interface ISourceEdit {
  cell_id: string;
  expect: string;
  source: string;
  op: 'replace';
}

/** Text in one style. */
export interface ISpan {
  text: string;
  style: '' | 'dim' | 'strong' | 'code' | 'ok' | 'warning' | 'error';
}

/** What the adaptations of a notebook took in all, and for each of those that are still alive (None: none is). */
export interface ISpending {
  versions: number;
  alive: number;
  calls: number;
  prompt_tokens: number;
  completion_tokens: number;
  usd: number | null;
  seconds: number;
  estimated: boolean;
  replayed: boolean;
  usd_per_change_alive: number | null;
  tokens_per_change_alive: number | null;
}

/** The first look at a notebook. `head` is the newest version, `in_force` the one whose state the notebook is in, `undo` and `redo` what these would bring back; ids, None where there is none. `store` says whether the history can be read. `watched`: since when it is watched (UTC, ISO 8601; None: it is not), `told`: what was no longer as it had been. */
export interface IState {
  notebook: string;
  version: string;
  store: 'ok' | 'none' | 'broken';
  message: string;
  total: number;
  head: string | null;
  in_force: string | null;
  undo: string | null;
  redo: string | null;
  waiting: IWaits[];
  cost: ISpending | null;
  settings: Record<string, any>;
  watched: string | null;
  told: string[];
}

/** What to type next: commands and what each does. */
export interface ISteps {
  rows: [string, string][];
  block: 'steps';
}

/** Whether something was at work that was told to stop. */
export interface IStop {
  stopped: boolean;
}

/** Rows under headings; columns in `right` are set to the right (numbers), `code` columns in the code font and with their white space kept. `wide` names the column that may wrap. */
export interface ITable {
  columns: string[];
  rows: ISpan[][][];
  right: number[];
  code: number[];
  wide: number | null;
  block: 'table';
}

/** The first line of a view: what this is, in one colour, and a quiet remark beside it. */
export interface ITitle {
  text: string;
  kind: 'ok' | 'warning' | 'error' | 'plain';
  remark: string;
  block: 'title';
}

/** What a client shows now. `seen` is the id of the last edit that it answered: a notebook from before the newest edit is not what it will show. */
export interface ITold {
  client: string;
  notebook: INotebook;
  seen: string | null;
  type: 'document';
}

/** Some of the versions of a notebook, newest first, and how many there are in all. */
export interface IVersions {
  total: number;
  versions: IRow[];
}

/** A proposal that waits for a decision, in short. `title` is its first line in words, `words` what was asked for. */
export interface IWaits {
  name: string;
  title: string;
  words: string;
  trigger: string;
  reason: string;
  level: number | null;
  level_name: string;
  cells: string[];
  proposer: string;
  model: string;
  usd: number | null;
  tokens: number;
  seconds: number;
}

/** Answer to `Hello`: the version of the package, and the settings of the session by name. */
export interface IWelcome {
  client: string;
  version: string;
  settings: Record<string, any>;
  type: 'welcome';
}

/** The notebook at `path`, relative to the server's root. */
export interface IWhich {
  path: string;
}

/** A word of the grammar. */
export interface IWord {
  name: string;
  help: string;
  arguments: string[];
}

/** What is at work now. `detail` says in words what the stage works on and `line` all of it; `started` is in seconds since 1970; `usd` is None where no price is known; `said` are the last lines that were told. */
export interface IWorking {
  line: string;
  stage: 'describe' | 'gather' | 'propose' | 'screen' | 'validate' | 'decide' | 'deploy' | 'record' | null;
  detail: string;
  cell: string;
  attempt: number;
  model: string;
  tokens: number;
  characters: number;
  usd: number | null;
  calls: number;
  estimated: boolean;
  started: number;
  said: string[];
}

export type FromKernel = IEdit | IAtWork | IRest | IRunning | IRan | IChanged | IWelcome;

export type FromFrontEnd = IHello | ITold | IApplied;
