import { useState } from 'preact/hooks';
import { BringFrame } from '../parts/bring-frame.js';
import { diskSizeOf } from '../parts/disk-size.js';
import { Drop } from '../parts/drop.js';
import { EarlierUploads } from '../parts/earlier-uploads.js';
import { toast } from '../parts/toasts.js';
import { type Manifest, UploadForm } from '../parts/upload-form.js';
import { isOf, type KeptUpload, keptUploads } from '../parts/upload-kept.js';
import { UploadLines } from '../parts/upload-lines.js';
import { useUploads } from '../parts/use-uploads.js';
import { useGuard } from '../router.js';
import { useAccount } from '../session.js';

interface Chosen {
  key: string;
  file: File;
  manifest: Manifest | undefined;
  /** Of the disk in the file, in bytes, where it says. */
  disk: number | undefined;
  /** Begun with the same file, as far as one can tell. */
  earlier: KeptUpload | undefined;
  /** Begun with another one that is called like it. */
  other: KeptUpload | undefined;
}

const stay = () => confirm('Files are still being sent. They stop when you leave; you can go on with them later.');

/** Files of this computer, each of which becomes an image. */
export default function BringUpload() {
  const { uuid: user } = useAccount();
  const uploads = useUploads();
  const [chosen, setChosen] = useState<readonly Chosen[]>([]);
  useGuard(uploads.isBusy, stay);

  const take = async (files: File[]) => {
    const found = await arranged(files, keptUploads(user));
    setChosen((now) => [...now.filter(({ key }) => found.every((one) => one.key !== key)), ...found]);
  };
  const drop = (key: string) => setChosen((now) => now.filter((one) => one.key !== key));
  const goOn = (file: File, { title, activates, isThere, image, id }: KeptUpload) =>
    uploads.add(
      { file, title, user, activates, ...(isThere && { isThere }), create: async () => image },
      { image, id },
    );

  return (
    <BringFrame path="/bring/upload">
      <Drop isMany take={take}>
        Drop files here. A manifest (.json) that is dropped with a file describes its image.
      </Drop>
      <UploadLines uploads={uploads} />
      {chosen.map(({ key, file, manifest, disk, earlier, other }) =>
        earlier ? (
          <section key={key} class="box sending narrow" aria-label={`upload of ${file.name} that was begun earlier`}>
            <h2>{file.name}</h2>
            <p>An upload of this file was begun earlier, for {earlier.title}.</p>
            <p class="bar">
              <button
                type="button"
                class="main"
                onClick={() => {
                  drop(key);
                  goOn(file, earlier);
                }}
              >
                Go on with it
              </button>
              <button
                type="button"
                onClick={() =>
                  setChosen((now) => now.map((one) => (one.key === key ? { ...one, earlier: undefined } : one)))
                }
              >
                Begin another one
              </button>
            </p>
          </section>
        ) : (
          <UploadForm
            key={key}
            file={file}
            manifest={manifest}
            disk={disk}
            note={other && `Another file of that name was begun earlier, for ${other.title}: this one is a new upload.`}
            skip={() => drop(key)}
            add={(order) => {
              drop(key);
              uploads.add(order);
            }}
          />
        ),
      )}
      {uploads.all.length === 0 && <EarlierUploads user={user} goOn={goOn} />}
    </BringFrame>
  );
}

const isManifest = ({ name }: File) => /\.(json|manifest|imgmanifest|dsmanifest)$/i.test(name);

/** A manifest stands beside the one file that begins like it, or beside the only one. */
async function arranged(files: readonly File[], kept: readonly KeptUpload[]): Promise<Chosen[]> {
  const manifests = await Promise.all(
    files.filter(isManifest).map(async (file) => [file.name, await read(file)] as const),
  );
  const images = files.filter((file) => !isManifest(file));
  if (images.length === 0 && files.length > 0) toast('there is no file beside the manifest', { isBad: true });
  // One that can not be read says so when it is sent; its neighbours are not to be lost for it.
  const disks = await Promise.all(images.map((file) => diskSizeOf(file).catch(() => undefined)));
  return images.map((file, at) => {
    const own = manifests.find(([name]) => file.name.startsWith(name.replace(/\.[^.]+$/, '')));
    const [, manifest] = own ?? (images.length === 1 ? (manifests[0] ?? []) : []);
    return {
      key: `${file.name}:${file.size}:${file.lastModified}`,
      file,
      manifest,
      disk: disks[at],
      earlier: kept.find((one) => isOf(one, file)),
      other: kept.find((one) => one.filename === file.name && !isOf(one, file)),
    };
  });
}

async function read(file: File): Promise<Manifest | undefined> {
  try {
    const manifest: unknown = JSON.parse(await file.text());
    if (typeof manifest === 'object' && manifest !== null && !Array.isArray(manifest)) return manifest as Manifest;
  } catch {
    // said below
  }
  toast(`${file.name} is no manifest: it holds no JSON object`, { isBad: true });
  return undefined;
}
