import { part } from '../api/ask.js';
import { useGuard } from '../router.js';
import { useAccount } from '../session.js';
import { Command } from './copy.js';
import { Drop } from './drop.js';
import { UploadLines } from './upload-lines.js';
import type { Image } from './use-image.js';
import { useUploads } from './use-uploads.js';

const stay = () => confirm('Its file is still being sent. It stops when you leave.');

/** The file of an image that waits for it, from this computer or another one. */
export function SendFile({ image: { uuid, alias } }: { image: Pick<Image, 'uuid' | 'alias'> }) {
  const { uuid: user } = useAccount();
  const uploads = useUploads();
  useGuard(uploads.isBusy, stay);
  const take = ([file]: File[]) => {
    if (!file) return;
    uploads.add({ file, title: alias, user, activates: true, isThere: true, create: async () => uuid });
  };
  return (
    <>
      {uploads.all.length === 0 && (
        <Drop take={take}>Drop its file here. The image is activated when the file has arrived.</Drop>
      )}
      <UploadLines uploads={uploads} />
      <p>Or with the command line, from where the file is:</p>
      <Command line={`slipway upload FILE --uuid ${part(uuid)}`} what="the command that sends its file" />
    </>
  );
}
