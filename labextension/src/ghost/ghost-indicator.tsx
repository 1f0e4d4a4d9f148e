import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import * as React from 'react';

import { whatFailed } from '../failure';
import type { GhostModel, GhostState } from './model';

/** Shows in the status bar what suggestions are up to; switches them on and off. */
export class GhostIndicator extends ReactWidget {
  constructor(
    private readonly _model: GhostModel,
    private readonly _trans: TranslationBundle,
    private readonly _toggle: () => void
  ) {
    super();
  }

  protected override render(): React.ReactElement {
    return (
      <UseSignal signal={this._model.changed}>
        {() => {
          const { state } = this._model;
          const sentence = describe(state, this._trans);
          return (
            <button
              type="button"
              className="jp-llm-status"
              data-ghost={state.state}
              title={sentence}
              aria-label={sentence}
              onClick={this._toggle}
            >
              {label(state, this._trans)}
            </button>
          );
        }}
      </UseSignal>
    );
  }
}

function label({ state }: GhostState, trans: TranslationBundle): string {
  switch (state) {
    case 'off':
      return trans.__('Ghost: off');
    case 'no-model':
      return trans.__('Ghost: no model');
    case 'idle':
      return trans.__('Ghost: on');
    case 'thinking':
      return trans.__('Ghost: …');
    case 'failed':
      return trans.__('Ghost: failed');
  }
}

function describe(state: GhostState, trans: TranslationBundle): string {
  switch (state.state) {
    case 'off':
      return trans.__(
        'No text is suggested at the cursor. Press to change that.'
      );
    case 'no-model':
      return trans.__(
        'No text is suggested: no model is loaded that fills in the middle and is fast enough. Press to change that.'
      );
    case 'idle':
      return trans.__('%1 suggests text at the cursor.', state.model);
    case 'thinking':
      return trans.__('%1 is about to suggest text.', state.model);
    case 'failed':
      return whatFailed(state.failure, trans);
  }
}
