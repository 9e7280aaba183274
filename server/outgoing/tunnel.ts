import { request } from 'node:http';
import { request as requestOverTls } from 'node:https';
import type { Socket } from 'node:net';
import type { ProxyServer } from './proxies.js';

/** A connection to somebody for whom a proxy opens it. */
export function tunnelThrough(
  { url, authorization }: ProxyServer,
  target: { host: string; port: number },
  patience: number,
): Promise<Socket> {
  const host = target.host.includes(':') ? `[${target.host}]` : target.host;
  const path = `${host}:${target.port}`;
  const ask = url.protocol === 'https:' ? requestOverTls : request;
  return new Promise((resolve, reject) => {
    const asking = ask({
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port || (url.protocol === 'https:' ? 443 : 80),
      method: 'CONNECT',
      path,
      headers: { host: path, ...(authorization !== undefined && { 'proxy-authorization': authorization }) },
      agent: false,
    });
    const late = new Error(`the proxy ${url.host} opened nothing within ${patience / 1000} s`);
    const timer = setTimeout(() => asking.destroy(late), patience);
    const refused = (status: number | undefined) => new Error(`the proxy ${url.host} answered ${status}`);
    asking.once('connect', ({ statusCode }, socket: Socket, head) => {
      clearTimeout(timer);
      if (statusCode !== 200) {
        socket.destroy();
        return reject(refused(statusCode));
      }
      if (head.length > 0) socket.unshift(head);
      resolve(socket);
    });
    asking.once('response', (response) => {
      clearTimeout(timer);
      response.destroy();
      reject(refused(response.statusCode));
    });
    asking.once('error', (cause) => {
      clearTimeout(timer);
      reject(new Error(`the proxy ${url.host} failed: ${cause.message}`, { cause }));
    });
    asking.end();
  });
}
