/**
 * A pure function that answers from memory what it was asked lately. What it remembers weighs no more than `most`; the
 * oldest is forgotten first.
 */
export function remembering<Asked, Answer extends {}>(
  answer: (asked: Asked) => Answer,
  most: number,
  weigh: (asked: Asked, answered: Answer) => number,
): (asked: Asked) => Answer {
  const remembered = new Map<Asked, Answer>();
  let weight = 0;
  return (asked) => {
    const known = remembered.get(asked);
    if (known !== undefined) return known;
    const answered = answer(asked);
    remembered.set(asked, answered);
    weight += weigh(asked, answered);
    for (const [oldest, before] of remembered) {
      if (weight <= most) break;
      remembered.delete(oldest);
      weight -= weigh(oldest, before);
    }
    return answered;
  };
}
