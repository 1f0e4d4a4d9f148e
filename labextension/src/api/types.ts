/** Where a model is in its life, in the server's words. */
export type ModelState =
  'unloaded' | 'loading' | 'ready' | 'busy' | 'unloading' | 'failed';

/** How far a load has come. `stage` stays open: a newer server may name more. */
export interface ILoadProgress {
  readonly stage: string;
  /** Between 0 and 1. */
  readonly fraction: number;
}

/** Why a model or a download failed. */
export interface IProblem {
  readonly code: string;
  readonly message: string;
}

/** How many requests a loaded model can run, runs, and keeps waiting. */
export interface ISlots {
  readonly total: number;
  readonly busy: number;
  readonly waiting: number;
}

/** What a model takes, or would take, of the machine's memory. */
export interface IMemory {
  /** Bytes by the name of the device. */
  readonly devices: Readonly<Record<string, number>>;
  /** Tokens of context that this is for. */
  readonly contextLength: number;
  readonly gpuLayers: number;
}

/** One model as the server lists it. */
export interface IModelInfo {
  readonly id: string;
  readonly state: ModelState;
  readonly progress: ILoadProgress | null;
  readonly error: IProblem | null;
  readonly slots: ISlots | null;
  /** Bytes of its file; 0 if the server does not say. */
  readonly size: number;
  /** Where it was found; models of "folder" can be deleted. */
  readonly source: string;
  readonly capabilities: readonly string[];
  /** How many weights it has. */
  readonly parameters: number | null;
  /** Such as "Q4_K_M". */
  readonly quantization: string | null;
  /** Tokens that it was trained with. */
  readonly trainedContext: number | null;
  /** Tokens that fit, prompt and answer, once it is loaded. */
  readonly contextLength: number | null;
  readonly memory: IMemory | null;
  readonly pinned: boolean;
  /** Another server that has it; null for this one. */
  readonly provider: string | null;
}

/** The answer to `GET llm/models`. */
export interface IModelList {
  /** The id of the model that a request without a model name gets. */
  readonly default: string | null;
  readonly models: readonly IModelInfo[];
  /** Models of other servers: they can be asked, and nothing else. */
  readonly remote: readonly IModelInfo[];
}

/** How a model is to be loaded; what is absent is left to the server. */
export interface ILoadOptions {
  readonly context_length?: number;
  readonly slots?: number;
  readonly gpu_layers?: number | 'auto' | 'all';
  readonly kv_type?: string;
}

/** One thing that was looked at before a load. */
export interface ICheck {
  readonly name: string;
  readonly ok: boolean;
  readonly message: string;
}

/** What a load would need and do. */
export interface IPreflight {
  readonly ok: boolean;
  readonly checks: readonly ICheck[];
  readonly memory: IMemory | null;
  /** Models that would have to go. */
  readonly evicts: readonly string[];
}

/** A processor or GPU and its memory. */
export interface IDevice {
  readonly name: string;
  readonly description: string;
  /** Bytes. */
  readonly total: number;
  readonly free: number;
  /** Bytes that the server's models may take. */
  readonly limit: number;
  /** Bytes that the server's models have been given. */
  readonly setAside: number;
}

/** What the models run on. */
export interface IMachine {
  readonly devices: readonly IDevice[];
  /** Why no model can run here; null if they can. */
  readonly problem: string | null;
}

/** Where a download is. */
export type DownloadState =
  | 'waiting'
  | 'resolving'
  | 'downloading'
  | 'paused'
  | 'verifying'
  | 'done'
  | 'failed'
  | 'cancelled';

/** One model on its way from a hub to the server. */
export interface IDownload {
  readonly id: string;
  /** What was asked for, such as "hf:org/repo:Q4_K_M". */
  readonly reference: string;
  readonly state: DownloadState;
  /** Bytes. */
  readonly done: number;
  readonly total: number | null;
  /** Bytes a second. */
  readonly rate: number | null;
  readonly secondsLeft: number | null;
  /** The model's id, once it is there. */
  readonly model: string | null;
  readonly error: IProblem | null;
}

/** What the server tells of by itself. */
export type Change =
  | {
      readonly kind: 'snapshot';
      readonly list: IModelList;
      readonly downloads: readonly IDownload[];
    }
  | { readonly kind: 'model'; readonly model: IModelInfo }
  | { readonly kind: 'model-removed'; readonly id: string }
  | {
      readonly kind: 'provider';
      readonly name: string;
      readonly models: readonly IModelInfo[];
    }
  | { readonly kind: 'download'; readonly download: IDownload }
  | { readonly kind: 'download-removed'; readonly id: string };

