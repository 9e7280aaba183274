import { useCallback, useEffect, useState } from 'preact/hooks';

const KEY = 'slipway-draft:';

/**
 * What is being typed. It outlives a session that ends, a page that is loaded anew and a sign-in that leads elsewhere and
 * back; not the window. Secrets are never kept.
 */
export function useDraft<T extends object>(name: string, initial: T, secrets: readonly (keyof T)[] = []) {
  const [values, setValues] = useState<T>(() => ({ ...initial, ...kept<T>(name) }));
  const [isDirty, setDirty] = useState(() => kept(name) !== undefined);

  useEffect(() => {
    if (!isDirty) return;
    const open = Object.entries(values).filter(([field]) => !secrets.includes(field as keyof T));
    try {
      sessionStorage.setItem(KEY + name, JSON.stringify(Object.fromEntries(open)));
    } catch {
      // full, or not allowed: it is still on the page
    }
  }, [name, values, isDirty]);

  const change = useCallback(<Field extends keyof T>(field: Field, value: T[Field]) => {
    setValues((now) => ({ ...now, [field]: value }));
    setDirty(true);
  }, []);

  const forget = useCallback(
    (then?: T) => {
      sessionStorage.removeItem(KEY + name);
      setDirty(false);
      if (then) setValues(then);
    },
    [name],
  );

  return { values, change, isDirty, forget };
}

function kept<T>(name: string): Partial<T> | undefined {
  try {
    const text = sessionStorage.getItem(KEY + name);
    return text === null ? undefined : (JSON.parse(text) as Partial<T>);
  } catch {
    return undefined;
  }
}
