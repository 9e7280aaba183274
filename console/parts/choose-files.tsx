import { useRef } from 'preact/hooks';

interface Props {
  label: string;
  /** Which of several, for those who do not see what stands beside it. */
  of?: string;
  take: (files: File[]) => void;
  isMany?: boolean;
  isMain?: boolean;
}

/** A button by which files of this computer are chosen. */
export function ChooseFiles({ label, of, take, isMany = false, isMain = false }: Props) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <input
        ref={input}
        type="file"
        class="unseen"
        tabIndex={-1}
        multiple={isMany}
        aria-label={of === undefined ? 'files' : `file of ${of}`}
        onChange={({ currentTarget }) => {
          take([...(currentTarget.files ?? [])]);
          currentTarget.value = ''; // the same file may be meant again
        }}
      />
      <button
        type="button"
        class={isMain ? 'main' : ''}
        aria-label={of && `${label.replace(/ …$/, '')} of ${of} …`}
        onClick={() => input.current?.click()}
      >
        {label}
      </button>
    </>
  );
}
