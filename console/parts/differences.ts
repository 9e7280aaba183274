/** What people look at of a thing, in the words that they know it by. */
export type Looks<T> = readonly (readonly [name: string, word: (thing: T) => string])[];

/** What somebody has made of it meanwhile. */
export const differencesOf = <T>(looks: Looks<T>, before: T, after: T): string[] =>
  looks.flatMap(([name, word]) => {
    const [one, other] = [word(before), word(after)];
    return one === other ? [] : [`its ${name} was “${one || 'empty'}” and is “${other || 'empty'}”`];
  });
