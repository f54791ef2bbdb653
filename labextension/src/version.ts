/** The version of this package; the kernel compares it with its own. */
import { version as named } from '../package.json';

export const version: string = named;
