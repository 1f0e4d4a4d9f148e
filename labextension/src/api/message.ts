import { isRecord, list, number, text } from './read';
import type {
  IAttachment,
  IMessage,
  ITimings,
  IToolCall,
  IUsage,
  Role
} from './types';

const ROLES: ReadonlySet<string> = new Set<Role>([
  'system',
  'user',
  'assistant',
  'tool'
]);

/** Read a message of a conversation. */
export function readMessage(value: unknown): IMessage {
  const message = isRecord(value) ? value : {};
  const { role } = message;
  return {
    id: text(message['id']),
    role: isRole(role) ? role : 'assistant',
    content: text(message['content']),
    reasoning: text(message['reasoning']),
    toolCalls: list(message['tool_calls'], readToolCall),
    attachments: list(message['attachments'], readAttachment),
    model: text(message['model'], null),
    usage: readUsage(message['usage']),
    timings: readTimings(message['timings']),
    finishReason: text(message['finish_reason'], null)
  };
}

/** Read OpenAI's token counts. */
export function readUsage(value: unknown): IUsage | null {
  if (!isRecord(value) || typeof value['completion_tokens'] !== 'number') {
    return null;
  }
  return { completionTokens: value['completion_tokens'] };
}

/** Read llama-server's `timings`. */
export function readTimings(value: unknown): ITimings | null {
  if (!isRecord(value) || Object.keys(value).length === 0) {
    return null;
  }
  return {
    promptMs: number(value['prompt_ms']),
    tokensPerSecond: number(value['predicted_per_second'])
  };
}

function isRole(value: unknown): value is Role {
  return typeof value === 'string' && ROLES.has(value);
}

function readToolCall(value: unknown): IToolCall {
  const call = isRecord(value) ? value : {};
  const called = isRecord(call['function']) ? call['function'] : {};
  return {
    id: text(call['id']),
    name: text(called['name']),
    arguments: text(called['arguments'])
  };
}

function readAttachment(value: unknown): IAttachment {
  const attachment = isRecord(value) ? value : {};
  return {
    kind: text(attachment['kind']),
    name: text(attachment['name']),
    content: text(attachment['content'])
  };
}
