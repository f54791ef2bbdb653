/** Requests to the server extension. */
import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

/** What the server said instead of an answer: one line for people. */
export class Refusal extends Error {
  constructor(
    message: string,
    readonly status: number
  ) {
    super(message);
  }
}

const PREFIX = 'jupyter-selfcode';

function address(settings: ServerConnection.ISettings, name: string, query: object): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null);
  const text = new URLSearchParams(given.map(([key, value]) => [key, String(value)])).toString();
  return URLExt.join(settings.baseUrl, PREFIX, name) + (text ? `?${text}` : '');
}

async function answer<T>(name: string, query: object, init: RequestInit): Promise<T> {
  const settings = ServerConnection.makeSettings();
  let response: Response;
  try {
    response = await ServerConnection.makeRequest(address(settings, name, query), init, settings);
  } catch {
    throw new Refusal('The Jupyter server does not answer.', 0);
  }
  const body = await response.text();
  let data: any = null;
  try {
    data = JSON.parse(body);
  } catch {
    // not ours: a page of another handler
  }
  if (!response.ok || data === null) {
    throw new Refusal(data?.message ?? response.statusText, response.status);
  }
  return data as T;
}

/** GET: the answer's JSON. Rejects with `Refusal`. */
export function get<T>(name: string, query: object = {}): Promise<T> {
  return answer<T>(name, query, { method: 'GET' });
}

/** POST: the answer's JSON. Rejects with `Refusal`. */
export function post<T>(name: string, body: object): Promise<T> {
  return answer<T>(name, {}, { method: 'POST', body: JSON.stringify(body) });
}

/** A stream of events; the browser takes it up again by itself where it broke. */
export function stream(name: string, query: object): EventSource {
  const settings = ServerConnection.makeSettings();
  const full = settings.appendToken && settings.token ? { ...query, token: settings.token } : query;
  return new EventSource(address(settings, name, full), { withCredentials: true });
}
