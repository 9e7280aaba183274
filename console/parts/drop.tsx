import { useState } from 'preact/hooks';
import { ChooseFiles } from './choose-files.js';

interface Props {
  children: string;
  take: (files: File[]) => void;
  isMany?: boolean;
}

/** Where files are let fall, or chosen. */
export function Drop({ children, take, isMany = false }: Props) {
  const [isOver, setOver] = useState(false);
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
      <ChooseFiles label={isMany ? 'Choose files …' : 'Choose a file …'} take={take} isMany={isMany} isMain />
    </fieldset>
  );
}
