/** What the parts of a page share: its connection, its subject, and hooks to ask and to follow. */
import { createContext } from 'preact';
import { useCallback, useContext, useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { StoreState } from '../runner/records.ts';
import { type Connection, messageOf, type Pushed, type PushedMessage, RequestError } from './connection.ts';
import type { PageAction, PageMethod, PageRequests, PageSubject } from './messages.ts';

export interface PageEnvironment {
  readonly connection: Connection;
  readonly subject: PageSubject;
  readonly trusted: boolean;
  readonly store: StoreState;
}

export const PageContext = createContext<PageEnvironment | null>(null);

/** Only below `Page` (start.tsx). */
export function usePage(): PageEnvironment {
  const page = useContext(PageContext);
  if (page === null) throw new Error('a part of a page was used outside of a page');
  return page;
}

/** Asks the extension to do something. */
export function useAction(): (action: PageAction) => void {
  const { connection } = usePage();
  return useCallback(
    (action: PageAction) => {
      connection.act(action);
    },
    [connection],
  );
}

/** A listener may change from one rendering to the next without a new subscription. */
export function usePushed<Type extends Pushed['type']>(
  type: Type,
  listener: (message: PushedMessage<Type>) => void,
): void {
  const { connection } = usePage();
  const latest = useRef(listener);
  latest.current = listener;
  // Not after painting: a message that arrives in between would be lost.
  useLayoutEffect(
    () =>
      connection.on(type, message => {
        latest.current(message);
      }),
    [connection, type],
  );
}

export type Loadable<Value> =
  | { readonly kind: 'loading' }
  | { readonly kind: 'ready'; readonly value: Value }
  /** `value`: what was there before it was asked for again. */
  | {
      readonly kind: 'error';
      readonly message: string;
      readonly code: string;
      readonly value: Value | undefined;
    };

export interface Request<Value> {
  readonly state: Loadable<Value>;
  /** Asks again. What is there stays until the answer has come. */
  readonly reload: () => void;
  /** Changes what is there, for example by a pushed message. */
  readonly update: (change: (value: Value) => Value) => void;
}

/**
 * Asks when the part appears and when the parameters change; what belongs to other parameters is never shown. With
 * `null` for `params` nothing is asked. Asks again by itself when the store has come back after an error of the store.
 */
export function useRequest<Method extends PageMethod>(
  method: Method,
  params: PageRequests[Method]['params'] | null,
): Request<PageRequests[Method]['result']> {
  type Value = PageRequests[Method]['result'];
  const { connection, store } = usePage();
  const key = params === null ? null : `${method} ${JSON.stringify(params)}`;
  const [answer, setAnswer] = useState<{ readonly key: string | null; readonly state: Loadable<Value> }>({
    key: null,
    state: { kind: 'loading' },
  });
  const turn = useRef(0);
  const current = useRef({ key, params });
  current.current = { key, params };

  const ask = useCallback(() => {
    const asked = current.current;
    const own = ++turn.current;
    if (asked.params === null) return;
    connection.request(method, asked.params).then(
      value => {
        if (own === turn.current) setAnswer({ key: asked.key, state: { kind: 'ready', value } });
      },
      (error: unknown) => {
        if (own !== turn.current) return;
        const { message, code } =
          error instanceof RequestError ? error : { message: messageOf(error), code: 'internal' };
        setAnswer(before => ({
          key: asked.key,
          state: {
            kind: 'error',
            message,
            code,
            value: before.key === asked.key ? valueOf(before.state) : undefined,
          },
        }));
      },
    );
  }, [connection, method]);

  useLayoutEffect(ask, [ask, key]);
  useEffect(
    () => () => {
      turn.current += 1;
    },
    [],
  );

  const state: Loadable<Value> = answer.key === key ? answer.state : { kind: 'loading' };
  const failedByStore = state.kind === 'error' && state.code === 'store';
  useEffect(() => {
    if (failedByStore && store.kind === 'ready') ask();
    // Only the return of the store is a reason to ask again.
  }, [store.kind]);

  const update = useCallback((change: (value: Value) => Value) => {
    setAnswer(before =>
      before.state.kind === 'ready'
        ? { key: before.key, state: { kind: 'ready', value: change(before.state.value) } }
        : before,
    );
  }, []);
  return { state, reload: ask, update };
}

/** What is there, even while it is asked for again in vain. */
export function valueOf<Value>(state: Loadable<Value>): Value | undefined {
  return state.kind === 'loading' ? undefined : state.value;
}

/** Like `useState`, kept over a reload. What was kept is taken when `isValid` says so. */
export function useKept<Value>(
  name: string,
  initial: Value,
  isValid: (value: unknown) => value is Value,
): [Value, (value: Value | ((before: Value) => Value)) => void] {
  const { connection } = usePage();
  const [value, setValue] = useState<Value>(() => {
    const kept = connection.kept()[name];
    return isValid(kept) ? kept : initial;
  });
  const isFirst = useRef(true);
  useEffect(() => {
    if (isFirst.current) isFirst.current = false;
    else connection.keep(name, value);
  }, [connection, name, value]);
  return [value, setValue];
}

/** Milliseconds by the clock, again every `interval` milliseconds while `isRunning`. */
export function useNow(isRunning: boolean, interval = 1000): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (!isRunning) return;
    setNow(Date.now());
    const timer = setInterval(() => {
      setNow(Date.now());
    }, interval);
    return () => {
      clearInterval(timer);
    };
  }, [isRunning, interval]);
  return now;
}

/** Width of an element in pixels, 0 until it is measured. */
export function useWidth(): [(element: HTMLElement | null) => void, number] {
  const [width, setWidth] = useState(0);
  const [element, setElement] = useState<HTMLElement | null>(null);
  useLayoutEffect(() => {
    if (element === null) return;
    setWidth(element.clientWidth);
    const observer = new ResizeObserver(() => {
      setWidth(element.clientWidth);
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
    };
  }, [element]);
  return [setElement, width];
}

/** Counts up when the theme of the editor changes: for what is drawn with computed colours. */
export function useTheme(): number {
  const [count, setCount] = useState(0);
  useEffect(() => {
    const observer = new MutationObserver(() => {
      setCount(before => before + 1);
    });
    observer.observe(document.body, { attributes: true, attributeFilter: ['class', 'data-vscode-theme-id'] });
    return () => {
      observer.disconnect();
    };
  }, []);
  return count;
}

/** Whether the page fits a media query, for example by its width. */
export function useMedia(query: string): boolean {
  const [matches, setMatches] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const list = matchMedia(query);
    const update = (): void => {
      setMatches(list.matches);
    };
    update();
    list.addEventListener('change', update);
    return () => {
      list.removeEventListener('change', update);
    };
  }, [query]);
  return matches;
}
