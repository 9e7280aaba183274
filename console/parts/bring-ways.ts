import { type Account, holds, whyNoFiles } from '../session.js';

const creators = (account: Account) => holds(account, 'image_admin');
const importers = (account: Account) => creators(account) && holds(account, 'image_import_admin');

export interface Way {
  path: string;
  title: string;
  does: string;
  isFor(account: Account): boolean;
  /** Where the server keeps records only, there is none of it. */
  needsFiles?: true;
}

/** By which an image comes in, and for whom. */
export const ways: readonly Way[] = [
  {
    path: '/bring/repository',
    title: 'From a repository',
    does: 'Other image servers, with the lists of what they have. What an image builds on comes with it.',
    isFor: (account: Account) => holds(account, 'image_import_admin'),
  },
  {
    path: '/bring/url',
    title: 'By URL',
    does: 'The address of a manifest, or of a file that no manifest describes.',
    isFor: importers,
  },
  {
    path: '/bring/upload',
    title: 'By upload',
    does: 'Files of this computer. What is cut goes on where it was, also after the page was closed.',
    isFor: creators,
    needsFiles: true,
  },
  {
    path: '/bring/snapshot',
    title: 'From a snapshot',
    does: 'The disk of a machine, as it was or is. The image belongs to the data center of the machine.',
    isFor: creators,
    needsFiles: true,
  },
  {
    path: '/bring/registry',
    title: 'From a registry',
    does: 'A container from a registry (OCI, Docker), or an image of a server for LXD and Incus.',
    isFor: importers,
    needsFiles: true,
  },
  {
    path: '/bring/bundle',
    title: 'From a bundle',
    does: 'A tar that this or another server has exported: images with their manifests and files.',
    isFor: importers,
    needsFiles: true,
  },
];

/** Why it is not possible now. */
export const whyNot = ({ needsFiles }: Way, account: Account) => (needsFiles ? whyNoFiles(account) : undefined);
