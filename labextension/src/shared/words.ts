/** Numbers and times in words for people. */
import type { ITrans } from './trans';

/** An amount of US dollars; empty where nothing was spent, or no price is known. */
export function money(usd: number | null | undefined): string {
  if (usd === null || usd === undefined || usd === 0) {
    return '';
  }
  return usd < 0.01 ? '< $0.01' : `$${usd.toFixed(2)}`;
}

/** A span of time. */
export function duration(seconds: number): string {
  if (seconds < 10) {
    return `${seconds.toFixed(1)} s`;
  }
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** A large number, short. */
export function short(n: number): string {
  return new Intl.NumberFormat(undefined, { notation: 'compact', maximumFractionDigits: 1 }).format(
    n
  );
}

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', 86400],
  ['hour', 3600],
  ['minute', 60]
];

/** How long ago a time was (ISO 8601), against `now` in milliseconds. */
export function ago(at: string, trans: ITrans, now: number = Date.now()): string {
  const past = (now - Date.parse(at)) / 1000;
  if (Number.isNaN(past)) {
    return '';
  }
  if (past > 7 * 86400) {
    return new Date(at).toLocaleDateString();
  }
  for (const [unit, seconds] of STEPS) {
    if (past >= seconds) {
      return new Intl.RelativeTimeFormat(undefined, { numeric: 'auto', style: 'narrow' }).format(
        -Math.floor(past / seconds),
        unit
      );
    }
  }
  return trans.__('now');
}

/** A version's kind in words. */
export function kindWord(kind: string, trans: ITrans): string {
  switch (kind) {
    case 'initial':
      return trans.__('as found');
    case 'adapt':
      return trans.__('adapted');
    case 'edit':
      return trans.__('edited');
    case 'check':
      return trans.__('check added');
    case 'rollback':
      return trans.__('rolled back');
    case 'undo':
      return trans.__('undone');
    case 'redo':
      return trans.__('redone');
    default:
      return kind;
  }
}

/** What has become of a cell, in words. */
export function kindOfChange(change: string, trans: ITrans): string {
  switch (change) {
    case 'inserted':
      return trans.__('new');
    case 'deleted':
      return trans.__('deleted');
    case 'moved':
      return trans.__('moved');
    case 'metadata':
      return trans.__('metadata changed');
    default:
      return trans.__('changed');
  }
}

/** The first line of a text. */
export function firstLine(text: string): string {
  return text.trim().split('\n', 1)[0];
}
