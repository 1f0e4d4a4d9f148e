import * as React from 'react';

import { useWords } from '../words';

interface IQuestionEditorProps {
  readonly text: string;
  readonly isBusy: boolean;
  readonly onSend: (text: string) => void;
  readonly onCancel: () => void;
}

/** Changes a question that was asked. */
export function QuestionEditor({
  text,
  isBusy,
  onSend,
  onCancel
}: IQuestionEditorProps): React.ReactElement {
  const trans = useWords();
  const [draft, setDraft] = React.useState(text);
  return (
    <form
      className="jp-llm-form"
      data-lm-suppress-shortcuts="true"
      onSubmit={event => {
        event.preventDefault();
        onSend(draft);
      }}
      onKeyDown={event => {
        if (event.key === 'Escape' && !event.nativeEvent.isComposing) {
          onCancel();
        }
      }}
    >
      <textarea
        className="jp-llm-input"
        aria-label={trans.__('Question')}
        autoFocus
        rows={Math.min(12, draft.split('\n').length + 1)}
        value={draft}
        onChange={({ target }) => {
          setDraft(target.value);
        }}
      />
      <div className="jp-llm-form-buttons">
        <button type="button" className="jp-llm-button" onClick={onCancel}>
          {trans.__('Cancel')}
        </button>
        <button
          type="submit"
          className="jp-llm-button jp-llm-main"
          disabled={isBusy || draft.trim() === ''}
        >
          {trans.__('Send')}
        </button>
      </div>
    </form>
  );
}
