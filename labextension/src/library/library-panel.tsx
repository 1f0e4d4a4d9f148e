import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import * as React from 'react';

import { FailureNotice } from '../failure-notice';
import { useChanges } from '../use-changes';
import { useWords, Words } from '../words';
import { DeviceList } from './device-list';
import { DownloadButton } from './download-button';
import { DownloadRow } from './download-row';
import { groupModels } from './groups';
import type { LibraryModel } from './model';
import { ModelList } from './model-list';

/** The Models panel. Its model runs while the panel can be seen. */
export class LibraryPanel extends ReactWidget {
  constructor(
    readonly model: LibraryModel,
    private readonly _trans: TranslationBundle
  ) {
    super();
    this.addClass('jp-llm-library');
  }

  override dispose(): void {
    this.model.dispose();
    super.dispose();
  }

  protected override render(): React.ReactElement {
    return (
      <Words.Provider value={this._trans}>
        <Library model={this.model} />
      </Words.Provider>
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

interface ILibraryProps {
  readonly model: LibraryModel;
}

function Library({ model }: ILibraryProps): React.ReactElement {
  const trans = useWords();
  useChanges(model.changed);
  const { connection, models, downloads, machine } = model;
  const groups = groupModels(models, model.filter);
  return (
    <>
      <header className="jp-llm-library-head">
        <input
          type="search"
          className="jp-llm-input"
          placeholder={trans.__('Search models')}
          aria-label={trans.__('Search models')}
          data-lm-suppress-shortcuts="true"
          value={model.filter}
          onChange={event => {
            model.filter = event.target.value;
          }}
        />
        <DownloadButton model={model} />
      </header>
      {connection.state === 'offline' && (
        <FailureNotice
          failure={connection.failure}
          isRetried
          onRetry={() => {
            model.retry();
          }}
        />
      )}
      {machine?.problem && (
        <div className="jp-llm-notice" role="alert">
          {machine.problem}
        </div>
      )}
      <div className="jp-llm-library-list">
        {downloads.length > 0 && (
          <section>
            <h2>{trans.__('Downloads')}</h2>
            <ul>
              {downloads.map(download => (
                <DownloadRow
                  key={download.id}
                  download={download}
                  model={model}
                />
              ))}
            </ul>
          </section>
        )}
        {groups.length > 0 ? (
          <ModelList groups={groups} model={model} />
        ) : (
          <Emptiness model={model} />
        )}
      </div>
      {machine !== null && <DeviceList devices={machine.devices} />}
    </>
  );
}

/** What stands in for the list where there is none. */
function Emptiness({ model }: ILibraryProps): React.ReactElement | null {
  const trans = useWords();
  const words = (): string | null => {
    if (model.connection.state === 'connecting') {
      return trans.__('Asking the server for its models…');
    }
    if (model.models.length > 0) {
      return trans.__('No model has “%1” in its name.', model.filter);
    }
    return model.connection.state === 'live'
      ? trans.__(
          'There is no model yet. Download one above, or put a GGUF file into the server’s model folder.'
        )
      : null;
  };
  return <p className="jp-llm-emptiness">{words()}</p>;
}
