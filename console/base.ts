/** Where the server has the console: it says so in the page, as a proxy may have put it below a prefix. */
const told = document.querySelector<HTMLMetaElement>('meta[name="slipway-prefix"]')?.content ?? '';

/** In front of every path of the API. */
export const prefix = told;
/** In front of every page of the console. */
export const base = `${told}/console`;
