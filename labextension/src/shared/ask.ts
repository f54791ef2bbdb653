/**
 * How a panel in an output reaches the page around it. Where that is a notebook with our extension, a command goes the
 * sidebar's way: it carries what the notebook shows, and what cells print comes into the cells. Else the widget's own comm
 * is the way.
 */
import type { IReply } from './wire';

export const RUN = 'jupyter-selfcode:run';
export const STOP = 'jupyter-selfcode:stop';

/** Told of a command's answer; of null and the reason where there is none. */
export type Answered = (reply: IReply | null, refusal: string) => void;

export interface IRun {
  line: string;
  answered: Answered;
}

/** Ask the page to run a line, or to stop; whether it does. */
export function askPage(el: HTMLElement, type: typeof RUN | typeof STOP, detail?: IRun): boolean {
  const event = new CustomEvent(type, { bubbles: true, composed: true, cancelable: true, detail });
  return !el.dispatchEvent(event);
}
