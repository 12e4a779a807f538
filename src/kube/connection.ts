import type { KubeConfig } from '@kubernetes/client-node/dist/config.js';
import type { Dispatcher } from 'undici';
import { errorMessage, UserError } from '../errors.ts';

/** As whom requests are made. */
export interface Impersonation {
  user?: string | undefined;
  groups?: readonly string[] | undefined;
}

/** The way to the API server that a kubeconfig names, with its credentials, certificates and proxies. */
export class Connection implements AsyncDisposable {
  #dispatcher: Dispatcher | undefined;

  constructor(
    readonly config: KubeConfig,
    private readonly as: Impersonation | undefined,
  ) {}

  /** URL of the API server, without a slash at its end. */
  get server(): string {
    return (this.config.getCurrentCluster()?.server ?? '').replace(/\/+$/, '');
  }

  /** Credentials and impersonation; asked anew for each request, since tokens are renewed. */
  async headers(): Promise<Record<string, string | string[]>> {
    const { username, password = '' } = this.config.getCurrentUser() ?? {};
    const asked: { headers: Record<string, string> } = { headers: {} };
    // The public way to the same headers makes a pool of connections each time.
    const config = this.config as unknown as HeaderSource;
    await this.#withCredentials(() => config.applyAuthorizationHeader(asked));
    const basic = username && `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
    return {
      ...(basic && { Authorization: basic }),
      ...asked.headers,
      ...impersonationHeaders(this.as),
    };
  }

  async #withCredentials(take: () => Promise<void>): Promise<void> {
    try {
      await take();
    } catch (error) {
      const why = errorMessage(error).trim() || 'its plugin failed without a word';
      throw new UserError(`the credentials of the kubeconfig cannot be used: ${why}`, {
        hint: `Try the same with: kubectl --context ${this.config.getCurrentContext()} auth whoami`,
        cause: error,
      });
    }
  }

  /** Connects on the first request. */
  async open(): Promise<{ dispatcher: Dispatcher; origin: string; prefix: string }> {
    const url = new URL(this.server);
    if (!this.#dispatcher) {
      // The library fills in what it calls a request; these two calls are all that it makes.
      const asked = {
        setHeaderParam: () => {},
        setDispatcher: (dispatcher: Dispatcher) => {
          this.#dispatcher = dispatcher;
        },
      };
      await this.#withCredentials(() => this.config.applySecurityAuthentication(asked as never));
      // Of a CommonJS package a bundle has no names but this one.
      const { default: undici } = await import('undici');
      this.#dispatcher ??= new undici.Agent();
    }
    return { dispatcher: this.#dispatcher, origin: url.origin, prefix: url.pathname.replace(/\/$/, '') };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#dispatcher?.destroy();
  }
}

/** What the library has for headers alone; its types call it private. */
interface HeaderSource {
  applyAuthorizationHeader(asked: { headers: Record<string, string> }): Promise<void>;
}

function impersonationHeaders(as: Impersonation | undefined): Record<string, string | string[]> {
  return {
    ...(as?.user && { 'Impersonate-User': as.user }),
    ...(as?.groups?.length && { 'Impersonate-Group': [...as.groups] }),
  };
}
