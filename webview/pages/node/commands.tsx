/** What a task does: every command with its settings, its code, and the exact shell command. */
import { type ComponentChildren, Fragment } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import { plural } from '../../../runner/format.ts';
import type { DocItem } from '../../../runner/model.ts';
import type { CommandDocsRecord, NodeRunRecord } from '../../../runner/records.ts';
import type { PageNode } from '../../messages.ts';
import { useAction, usePage, usePushed, useRequest } from '../../page.ts';
import { Tool } from '../../parts/buttons.tsx';
import { CodeBlock, type CodeFault } from '../../parts/code-block.tsx';
import { FileLink } from '../../parts/links.tsx';
import { Section } from '../../parts/page-frame.tsx';
import { Loaded, PageState, Untrusted } from '../../parts/page-states.tsx';
import { Tabs } from '../../parts/tabs.tsx';
import { type CodeLanguage, tokenize } from '../../parts/tokens.ts';
import { arrangeDocs, type DocPart, faultIn, replacementMarks } from './command-docs.ts';

export function Commands({ node, last }: { node: PageNode; last: NodeRunRecord | null }) {
  const { trusted } = usePage();
  const docs = useRequest('taskDocs', trusted ? { path: node.path } : null);
  usePushed('graph', docs.reload);
  const error = last?.status === 'failed' ? last.error : null;
  if (!trusted)
    return (
      <Section id="commands" title="Commands" note={noteOf(node.commands?.length)}>
        <Untrusted what="Millrace shows commands as they would run" />
        {(node.commands ?? []).map(({ kind, summary }, index) => (
          <Command key={index} number={index + 1} title={kind}>
            {summary === undefined ? null : <Shell item={{ label: 'as the file says', value: summary }} />}
          </Command>
        ))}
      </Section>
    );
  if (node.kind === 'parallel')
    return (
      <Loaded state={docs.state} what="what the task does" onRetry={docs.reload}>
        {({ commands, parallel }) =>
          parallel === null ? (
            <Section id="commands" title="Commands">
              <CommandList commands={commands} error={error} />
            </Section>
          ) : (
            <>
              <Section id="commands-before" title="Before" note={noteOf(parallel.before.length)}>
                <CommandList commands={parallel.before} error={error} />
              </Section>
              <Section id="creation" title="Sub-task creation" note="when its turn comes">
                <Parts parts={arrangeDocs(parallel.creation)} error={error} />
              </Section>
              <Section id="commands-after" title="After" note={noteOf(parallel.after.length)}>
                <CommandList commands={parallel.after} error={error} />
              </Section>
            </>
          )
        }
      </Loaded>
    );
  const count = docs.state.kind === 'ready' ? docs.state.value.commands?.length : node.commands?.length;
  return (
    <Section id="commands" title="Commands" note={noteOf(count)}>
      <Loaded state={docs.state} what="the commands" onRetry={docs.reload}>
        {({ commands }) => <CommandList commands={commands} error={error} />}
      </Loaded>
    </Section>
  );
}

function noteOf(count: number | undefined): string | undefined {
  if (count === undefined || count === 0) return undefined;
  return count > 1 ? `${String(count)}, one after the other` : plural(count, 'command');
}

function CommandList({
  commands,
  error,
}: {
  commands: readonly CommandDocsRecord[] | null;
  error: string | null;
}) {
  if (commands === null)
    return (
      <PageState
        icon="symbol-function"
        title="Computed when the task runs"
        detail="The task makes its commands by a function; what it made is in the output of a run."
      />
    );
  if (commands.length === 0) return <p class="dim">Nothing.</p>;
  return (
    <>
      {commands.map(({ kind, items }, index) => (
        <Command key={index} number={commands.length > 1 ? index + 1 : null} title={kind}>
          <Parts parts={arrangeDocs(items)} error={error} />
        </Command>
      ))}
    </>
  );
}

function Command({
  number,
  title,
  children,
}: {
  number: number | null;
  title: string;
  children: ComponentChildren;
}) {
  return (
    <article class={`command${number === null ? '' : ' numbered'}`}>
      <h3>
        {number === null ? null : <span class="command-number">{number}</span>}
        {title}
      </h3>
      {children}
    </article>
  );
}

