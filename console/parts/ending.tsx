import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { lastHeard, serverNow } from '../api/clock.js';
import { useAccount } from '../session.js';
import '../style/lines.css';

/** It is looked so often whether something was done, in milliseconds. */
const TICK = 5000;
/** A session that is used is prolonged so often; of a short one a quarter of its time. */
const OFTEN = 300_000;
/** So long before its end one is told. */
const BEFORE = 300_000;

interface Props {
  /** Asks the server who it is, which prolongs the session; whether it was answered. */
  look: () => Promise<boolean>;
  proveAgain: () => void;
}

/**
 * Says in time that the session ends. Whoever types, points or is answered uses it, and has it prolonged; only where
 * nothing is done, or where it is prolonged no more, is there anything to be said.
 */
export function Ending({ look, proveAgain }: Props) {
  const { expires } = useAccount().token;
  const [now, setNow] = useState(serverNow);
  const touched = useTouched();
  const asked = useRef({ expires: '' as string | null, at: 0 });
  const longest = useRef(0);
  const end = expires === null ? Number.POSITIVE_INFINITY : Date.parse(expires);
  if (asked.current.expires !== expires) {
    asked.current = { expires, at: serverNow() };
    longest.current = Math.max(longest.current, end - asked.current.at);
  }
  const margin = Math.min(BEFORE, longest.current / 4);
  // To which end it stays, though one has asked.
  const [last, setLast] = useState<string | null>();
  const isLast = last !== undefined && last === expires;

  const prolong = useCallback(async () => {
    asked.current.at = serverNow();
    // Before it is asked: what is done meanwhile is told the next time.
    const wasTouched = touched.current;
    touched.current = false;
    if (await look()) setLast(expires);
    else touched.current ||= wasTouched;
  }, [look, expires]);

  useEffect(() => {
    const timer = setInterval(() => {
      const now = serverNow();
      setNow(now);
      const { at } = asked.current;
      const isUsed = touched.current || lastHeard() > at + TICK;
      if ((isUsed && now - at >= Math.min(OFTEN, longest.current / 4)) || now >= end) void prolong();
    }, TICK);
    return () => clearInterval(timer);
  }, [end, prolong]);

  const left = Math.max(0, end - now);
  if (left > margin) return null;
  const minutes = Math.ceil(left / 60_000);
  return (
    <div class="banner ending" role="alert">
      <p>
        <strong>Your session ends in {minutes < 2 ? 'a minute' : `${minutes} minutes`}.</strong>{' '}
        {isLast
          ? 'It has lasted as long as it can: sign in again, now or then. What you have typed is kept.'
          : 'Nothing has been done here for long.'}
      </p>
      <button type="button" onClick={isLast ? proveAgain : prolong}>
        {isLast ? 'Sign in again' : 'Stay signed in'}
      </button>
    </div>
  );
}

/** Whether a key or a pointer was used: no times are compared here, the clock of the server may jump. */
function useTouched(): { current: boolean } {
  const touched = useRef(false);
  useEffect(() => {
    const touch = (event: Event) => {
      touched.current ||= !isStill(event);
    };
    const kinds = ['pointerdown', 'pointermove', 'keydown', 'wheel'] as const;
    // Before anybody else has them: a dialog keeps its keys to itself.
    for (const kind of kinds) addEventListener(kind, touch, { passive: true, capture: true });
    return () => {
      for (const kind of kinds) removeEventListener(kind, touch, { capture: true });
    };
  }, []);
  return touched;
}

/** Browsers tell of a move too where the pointer rests and what is under it has moved. */
const isStill = (event: Event) =>
  event instanceof PointerEvent && event.type === 'pointermove' && event.movementX === 0 && event.movementY === 0;
