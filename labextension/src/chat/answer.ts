import type { IAttachment, IMessage, IToolCall, ReplyPart } from '../api/types';

/** A question that the server has not confirmed yet. */
export function aQuestion(
  content: string,
  attachments: readonly IAttachment[]
): IMessage {
  return { ...EMPTY, role: 'user', content, attachments };
}

/** An answer of which nothing is there yet. */
export function anAnswer(id: string, model: string | null): IMessage {
  return { ...EMPTY, id, model };
}

/** Return a message with what a stream adds to it. */
export function grow(message: IMessage, part: ReplyPart): IMessage {
  switch (part.kind) {
    case 'text':
      return { ...message, content: message.content + part.text };
    case 'reasoning':
      return { ...message, reasoning: message.reasoning + part.text };
    case 'tool':
      return { ...message, toolCalls: growCalls(message.toolCalls, part) };
    case 'finished':
      return { ...message, finishReason: part.reason };
    case 'usage':
      return { ...message, usage: part.usage };
    case 'timings':
      return { ...message, timings: part.timings };
    case 'step':
      return part.step.kind === 'rerouted'
        ? { ...message, model: part.step.model }
        : message;
    case 'begun':
      return message;
  }
}

/** Whether nothing of an answer is there to be read. */
export function isEmpty(message: IMessage): boolean {
  const { content, reasoning, toolCalls } = message;
  return content === '' && reasoning === '' && toolCalls.length === 0;
}

const EMPTY: IMessage = {
  id: '',
  role: 'assistant',
  content: '',
  reasoning: '',
  toolCalls: [],
  attachments: [],
  model: null,
  usage: null,
  timings: null,
  finishReason: null
};

function growCalls(
  calls: readonly IToolCall[],
  part: Extract<ReplyPart, { kind: 'tool' }>
): readonly IToolCall[] {
  const old = calls[part.index] ?? { id: '', name: '', arguments: '' };
  const call: IToolCall = {
    id: old.id + part.id,
    name: old.name + part.name,
    arguments: old.arguments + part.arguments
  };
  return [...calls.slice(0, part.index), call, ...calls.slice(part.index + 1)];
}
