/**
 * The values that are drawn, by the names that they have here. Their shapes are generated from the schemas of the Python
 * side (`types.ts`). Texts in them come from strangers and are drawn as text only.
 */
import type { IAnswer, IDrawn } from './types';

export type {
  IAnswer as IReply,
  ICellChange as ICellDiff,
  IDrawn as IView,
  IDrawnChange as IChangeBlock,
  IRow,
  ISpan,
  ISpending as ICosts,
  IState,
  IWaits as IWaiting
} from './types';

export type Block = IDrawn['blocks'][number];

/** A proposal or a version: how it is drawn, and its cells whole. */
export type IDetail = Pick<IAnswer, 'view' | 'cells'>;

/** What was spent on one day (UTC). Dollars are null where no price is known. */
export interface IDay {
  day: string;
  usd: number | null;
  tokens: number;
}
