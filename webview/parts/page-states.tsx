/** What stands where there is nothing to show (yet): what is going on, or what is wrong and what helps. */
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { type Loadable, useAction, usePage } from '../page.ts';
import { Button } from './buttons.tsx';
import { Icon } from './icon.tsx';

export interface StateAction {
  readonly title: string;
  readonly run: () => void;
}

/** A state of a page or of a part of it. */
export function PageState({
  icon,
  state,
  title,
  detail,
  actions = [],
  role,
  children,
}: {
  icon: string;
  /** Gives the icon its colour. */
  state?: 'failed' | 'waiting' | 'running';
  title: string;
  /** Of an alert, what somebody else has said, as it is. */
  detail?: string | undefined;
  actions?: readonly StateAction[];
  role?: 'status' | 'alert';
  children?: ComponentChildren;
}) {
  return (
    <div class="page-state" role={role}>
      <Icon name={icon} class={state === undefined ? undefined : `coloured state-${state}`} />
      <div class="content">
        <strong>{title}</strong>
        {detail === undefined || detail === '' ? null : role === 'alert' ? (
          <pre>{detail}</pre>
        ) : (
          <p class="dim">{detail}</p>
        )}
        {children}
        {actions.length === 0 ? null : (
          <div class="actions">
            {actions.map(({ title: action, run }) => (
              <Button key={action} onPress={run}>
                {action}
              </Button>
            ))}
          </div>
        )}
      </div>
    </div>
  );
}

/** While something is on its way; says so only when it takes time, and then for how long. */
export function Loading({ what }: { what: string }) {
  const [seconds, setSeconds] = useState(0);
  useEffect(() => {
    const start = performance.now();
    const timer = setInterval(() => {
      setSeconds(Math.floor((performance.now() - start) / 1000));
    }, 1000);
    return () => {
      clearInterval(timer);
    };
  }, []);
  return (
    <PageState
      icon="loading~spin"
      title={seconds < 5 ? `Loading ${what}…` : `Still waiting for ${what} (${String(seconds)} s)`}
      role="status"
    />
  );
}

export function Failure({
  title,
  detail,
  actions,
}: {
  title: string;
  detail?: string | undefined;
  actions?: readonly StateAction[];
}) {
  return (
    <PageState
      icon="error"
      state="failed"
      title={title}
      detail={detail}
      role="alert"
      {...(actions === undefined ? {} : { actions })}
    />
  );
}

/** The store could not be reached: what the driver said, and what helps. */
export function StoreAway({ message, detail }: { message: string; detail?: string }) {
  const act = useAction();
  return (
    <PageState
      icon="database"
      state="waiting"
      title={message}
      detail={detail}
      role="alert"
      actions={[
        {
          title: 'Try again',
          run: () => {
            act({ kind: 'retryStore' });
          },
        },
        {
          title: 'Store settings',
          run: () => {
            act({ kind: 'storeSettings' });
          },
        },
        {
          title: 'Show log',
          run: () => {
            act({ kind: 'showLog' });
          },
        },
      ]}
    />
  );
}

/** Nothing of the project is executed in a folder that is not trusted. */
export function Untrusted({ what }: { what: string }) {
  const act = useAction();
  return (
    <PageState
      icon="workspace-untrusted"
      state="waiting"
      title={`${what} only in a trusted folder`}
      detail="Millrace executes nothing of a project that is not trusted. Its pipelines and its history can be looked at."
      actions={[
        {
          title: 'Manage workspace trust',
          run: () => {
            act({ kind: 'manageTrust' });
          },
        },
      ]}
    />
  );
}

/** What is shown stays; this says why it may not be how it stands. */
export function Outdated({
  problem,
  onRetry,
}: {
  problem: { readonly message: string; readonly code: string };
  onRetry: () => void;
}) {
  const act = useAction();
  const isGone = problem.code === 'notFound';
  return (
    <div class="banner state-waiting" role="alert">
      <Icon name={isGone ? 'trash' : 'database'} class="coloured" />
      <span class="text">
        <strong>{problem.message}</strong>{' '}
        {isGone ? 'What this page had read is still here.' : 'This page shows how it stood before.'}
      </span>
      {isGone ? (
        <Button
          onPress={() => {
            act({ kind: 'openHistory' });
          }}
        >
          Open run history
        </Button>
      ) : (
        <>
          <Button
            onPress={() => {
              if (problem.code === 'store') act({ kind: 'retryStore' });
              onRetry();
            }}
          >
            Try again
          </Button>
          <Button
            onPress={() => {
              act({ kind: 'showLog' });
            }}
          >
            Show log
          </Button>
        </>
      )}
    </div>
  );
}

/**
 * Shows what was asked for when it is there, and else why it is not. What was there before stays, with the error above
 * it.
 */
export function Loaded<Value>({
  state,
  what,
  onRetry,
  children,
}: {
  state: Loadable<Value>;
  /** As in `the runs`. */
  what: string;
  onRetry: () => void;
  children: (value: Value) => ComponentChildren;
}) {
  const { store } = usePage();
  switch (state.kind) {
    case 'loading':
      return <Loading what={what} />;
    case 'ready':
      return <>{children(state.value)}</>;
    case 'error': {
      const failure =
        state.code === 'store' ? (
          <StoreAway
            message={state.message}
            {...(store.kind === 'unreachable' ? { detail: store.detail } : {})}
          />
        ) : state.code === 'untrusted' ? (
          <Untrusted what={`Millrace shows ${what}`} />
        ) : (
          <Failure
            title={`Millrace could not get ${what}`}
            detail={state.message}
            actions={[{ title: 'Try again', run: onRetry }]}
          />
        );
      return state.value === undefined ? (
        failure
      ) : (
        <>
          {failure}
          {children(state.value)}
        </>
      );
    }
  }
}
