/** The frame of every page: where one is, its title, what can be done, and sections. */
import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import { formatPath, type NodePath } from '../../runner/model.ts';
import { usePage } from '../page.ts';
import { ErrorBoundary } from './error-boundary.tsx';
import { Icon } from './icon.tsx';
import { ActionLink, NodeLink } from './links.tsx';

export function PageFrame({
  breadcrumbs,
  icon,
  title,
  actions,
  description,
  facts,
  children,
}: {
  /** The way down to what is shown; see {@link nodeBreadcrumbs}. */
  breadcrumbs: readonly ComponentChildren[];
  icon: ComponentChildren;
  title: string;
  actions?: ComponentChildren;
  description?: ComponentChildren;
  /** What is to know at a glance, one element each. */
  facts?: ComponentChildren;
  children: ComponentChildren;
}) {
  useEffect(() => {
    document.title = title;
  }, [title]);
  return (
    <main class="page">
      <nav aria-label="Breadcrumbs">
        <ol class="breadcrumbs">
          {breadcrumbs.map((crumb, index) => (
            <li key={index}>
              {index === 0 ? null : <Icon name="chevron-right" size="small" />}
              {crumb}
            </li>
          ))}
        </ol>
      </nav>
      <header class="page-head">
        <h1>
          {icon}
          <span>{title}</span>
        </h1>
        {actions === undefined ? <span /> : <div class="actions">{actions}</div>}
        {description === undefined || description === '' ? null : <p class="description">{description}</p>}
        {facts === undefined ? null : <div class="facts">{facts}</div>}
      </header>
      {children}
    </main>
  );
}

/** `Pipelines > a > b`, each a link. */
export function nodeBreadcrumbs(path: NodePath): readonly ComponentChildren[] {
  return [
    <ActionLink key="" action={{ kind: 'showPipelines' }} title="Show the side bar">
      Pipelines
    </ActionLink>,
    ...path.map((id, index) => {
      const here = path.slice(0, index + 1);
      return index === path.length - 1 ? (
        <span key={formatPath(here)} aria-current="page">
          {id}
        </span>
      ) : (
        <NodeLink key={formatPath(here)} path={here} />
      );
    }),
  ];
}

/** A part of a page with a title, a note and tools in its line. What fails in it leaves the rest alone. */
export function Section({
  id,
  title,
  note,
  tools,
  children,
}: {
  id: string;
  title: string;
  note?: ComponentChildren;
  tools?: ComponentChildren;
  children: ComponentChildren;
}) {
  const { connection } = usePage();
  return (
    <section aria-labelledby={`${id}-title`} id={id}>
      <div class="section-head">
        <h2 id={`${id}-title`}>{title}</h2>
        {note === undefined ? null : <span class="note">{note}</span>}
        {tools === undefined ? null : (
          <div class="toolbar" role="group" aria-label={`Tools for ${title}`}>
            {tools}
          </div>
        )}
      </div>
      <ErrorBoundary connection={connection} what={`“${title}”`}>
        {children}
      </ErrorBoundary>
    </section>
  );
}
