import { useEffect } from 'preact/hooks';
import { listen } from '../api/live.js';
import { toast } from './toasts.js';

/** Says in a corner what others have taken away, as it vanishes from under one's eyes. */
export function useNews(self: string): void {
  useEffect(
    () =>
      listen((changes) => {
        for (const { kind, action, name, who } of changes) {
          if (kind === 'images' && action === 'deleted' && who && who !== self)
            toast(`${who} has deleted image ${name}`);
        }
      }),
    [self],
  );
}
