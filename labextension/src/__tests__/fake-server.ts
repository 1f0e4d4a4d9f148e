import { ServerConnection } from '@jupyterlab/services';

type Answer = (request: Request) => Response | Promise<Response>;

/** A Jupyter server behind `ServerConnection`: what it is asked, it answers. */
export class FakeServer {
  /** Every request so far, first one first. */
  readonly requests: Request[] = [];

  readonly settings = ServerConnection.makeSettings({
    baseUrl: 'http://localhost/user/jo/',
    token: 'secret',
    fetch: async input => {
      const request = new Request(input);
      this.requests.push(request);
      return this._answer(request);
    }
  });

  /** Answer requests from now on with a list of models. */
  lists(models: readonly object[], defaultId: string | null = null): void {
    this.sends(200, JSON.stringify({ default: defaultId, models }));
  }

  /** Answer requests from now on with a status and a body. */
  sends(status: number, body: string): void {
    this._answer = () => new Response(body, { status });
  }

  /** Be unreachable from now on. */
  disappears(): void {
    this._answer = () => Promise.reject(new TypeError('Failed to fetch'));
  }

  /** Accept requests from now on, but leave them unanswered. */
  hangs(): void {
    this._answer = request =>
      new Promise((_, reject) => {
        request.signal.addEventListener('abort', () => {
          reject(new DOMException('Aborted', 'AbortError'));
        });
      });
  }

  private _answer: Answer = () => new Response('', { status: 404 });
}
