import { readMessage, readTimings, readUsage } from './message';
import { readProgress } from './model-info';
import { isRecord, number, text } from './read';
import { ApiError, messageOf, parseJson } from './request';
import type { IServerEvent } from './sse';
import type { ReplyPart, Step } from './types';

/**
 * What an event of an answer's stream adds: OpenAI's chunks, and our own events.
 *
 * Throws `ApiError` for an error.
 */
export function readParts({ name, data }: IServerEvent): ReplyPart[] {
  const body = parseJson(data);
  if (!isRecord(body)) {
    return [];
  }
  if (name === 'error' || isRecord(body['error'])) {
    throw new ApiError('refused', 200, messageOf(body));
  }
  switch (name) {
    case 'message':
      return 'choices' in body ? readChunk(body) : readBegin(body);
    case 'status': {
      const step = readStep(body);
      return step === null ? [] : [{ kind: 'step', step }];
    }
    default:
      return [];
  }
}

function readBegin(body: Record<string, unknown>): ReplyPart[] {
  const question = isRecord(body['message']) ? body['message'] : null;
  return [
    {
      kind: 'begun',
      question: question === null ? null : readMessage(question),
      answer: text(body['answer'])
    }
  ];
}

function readStep(body: Record<string, unknown>): Step | null {
  switch (body['status']) {
    case 'loading': {
      const progress = readProgress(body);
      return progress === null ? null : { kind: 'loading', progress };
    }
    case 'ready':
      return { kind: 'ready' };
    case 'queued':
      return { kind: 'queued', position: number(body['position']) };
    case 'rerouted':
      return { kind: 'rerouted', model: text(body['model']) };
    case 'prompt':
      return {
        kind: 'prompt',
        done: number(body['done']) ?? 0,
        total: number(body['total']) ?? 0
      };
    default:
      return null;
  }
}

function readChunk(body: Record<string, unknown>): ReplyPart[] {
  const choices = Array.isArray(body['choices']) ? body['choices'] : [];
  const parts = choices.flatMap(choice =>
    isRecord(choice) ? readChoice(choice) : []
  );
  const usage = readUsage(body['usage']);
  if (usage !== null) {
    parts.push({ kind: 'usage', usage });
  }
  const timings = readTimings(body['timings']);
  if (timings !== null) {
    parts.push({ kind: 'timings', timings });
  }
  return parts;
}

function readChoice(choice: Record<string, unknown>): ReplyPart[] {
  const delta = isRecord(choice['delta']) ? choice['delta'] : {};
  const parts: ReplyPart[] = [];
  const reasoning = text(delta['reasoning_content']);
  if (reasoning !== '') {
    parts.push({ kind: 'reasoning', text: reasoning });
  }
  const content = text(delta['content']);
  if (content !== '') {
    parts.push({ kind: 'text', text: content });
  }
  const calls = Array.isArray(delta['tool_calls']) ? delta['tool_calls'] : [];
  for (const [place, call] of calls.entries()) {
    if (isRecord(call)) {
      parts.push(readTool(call, place));
    }
  }
  const reason = text(choice['finish_reason']);
  if (reason !== '') {
    parts.push({ kind: 'finished', reason });
  }
  return parts;
}

function readTool(call: Record<string, unknown>, place: number): ReplyPart {
  const called = isRecord(call['function']) ? call['function'] : {};
  return {
    kind: 'tool',
    index: number(call['index']) ?? place,
    id: text(call['id']),
    name: text(called['name']),
    arguments: text(called['arguments'])
  };
}
