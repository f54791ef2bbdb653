/** What turns our strings into the reader's language: JupyterLab's `TranslationBundle`, or the strings as they are. */
export interface ITrans {
  __(text: string, ...args: any[]): string;
  _n(one: string, many: string, n: number, ...args: any[]): string;
}

function filled(text: string, args: any[]): string {
  return text.replace(/%(\d)/g, (_, place) => String(args[Number(place) - 1] ?? ''));
}

/** The strings as they are written, for hosts without translations. */
export const asWritten: ITrans = {
  __: (text, ...args) => filled(text, args),
  _n: (one, many, n, ...args) => filled(n === 1 ? one : many, [n, ...args])
};
