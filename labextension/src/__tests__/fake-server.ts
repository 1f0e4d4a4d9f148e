import { ServerConnection } from '@jupyterlab/services';

import { FeedModel } from '../server/feed';
import { PaceModel } from '../server/pace';
import type { ILLMServer } from '../tokens';

type Answer = (request: Request) => Response | Promise<Response>;

/** A stream of server-sent events that a test writes bit by bit. */
export class FakeStream {
  /** What a request gets. */
  readonly response: Response;

  constructor() {
    const body = new ReadableStream<Uint8Array>({
      start: controller => {
        this._controller = controller;
      },
      cancel: () => {
        this.isCancelled = true;
      }
    });
    this.response = new Response(body);
  }

  /** Whether the reader has let go of it. */
  isCancelled = false;

  /** Write an event; without a name it is one of OpenAI's chunks. */
  sends(data: unknown, name?: string): void {
    const head = name === undefined ? '' : `event: ${name}\n`;
    this.writes(`${head}data: ${JSON.stringify(data)}\n\n`);
  }

  /** Write text as it is. */
  writes(text: string): void {
    this._controller?.enqueue(new TextEncoder().encode(text));
  }

  /** End as a server does that has said all. */
  ends(): void {
    this._controller?.close();
  }

  /** Be cut off. */
  breaks(): void {
    this._controller?.error(new TypeError('network error'));
  }

  private _controller: ReadableStreamDefaultController<Uint8Array> | undefined;
}

/** A Jupyter server behind `ServerConnection`: what it is asked, it answers. */
export class FakeServer {
  /** Every request so far, first one first. */
  readonly requests: Request[] = [];

  readonly settings = ServerConnection.makeSettings({
    baseUrl: 'http://localhost/user/jo/',
    token: 'secret',
    fetch: async input => {
      const request = new Request(input);
      this.requests.push(request.clone());
      const answer = this._routes.get(keyOf(request)) ?? this._answer;
      return answer(request);
    }
  });

  /** What the parts of the extension share, on top of this server. */
  llm(): ILLMServer {
    return {
      settings: this.settings,
      feed: new FeedModel(this.settings),
      pace: new PaceModel()
    };
  }

  /** The requests for a path below `llm/`. */
  asked(method: string, path: string): Request[] {
    return this.requests.filter(
      request => keyOf(request) === `${method} ${path}`
    );
  }

  /** Answer requests for a path below `llm/` from now on. */
  routes(method: string, path: string, answer: Answer): void {
    this._routes.set(`${method} ${path}`, answer);
  }

  /** Answer requests for a path below `llm/` with JSON from now on. */
  replies(method: string, path: string, body: unknown, status = 200): void {
    this.routes(method, path, () => Response.json(body, { status }));
  }

  /** Answer requests for a path with a stream, which the test writes. */
  streams(method: string, path: string): FakeStream {
    const stream = new FakeStream();
    this.routes(method, path, () => stream.response);
    return stream;
  }

  /** Tell those who follow the changes of these models. */
  lists(
    models: readonly object[],
    defaultId: string | null = null
  ): FakeStream {
    const stream = this.streams('GET', 'events');
    stream.sends({ models, default: defaultId, downloads: [] }, 'snapshot');
    return stream;
  }

  /** Answer all other requests from now on with a status and a body. */
  sends(status: number, body: string): void {
    this._answer = () => new Response(body, { status });
  }

  /** Be unreachable from now on. */
  disappears(): void {
    this._routes.clear();
    this._answer = () => Promise.reject(new TypeError('Failed to fetch'));
  }

  /** Accept requests from now on, but leave them unanswered. */
  hangs(): void {
    this._routes.clear();
    this._answer = request =>
      new Promise((_, reject) => {
        request.signal.addEventListener('abort', () => {
          reject(new DOMException('Aborted', 'AbortError'));
        });
      });
  }

  private readonly _routes = new Map<string, Answer>();
  private _answer: Answer = () => new Response('', { status: 404 });
}

function keyOf({ method, url }: Request): string {
  return `${method} ${new URL(url).pathname.replace('/user/jo/llm/', '')}`;
}
