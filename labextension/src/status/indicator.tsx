import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import * as React from 'react';

import type { StatusModel } from './model';
import { isPassing, type Status } from './summary';
import { describe } from './text';

/** The status bar item. Its model runs while the item can be seen. */
export class StatusIndicator extends ReactWidget {
  constructor(
    readonly model: StatusModel,
    private readonly _trans: TranslationBundle,
    private readonly _open: () => void
  ) {
    super();
  }

  protected override render(): React.ReactElement {
    return (
      <UseSignal signal={this.model.stateChanged}>
        {() => (
          <Indicator
            status={this.model.status}
            trans={this._trans}
            open={this._open}
          />
        )}
      </UseSignal>
    );
  }

  protected override onAfterAttach(msg: Message): void {
    super.onAfterAttach(msg);
    if (this.isVisible) {
      this.model.start();
    }
  }

  protected override onAfterShow(msg: Message): void {
    super.onAfterShow(msg);
    this.model.start();
  }

  protected override onBeforeHide(msg: Message): void {
    super.onBeforeHide(msg);
    this.model.stop();
  }

  protected override onBeforeDetach(msg: Message): void {
    super.onBeforeDetach(msg);
    this.model.stop();
  }
}

interface IIndicatorProps {
  readonly status: Status;
  readonly trans: TranslationBundle;
  readonly open: () => void;
}

function Indicator({
  status,
  trans,
  open
}: IIndicatorProps): React.ReactElement {
  const { label, sentence, tooltip } = describe(status, trans);
  return (
    <>
      <button
        type="button"
        className="jp-llm-status"
        aria-label={trans.__('%1 Open the models.', sentence)}
        title={tooltip}
        data-state={status.state}
        data-model={'model' in status ? status.model.id : undefined}
        onClick={open}
      >
        <span className="jp-llm-dot" aria-hidden="true" />
        <span>{label}</span>
      </button>
      <span
        className="jp-llm-unseen"
        role="status"
        // Keeps a screen reader from reading out every percent: what it hears is
        // the state that is reached in the end.
        aria-busy={isPassing(status)}
      >
        {sentence}
      </span>
    </>
  );
}
