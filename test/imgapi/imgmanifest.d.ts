declare module 'imgmanifest' {
  interface Problem {
    field: string;
    code: string;
    message?: string;
  }
  type Validate = (manifest: object, options?: { channelFromName?: object }) => Problem[] | null;

  const imgmanifest: {
    validateMinimalManifest: Validate;
    validateDcManifest: Validate;
    validatePublicManifest: Validate;
    validatePrivateManifest: Validate;
    upgradeManifest(manifest: object): Record<string, unknown>;
    imgManifestFromDockerInfo(info: object): Record<string, unknown>;
    imgUuidFromDockerDigests(digests: readonly string[]): string;
  };
  export default imgmanifest;
}