function Parts({ parts, error }: { parts: readonly DocPart[]; error: string | null }) {
  const files = parts.flatMap(part =>
    part.kind === 'settings'
      ? part.items.filter(({ language }) => language === 'file').map(({ value }) => value)
      : [],
  );
  const fault = faultIn(error, files.length > 0 ? files : ['sql']);
  return (
    <>
      {parts.map((part, index) => {
        switch (part.kind) {
          case 'settings':
            return <Settings key={index} items={part.items} />;
          case 'shell':
            return <Shell key={index} item={part.item} />;
          case 'code':
            return <Code key={index} item={part.item} fault={fault} />;
          case 'replaced':
            return <Replaced key={index} before={part.before} after={part.after} fault={fault} />;
        }
      })}
    </>
  );
}

function Settings({ items }: { items: readonly DocItem[] }) {
  return (
    <dl class="settings">
      {items.map(({ label, value, language }, index) => (
        <Fragment key={index}>
          <dt>{items[index - 1]?.label === label ? '' : label}</dt>
          <dd>
            {language === 'file' ? (
              <FileLink file={value} />
            ) : (
              <code>
                <Coloured text={value} language={languageOf(language)} />
              </code>
            )}
          </dd>
        </Fragment>
      ))}
    </dl>
  );
}

function Shell({ item: { label, value } }: { item: DocItem }) {
  return (
    <>
      <div class="code-caption">{label === 'command' ? 'Shell command' : label}</div>
      <div class="shell">
        <code>
          <Coloured text={value} language="bash" />
        </code>
        <CopyTool text={value} />
      </div>
    </>
  );
}

function Code({ item, fault }: { item: DocItem; fault: CodeFault | null }) {
  const language = languageOf(item.language);
  return (
    <>
      <div class="code-caption toolbar">
        {item.label}
        <span class="grow" />
        <CodeTools text={item.value} language={language} />
      </div>
      <CodeBlock
        label={item.label}
        code={item.value}
        language={language}
        fault={language === 'sql' ? fault : null}
      />
    </>
  );
}

function Replaced({ before, after, fault }: { before: DocItem; after: DocItem; fault: CodeFault | null }) {
  const [tab, setTab] = useState('after');
  const shown = tab === 'after' ? after : before;
  const language = languageOf(shown.language);
  const marks = useMemo(() => replacementMarks(before.value, after.value), [before.value, after.value]);
  // The column is that in the file; after a replacement in the line it may be another one.
  const isMoved = fault !== null && marks.has(fault.line);
  const shownFault = tab === 'after' && isMoved ? { line: fault.line, message: fault.message } : fault;
  return (
    <Tabs
      label={before.label}
      tabs={[
        { id: 'after', title: 'After replacement' },
        { id: 'before', title: 'As in the file' },
      ]}
      selected={tab}
      onSelect={setTab}
      tools={<CodeTools text={shown.value} language={language} />}
    >
      <CodeBlock
        label={shown.label}
        code={shown.value}
        language={language}
        fault={shownFault}
        {...(tab === 'after' ? { marks } : {})}
      />
    </Tabs>
  );
}

function CodeTools({ text, language }: { text: string; language: CodeLanguage }) {
  const act = useAction();
  return (
    <>
      <Tool
        icon="link-external"
        label="Open as a document"
        onPress={() => {
          act({ kind: 'openText', language: language === 'bash' ? 'shellscript' : language, text });
        }}
      />
      <CopyTool text={text} />
    </>
  );
}

function CopyTool({ text }: { text: string }) {
  const act = useAction();
  return (
    <Tool
      icon="copy"
      label="Copy"
      onPress={() => {
        act({ kind: 'copy', text });
      }}
    />
  );
}

function Coloured({ text, language }: { text: string; language: CodeLanguage }) {
  return (
    <>
      {tokenize(text, language).map(({ kind, text: part }, index) =>
        kind === 'plain' ? (
          part
        ) : (
          <span key={index} class={`token-${kind}`}>
            {part}
          </span>
        ),
      )}
    </>
  );
}

function languageOf(language: DocItem['language']): CodeLanguage {
  return language === undefined || language === 'file' ? 'text' : language;
}
