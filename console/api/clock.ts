/** The clock of the browser may be wrong by a day: times that the server tells are held against the server's own. */
let ahead = 0;
let last = 0;

/** Its clock is told in whole seconds, and takes a moment on the way. */
const COARSE = 2500;

/** With each answer: what the server's clock says, and whether somebody has asked for it. */
export function heard(date: string | null, isUse: boolean): void {
  const told = date === null ? Number.NaN : Date.parse(date);
  if (Number.isNaN(told)) return;
  const difference = told - Date.now();
  ahead = Math.abs(difference) < COARSE ? 0 : difference;
  if (isUse) last = serverNow();
}

/** In milliseconds, as `Date.now()`. */
export const serverNow = () => Date.now() + ahead;

/** When something that somebody had asked for was answered last, by the same clock. */
export const lastHeard = () => last;
