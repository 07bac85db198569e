/** axe-core, run inside a frame: in a webview, in a page of its own, or in a part of the workbench. */
import assert from 'node:assert/strict';
import axe from 'axe-core';
import type { AxeResults, ImpactValue } from 'axe-core';
import type { Frame, Page } from 'playwright-core';

export interface Violation {
  readonly rule: string;
  readonly impact: ImpactValue;
  readonly help: string;
  /** Where, as selectors, with what is wrong there. */
  readonly places: readonly string[];
}

/** What axe finds wrong below `selector`. The policy of a page does not stop it: it comes through the debugger. */
export async function accessibilityViolations(
  frame: Frame | Page,
  selector = 'body',
): Promise<readonly Violation[]> {
  await frame.evaluate(axe.source);
  const { violations } = await frame.evaluate(async root => {
    const { axe: inPage } = globalThis as unknown as {
      axe: { run(context: string, options: object): Promise<AxeResults> };
    };
    return await inPage.run(root, { resultTypes: ['violations'] });
  }, selector);
  return violations.map(({ id, impact, help, nodes }) => ({
    rule: id,
    impact: impact ?? null,
    help,
    places: nodes.map(node => `${node.target.join(' ')}: ${node.failureSummary ?? ''}`),
  }));
}

/** Fails with everything that axe finds. */
export async function checkAccessibility(frame: Frame | Page, selector?: string): Promise<void> {
  const violations = await accessibilityViolations(frame, selector);
  const text = violations.map(
    ({ rule, impact, help, places }) =>
      `${rule} (${impact ?? 'unknown'}): ${help}\n    ${places.join('\n    ')}`,
  );
  assert.equal(text.join('\n'), '', 'axe finds violations');
}
