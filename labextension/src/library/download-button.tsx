import { downloadIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import { FailureNotice } from '../failure-notice';
import { IconButton } from '../icon-button';
import { useFocusBack } from '../use-focus-back';
import { useWords } from '../words';
import { DOWNLOAD_FORM, type LibraryModel } from './model';

interface IDownloadButtonProps {
  readonly model: LibraryModel;
}

/** Opens and closes the form that asks for a model from a hub. */
export function DownloadButton({
  model
}: IDownloadButtonProps): React.ReactElement {
  const trans = useWords();
  const [isOpen, setOpen] = React.useState(false);
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
        <DownloadForm
          model={model}
          onClose={() => {
            setOpen(false);
          }}
        />
      )}
    </>
  );
}

interface IDownloadFormProps extends IDownloadButtonProps {
  readonly onClose: () => void;
}

function DownloadForm({
  model,
  onClose
}: IDownloadFormProps): React.ReactElement {
  const trans = useWords();
  const [reference, setReference] = React.useState('');
  const form = useFocusBack();
  const hint = React.useId();
  const problem = model.problems.get(DOWNLOAD_FORM);
  const isPending = model.isPending(DOWNLOAD_FORM);
  return (
    <form
      ref={form}
      className="jp-llm-form"
      aria-label={trans.__('Download a model')}
      data-lm-suppress-shortcuts="true"
      onSubmit={event => {
        event.preventDefault();
        if (!isPending) {
          void submit();
        }
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
          disabled={reference.trim() === ''}
          // A button that is disabled loses the focus.
          aria-disabled={isPending}
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
  );

  async function submit(): Promise<void> {
    if (await model.download(reference.trim())) {
      onClose();
    }
  }
}
