import { ImgapiError } from '../../imgapi/errors.js';
import type { Middleware } from '../context.js';
import { withoutSecrets } from '../model/token.js';

/** What no route has answered: 405 where the path exists with other methods, 404 where it does not. */
export function unmatched(methodsOf: (path: string) => string[]): Middleware {
  return (ctx) => {
    const methods = methodsOf(ctx.path);
    if (methods.length === 0) throw new ImgapiError('ResourceNotFound', `${withoutSecrets(ctx.path)} does not exist`);
    const allowed = methods.join(', ');
    throw new ImgapiError('MethodNotAllowedError', `${ctx.method} is not allowed here, only ${allowed}`, {
      headers: { Allow: allowed },
    });
  };
}
