/** A day of the browser's clock, as it begins and as it ends. */
export const beginOf = (day: string) => momentOf(day, '00:00:00.000');
export const endOf = (day: string) => momentOf(day, '23:59:59.999');

function momentOf(day: string, time: string): string | undefined {
  const moment = new Date(`${day}T${time}`);
  return Number.isNaN(moment.getTime()) ? undefined : moment.toISOString();
}
