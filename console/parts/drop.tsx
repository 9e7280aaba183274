import { useRef, useState } from 'preact/hooks';

interface Props {
  children: string;
  take: (files: File[]) => void;
  isMany?: boolean;
}

/** Where files are let fall, or chosen. */
export function Drop({ children, take, isMany = false }: Props) {
  const [isOver, setOver] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const over = (event: DragEvent) => {
    event.preventDefault();
    setOver(event.type === 'dragover');
  };
  const drop = (event: DragEvent) => {
    over(event);
    const files = [...(event.dataTransfer?.files ?? [])];
    if (files.length > 0) take(isMany ? files : files.slice(0, 1));
  };
  return (
    <fieldset
      class={`drop ${isOver ? 'over' : ''}`}
      aria-label={children}
      onDragOver={over}
      onDragLeave={over}
      onDrop={drop}
    >
      <p>{children}</p>
      <input
        ref={input}
        type="file"
        class="unseen"
        tabIndex={-1}
        multiple={isMany}
        aria-label="files"
        onChange={({ currentTarget }) => {
          take([...(currentTarget.files ?? [])]);
          currentTarget.value = ''; // the same file may be meant again
        }}
      />
      <button type="button" class="main" onClick={() => input.current?.click()}>
        {isMany ? 'Choose files …' : 'Choose a file …'}
      </button>
    </fieldset>
  );
}
