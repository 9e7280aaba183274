import { type IncomingHttpHeaders, request } from 'node:http';
import { text } from 'node:stream/consumers';

interface Cookie {
  name: string;
  value: string;
  host: string;
  path: string;
  /** As it was set. */
  line: string;
}

export interface Page {
  url: URL;
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

/** What a browser does of HTTP: it keeps cookies, and goes where it is sent. */
export class Browser {
  cookies: Cookie[] = [];
  /** All that it was shown on its way, redirects included. */
  readonly seen: Page[] = [];

  /** `hosts`: where names lead, and which prefix a proxy there takes away. */
  constructor(private readonly hosts: Record<string, { port: number; prefix?: string }>) {}

  /** To the first page that leads on no further, or that `until` is true of. */
  async open(address: string, until: (url: URL) => boolean = () => false): Promise<Page> {
    let url = new URL(address);
    for (let left = 20; left > 0; left -= 1) {
      const page = await this.get(url.href);
      const { location } = page.headers;
      if (page.status < 300 || page.status >= 400 || location === undefined) return page;
      url = new URL(location, url);
      if (until(url)) return { ...page, url };
    }
    throw new Error(`${address} leads nowhere`);
  }

  async get(address: string, headers: Record<string, string> = {}): Promise<Page> {
    const url = new URL(address);
    const { port, prefix = '' } = this.hosts[url.host] ?? { port: Number(url.port) };
    const cookie = this.cookies
      .filter(({ host, path }) => host === url.host && isBelow(url.pathname, path))
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ');
    const page = await new Promise<Page>((resolve, reject) => {
      const asking = request({
        host: '127.0.0.1',
        port,
        path: url.pathname.slice(prefix.length) + url.search,
        headers: { host: url.host, ...(cookie && { cookie }), ...headers },
        agent: false,
      });
      asking.once('error', reject);
      asking.once('response', (response) => {
        const { statusCode: status = 0, headers } = response;
        text(response).then((body) => resolve({ url, status, headers, body }), reject);
      });
      asking.end();
    });
    for (const line of page.headers['set-cookie'] ?? []) this.#keep(url.host, line);
    this.seen.push(page);
    return page;
  }

  cookie(name: string): Cookie | undefined {
    return this.cookies.find((one) => one.name === name);
  }

  #keep(host: string, line: string): void {
    const [pair = '', ...flags] = line.split(';').map((part) => part.trim());
    const [name = ''] = pair.split('=', 1);
    const flag = (key: string) => flags.find((one) => one.toLowerCase().startsWith(`${key}=`))?.slice(key.length + 1);
    const cookie = { name, value: pair.slice(name.length + 1), host, path: flag('path') ?? '/', line };
    this.cookies = this.cookies.filter((one) => one.name !== name || one.host !== host || one.path !== cookie.path);
    const isOver = flag('max-age') === '0' || Date.parse(flag('expires') ?? '') < Date.now();
    if (!isOver) this.cookies.push(cookie);
  }
}

const isBelow = (path: string, folder: string) =>
  path === folder || path.startsWith(folder.endsWith('/') ? folder : `${folder}/`);