/** Who says a message. */
export type Role = 'system' | 'user' | 'assistant' | 'tool';

/** Something that goes to the model with a question. */
export interface IAttachment {
  /** What it is: "cell", "output", "error", "file", "selection", "image". */
  readonly kind: string;
  /** What people call it. */
  readonly name: string;
  /** Its text, or the data URL of an image. */
  readonly content: string;
}

/** A tool that a model wants called. */
export interface IToolCall {
  readonly id: string;
  readonly name: string;
  /** JSON, as far as it is written. */
  readonly arguments: string;
}

/** Token counts of an answer. */
export interface IUsage {
  readonly completionTokens: number;
}

/** How fast an answer was. */
export interface ITimings {
  /** Milliseconds until the prompt was read. */
  readonly promptMs: number | null;
  readonly tokensPerSecond: number | null;
}

/** One turn of a conversation. */
export interface IMessage {
  readonly id: string;
  readonly role: Role;
  readonly content: string;
  readonly reasoning: string;
  readonly toolCalls: readonly IToolCall[];
  readonly attachments: readonly IAttachment[];
  readonly model: string | null;
  readonly usage: IUsage | null;
  readonly timings: ITimings | null;
  /**
   * "stop", "length", "cancelled" and the like; null while it is written. "lost" where
   * the server no longer has what was seen of it.
   */
  readonly finishReason: string | null;
}

/** How answers are drawn; what is absent is left to the model. */
export interface ISampling {
  readonly temperature?: number;
  readonly top_p?: number;
  readonly top_k?: number;
  readonly min_p?: number;
  readonly max_tokens?: number;
  readonly seed?: number;
}

/** A conversation as lists show it. */
export interface IConversation {
  readonly id: string;
  readonly title: string;
  readonly model: string | null;
  /** The system prompt. */
  readonly system: string;
  readonly options: ISampling;
  /** When it last changed, as ISO 8601. */
  readonly updated: string;
  readonly messageCount: number;
}

/** A conversation with the messages on its current path. */
export interface IOpenConversation extends IConversation {
  readonly messages: readonly IMessage[];
  /** By a message's id, the ids of all that stand in its place, in order. */
  readonly branches: Readonly<Record<string, readonly string[]>>;
}

/** What is asked of a conversation; see `POST conversations/{id}/reply`. */
export interface IQuestion {
  /**
   * The message that the question, or without one the answer, follows; null for
   * a new beginning. By default the last one.
   */
  readonly parent?: string | null;
  readonly content?: string;
  readonly attachments?: readonly IAttachment[];
  readonly model?: string;
  /** Whether `parent`, an answer, is to be gone on with. */
  readonly continue?: boolean;
}

/** What goes on before and while an answer is written. */
export type Step =
  | { readonly kind: 'loading'; readonly progress: ILoadProgress }
  | { readonly kind: 'ready' }
  | { readonly kind: 'queued'; readonly position: number | null }
  /** Another model answers than was asked for. */
  | { readonly kind: 'rerouted'; readonly model: string }
  | {
      readonly kind: 'prompt';
      readonly done: number;
      readonly total: number;
    };

/** What a stream adds to an answer. */
export type ReplyPart =
  | {
      readonly kind: 'begun';
      readonly question: IMessage | null;
      readonly answer: string;
    }
  | { readonly kind: 'step'; readonly step: Step }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'reasoning'; readonly text: string }
  | {
      readonly kind: 'tool';
      readonly index: number;
      readonly id: string;
      readonly name: string;
      readonly arguments: string;
    }
  | { readonly kind: 'finished'; readonly reason: string }
  | { readonly kind: 'usage'; readonly usage: IUsage }
  | { readonly kind: 'timings'; readonly timings: ITimings };

/** A prompt of the server's library. */
export interface IPrompt {
  readonly id: string;
  readonly name: string;
  readonly template: string;
  readonly variables: readonly string[];
}

/** What kept the server from giving an answer that can be used. */
export type FailureKind =
  | 'unreachable'
  | 'timeout'
  | 'not-installed'
  | 'forbidden'
  | 'missing'
  | 'refused'
  | 'not-understood';

/** A request that failed, in terms that a person can act on. */
export interface IFailure {
  readonly kind: FailureKind;
  /** The HTTP status; null if there was no answer. */
  readonly status: number | null;
  /** The server's own words; empty if it gave none. */
  readonly message: string;
}
