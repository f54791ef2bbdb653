/** Answers of the server that are fetched when somebody looks at them. */
import * as React from 'react';

import { get } from '../request';
import type { IReply } from '../shared/wire';

export interface IFetched {
  reply: IReply | null;
  error: string;
}

/** What a route answers; asked again when the query or `stamp` (the newest version) has changed. */
export function useAnswer(
  route: string,
  query: { [name: string]: string },
  stamp: string
): IFetched {
  const [found, setFound] = React.useState<IFetched>({ reply: null, error: '' });
  const asked = JSON.stringify(query);
  React.useEffect(() => {
    let current = true;
    get<IReply>(route, query).then(
      reply => current && setFound({ reply, error: '' }),
      error => current && setFound({ reply: null, error: (error as Error).message })
    );
    return () => {
      current = false;
    };
  }, [route, asked, stamp]);
  return found;
}
