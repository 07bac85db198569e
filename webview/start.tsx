/** Starts a page: the one thing that its main.tsx does. */
import { type ComponentChildren, type FunctionComponent, render } from 'preact';
import { useLayoutEffect, useState } from 'preact/hooks';
import { Connection, type Host } from './connection.ts';
import type { PageSubject } from './messages.ts';
import { PageContext, type PageEnvironment } from './page.ts';
import { ErrorBoundary } from './parts/error-boundary.tsx';
import { Loading } from './parts/page-states.tsx';

declare function acquireVsCodeApi(): Host;

/** Renders `Content` into the page as soon as the extension has said what to show, and again for each new subject. */
export function startPage(Content: FunctionComponent): void {
  const connection = new Connection(acquireVsCodeApi());
  window.addEventListener('message', event => {
    connection.receive(event.data);
  });
  // What no part of a page could catch is for the log; the page goes on.
  window.addEventListener('unhandledrejection', event => {
    connection.fault(event.reason);
  });
  const root = document.getElementById('page');
  if (root === null) throw new Error('the document of the page has no element with the id "page"');
  render(
    <Page connection={connection}>
      <Content />
    </Page>,
    root,
  );
}

function Page({ connection, children }: { connection: Connection; children: ComponentChildren }) {
  const [environment, setEnvironment] = useState<PageEnvironment | null>(null);
  useLayoutEffect(() => {
    const ends = [
      connection.on('open', ({ subject, trusted, store }) => {
        connection.keep('subject', subject);
        setEnvironment({ connection, subject, trusted, store });
      }),
      connection.on('store', ({ state }) => {
        setEnvironment(before => (before === null ? null : { ...before, store: state }));
      }),
    ];
    connection.ready(keptSubject(connection));
    return () => {
      for (const end of ends) end();
    };
  }, [connection]);
  if (environment === null)
    return (
      <main class="page">
        <Loading what="Millrace" />
      </main>
    );
  return (
    <PageContext.Provider value={environment}>
      <ErrorBoundary key={JSON.stringify(environment.subject)} connection={connection}>
        {children}
      </ErrorBoundary>
    </PageContext.Provider>
  );
}

function keptSubject(connection: Connection): PageSubject | null {
  const subject = connection.kept()['subject'];
  const isSubject =
    typeof subject === 'object' && subject !== null && 'page' in subject && 'folder' in subject;
  // It was kept by this page; the extension checks it once more.
  return isSubject ? (subject as PageSubject) : null;
}
