/** What is shown when a part of a page cannot be drawn: never nothing. */
import { Component, type ComponentChildren } from 'preact';
import { type Connection, messageOf } from '../connection.ts';
import { Failure } from './page-states.tsx';

interface Props {
  readonly connection: Connection;
  /** What could not be drawn, as in `the graph`; default: the page. */
  readonly what?: string;
  readonly children: ComponentChildren;
}

export class ErrorBoundary extends Component<Props, { readonly error: unknown }> {
  override state: { readonly error: unknown } = { error: undefined };

  static override getDerivedStateFromError(error: unknown): { readonly error: unknown } {
    return { error: error ?? 'unknown' };
  }

  override componentDidCatch(error: unknown): void {
    this.props.connection.fault(error);
  }

  override render() {
    const { error } = this.state;
    if (error === undefined) return this.props.children;
    const { what = 'the page', connection } = this.props;
    return (
      <Failure
        title={`Millrace could not draw ${what}`}
        detail={messageOf(error)}
        actions={[
          {
            title: 'Try again',
            run: () => {
              this.setState({ error: undefined });
            },
          },
          {
            title: 'Show log',
            run: () => {
              connection.act({ kind: 'showLog' });
            },
          },
        ]}
      />
    );
  }
}
