import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { ISignal } from '@lumino/signaling';
import * as React from 'react';

import { describeActivity, fractionOf } from '../chat/activity';
import { FailureNotice } from '../failure-notice';
import { Meter } from '../meter';
import { useChanges } from '../use-changes';
import { useWords, Words } from '../words';
import { diffLines, type IDiffLine } from './line-diff';
import type { ProposalModel } from './proposal';
import type { EditKind } from './tasks';

/** Where new code goes. */
export interface ITarget {
  /** The code that is replaced, as it is now; empty where nothing is. */
  readonly source: string;
  /** Emitted when the code is changed meanwhile. */
  readonly changed: ISignal<unknown, unknown>;
  put(code: string): void;
  /** Take the focus, which the proposal had, to what it was about. */
  focus(): void;
}

/**
 * What can have the focus keeps its keys from the notebook, which is in command mode
 * then: two D would delete the cell. An ancestor cannot do it for them, since the
 * notebook's shortcuts are for what has the focus, which is looked at first.
 */
const OWN_KEYS = { 'data-lm-suppress-shortcuts': 'true' };

/** New code for a cell, below the cell, to be accepted or rejected. */
export class ProposalPanel extends ReactWidget {
  constructor(
    private readonly _model: ProposalModel,
    private readonly _target: ITarget,
    private readonly _trans: TranslationBundle
  ) {
    super();
    this.addClass('jp-llm-proposal');
  }

  override dispose(): void {
    this._model.dispose();
    super.dispose();
  }

  protected override render(): React.ReactElement {
    return (
      <Words.Provider value={this._trans}>
        <Proposal
          model={this._model}
          target={this._target}
          onAccept={() => {
            const { code } = this._model;
            this.dispose();
            this._target.put(code);
            this._target.focus();
          }}
          onReject={() => {
            this.dispose();
            this._target.focus();
          }}
        />
      </Words.Provider>
    );
  }
}

interface IProposalProps {
  readonly model: ProposalModel;
  readonly target: ITarget;
  readonly onAccept: () => void;
  readonly onReject: () => void;
}

function Proposal({
  model,
  target,
  onAccept,
  onReject
}: IProposalProps): React.ReactElement {
  const trans = useWords();
  useChanges(model.changed);
  useChanges(target.changed);
  const { activity, failure, code, kind } = model;
  const isDone = activity.state === 'idle';
  const fraction = fractionOf(activity);
  const words = describeActivity(activity, trans);
  const before = target.source;
  return (
    <section
      aria-label={title(kind, trans)}
      aria-busy={!isDone}
      onKeyDown={event => {
        if (event.key === 'Escape') {
          event.stopPropagation();
          onReject();
        }
      }}
    >
      <header>
        <strong>{title(kind, trans)}</strong>
        <span role="status" className="jp-llm-hint">
          {isDone && failure === null ? verdict(before, code, trans) : words}
        </span>
        <button
          {...OWN_KEYS}
          type="button"
          className="jp-llm-button jp-llm-main"
          disabled={!isDone || failure !== null || code === ''}
          onClick={onAccept}
        >
          {trans.__('Accept')}
        </button>
        <button
          {...OWN_KEYS}
          type="button"
          className="jp-llm-button"
          onClick={onReject}
        >
          {isDone ? trans.__('Reject') : trans.__('Stop')}
        </button>
      </header>
      {fraction !== null && <Meter label={words} fraction={fraction} />}
      {failure && <FailureNotice failure={failure} />}
      {code !== '' && <Diff lines={linesOf(before, code, isDone)} />}
    </section>
  );
}

/** While the code is written, the lines to come do not count as removed. */
function linesOf(before: string, code: string, isDone: boolean): IDiffLine[] {
  const lines =
    before === ''
      ? code.split('\n').map(text => ({ kind: 'added' as const, text }))
      : diffLines(before, code);
  const last = lines.map(({ kind }) => kind !== 'removed').lastIndexOf(true);
  return isDone ? lines : lines.slice(0, last + 1);
}

const MARKS = { same: ' ', removed: '-', added: '+' } as const;

function Diff({
  lines
}: {
  readonly lines: readonly IDiffLine[];
}): React.ReactElement {
  return (
    <pre {...OWN_KEYS} className="jp-llm-diff" tabIndex={0}>
      {lines.map(({ kind, text }, index) => (
        <div key={index} data-kind={kind}>
          {`${MARKS[kind]} ${text}`}
        </div>
      ))}
    </pre>
  );
}

function verdict(
  before: string,
  code: string,
  trans: TranslationBundle
): string {
  if (code === '') {
    return trans.__('The model wrote no code.');
  }
  return before === code ? trans.__('Nothing to change.') : trans.__('Ready.');
}

function title(kind: EditKind, trans: TranslationBundle): string {
  switch (kind) {
    case 'fix':
      return trans.__('Fix');
    case 'refactor':
      return trans.__('Refactoring');
    case 'comment':
      return trans.__('Comments');
    case 'test':
      return trans.__('Test');
  }
}
