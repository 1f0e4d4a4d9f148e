import { downloadIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import { FailureNotice } from '../failure-notice';
import { IconButton } from '../icon-button';
import { useWords } from '../words';
import { DOWNLOAD_FORM, type LibraryModel } from './model';

/** Asks for a model from a hub. */
export function DownloadForm({
  model
}: {
  readonly model: LibraryModel;
}): React.ReactElement {
  const trans = useWords();
  const [isOpen, setOpen] = React.useState(false);
  const [reference, setReference] = React.useState('');
  const problem = model.problems.get(DOWNLOAD_FORM);
  const hint = React.useId();
  return (
    <>
      <IconButton
        icon={downloadIcon}
        label={trans.__('Download a model')}
        expanded={isOpen}
        onClick={() => {
          setOpen(!isOpen);
        }}
      />
      {isOpen && (
        <form
          className="jp-llm-form"
          aria-label={trans.__('Download a model')}
          data-lm-suppress-shortcuts="true"
          onSubmit={event => {
            event.preventDefault();
            void submit();
          }}
        >
          <input
            className="jp-llm-input"
            aria-label={trans.__('Model to download')}
            aria-describedby={hint}
            placeholder="hf:org/repo:Q4_K_M"
            autoFocus
            value={reference}
            onChange={({ target }) => {
              setReference(target.value);
            }}
          />
          <p id={hint} className="jp-llm-hint">
            {trans.__(
              'A repository of the Hugging Face hub with GGUF files, or a known name such as qwen3:0.6b.'
            )}
          </p>
          <div className="jp-llm-form-buttons">
            <button
              type="submit"
              className="jp-llm-button jp-llm-main"
              disabled={
                reference.trim() === '' || model.isPending(DOWNLOAD_FORM)
              }
            >
              {trans.__('Download')}
            </button>
          </div>
          {problem && (
            <FailureNotice
              failure={problem}
              onClose={() => {
                model.dismiss(DOWNLOAD_FORM);
              }}
            />
          )}
        </form>
      )}
    </>
  );

  async function submit(): Promise<void> {
    if (await model.download(reference.trim())) {
      setReference('');
      setOpen(false);
    }
  }
}
