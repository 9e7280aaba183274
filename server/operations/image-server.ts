import { ImgapiError } from '../../imgapi/errors.js';
import { MAIN } from '../model/datacenter.js';
import type { Directory } from './directory.js';

/** Is the server set to keep records only, and to leave files to others? */
export const keepsRecordsOnly = ({ datacenters }: Directory): boolean =>
  datacenters.get(MAIN)?.settings.VMS_IMAGE_VM === '';

export function checkTakesFiles(directory: Directory): void {
  if (!keepsRecordsOnly(directory)) return;
  throw new ImgapiError('NoImageServer', 'this server keeps records only: VMS_IMAGE_VM of main is set to nothing');
}
