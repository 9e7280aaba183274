/** An image as a repository lists it. */
export interface Remote {
  uuid: string;
  name: string;
  version: string;
  created: string;
  os: string;
  type: string;
  ostype: number;
  desc: string;
  homepage: string;
  size: number;
  state: string;
  download_size: number;
  registered: boolean;
  manifest: Record<string, unknown>;
}
