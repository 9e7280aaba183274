import { useCallback, useEffect, useRef, useState } from 'preact/hooks';

const KEY = 'slipway-draft:';
const WHOSE = 'slipway-drafts-of';

/** What was typed over which values. */
interface Draft<T> {
  typed: Partial<T>;
  before: Partial<T>;
}

const isSame = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);
const noneOf = <T>(): Draft<T> => ({ typed: {}, before: {} });

/**
 * What is being typed. It outlives a session that ends, a page that is loaded anew and a sign-in that leads elsewhere and
 * back; not the window. Secrets, and what proves that somebody means it, are never kept. What nobody has typed over follows what the server tells.
 */
export function useDraft<T extends object>(name: string, initial: T, unkept: readonly (keyof T)[] = []) {
  const [draft, setDraft] = useState<Draft<T>>(() => kept<T>(name) ?? noneOf());
  // Shown until the server has told what became of it.
  const [settled, setSettled] = useState<{ typed: Partial<T>; over: T }>();
  const latest = useRef(initial);
  latest.current = initial;
  const fields = Object.keys(draft.typed) as (keyof T & string)[];
  const isDirty = fields.length > 0;

  useEffect(() => {
    if (!isDirty) return;
    try {
      sessionStorage.setItem(
        KEY + name,
        JSON.stringify({ typed: without(draft.typed, unkept), before: without(draft.before, unkept) }),
      );
    } catch {
      // full, or not allowed: it is still on the page
    }
  }, [name, draft, isDirty]);

  const change = useCallback(<Field extends keyof T>(field: Field, value: T[Field]) => {
    setDraft(({ typed, before }) => ({
      typed: { ...typed, [field]: value },
      before: { [field]: latest.current[field], ...before } as Partial<T>,
    }));
  }, []);

  const forget = useCallback(() => {
    sessionStorage.removeItem(KEY + name);
    setDraft(noneOf());
  }, [name]);

  /** What was sent is done with; what was typed since is not. */
  const settle = (sent: Partial<T>, { clears = false } = {}) => {
    if (!clears) setSettled({ typed: sent, over: initial });
    sessionStorage.removeItem(KEY + name);
    setDraft(({ typed, before }) => {
      const done = (Object.keys(sent) as (keyof T)[]).filter((field) => isSame(typed[field], sent[field]));
      return {
        typed: without(typed, done),
        before: without(clears ? before : { ...before, ...sent }, done),
      };
    });
  };

  const isSettling = settled !== undefined && isSame(settled.over, initial);
  const shown = isSettling ? settled.typed : {};
  return {
    values: { ...initial, ...shown, ...draft.typed },
    typed: draft.typed,
    /** What somebody else has made something else of, since it was typed. */
    overtaken: fields.filter(
      (field) =>
        !isSettling && !isSame(draft.before[field], initial[field]) && !isSame(draft.typed[field], initial[field]),
    ),
    change,
    isDirty,
    forget,
    settle,
  };
}

const without = <T extends object>(values: Partial<T>, fields: readonly (keyof T)[]) =>
  Object.fromEntries(Object.entries(values).filter(([field]) => !fields.includes(field as keyof T))) as Partial<T>;

function kept<T>(name: string): Draft<T> | undefined {
  try {
    const text = sessionStorage.getItem(KEY + name);
    const draft = text === null ? undefined : (JSON.parse(text) as Draft<T>);
    return draft?.typed && draft.before ? draft : undefined;
  } catch {
    return undefined;
  }
}

/** What somebody else has typed is not theirs to see. */
export function keepDraftsOf(user: string): void {
  try {
    if (sessionStorage.getItem(WHOSE) === user) return;
    forgetDrafts();
    sessionStorage.setItem(WHOSE, user);
  } catch {
    // not allowed: then there are none
  }
}

export function forgetDrafts(): void {
  try {
    for (const key of Object.keys(sessionStorage)) if (key.startsWith(KEY)) sessionStorage.removeItem(key);
  } catch {
    // not allowed: then there are none
  }
}
